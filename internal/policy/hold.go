package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// Holds asks the policies with windows about requests that are about to begin, those policies included that were made or changed
// a moment ago. What the conditions see is what was kept when the request was made, with another now. It tells as of which commit
// of the policies it is.
func (p *Policies) Holds(ctx context.Context, beginning []app.Request, now time.Time) (app.Holds, events.Sequence, error) {
	if len(beginning) == 0 {
		return nil, 0, nil
	}
	s, at, err := p.current(ctx)
	if err != nil {
		return nil, at, err
	}
	holds := app.Holds{}
	for _, r := range beginning {
		h, err := s.hold(r.Context, now)
		if err != nil {
			return nil, at, fmt.Errorf("deployment %s: %w", r.Deployment, err)
		}
		if h.Policy != "" {
			holds[r.Deployment] = h
		}
	}
	return holds, at, nil
}

// limits says whether a policy is asked again when a request begins: it says when, and has nothing that people agree to.
func (p ready) limits() bool {
	return p.Rule.Window != nil && (p.Rule.Outcome == events.OutcomeHold || p.Rule.Outcome == events.OutcomeDeny)
}

// hold says which policy keeps a request from beginning, of those that apply now the one that does so longest, and when none does
// any more. Windows that open before that count, too.
func (s set) hold(kept json.RawMessage, now time.Time) (app.Hold, error) {
	var by app.Hold
	var longest time.Time
	var windows []*window
	r, variables, err := recall(kept, now)
	if err != nil {
		return by, err
	}
	for _, p := range s {
		concerned, why := p.concerns(r, variables)
		if !concerned {
			continue
		}
		if p.broken != nil {
			return app.Hold{Policy: p.ID, Name: p.Name, Reason: why}, nil
		}
		windows = append(windows, p.window)
		if applies, until := p.window.applies(now); applies && (by.Policy == "" || outlasts(until, longest)) {
			by, longest = app.Hold{Policy: p.ID, Name: p.Name, Reason: why}, until
		}
	}
	if by.Policy == "" {
		return by, nil
	}
	if until, ends := free(windows, now); ends {
		by.Until = until
	}
	return by, nil
}

// outlasts compares two moments, of which zero is never.
func outlasts(a, b time.Time) bool { return !b.IsZero() && (a.IsZero() || a.After(b)) }

// concerns says whether a policy holds the request while its window applies, and why.
func (p ready) concerns(r Request, variables map[string]any) (concerned bool, why string) {
	if !p.limits() || !p.governs(r) {
		return false, ""
	}
	if p.broken != nil {
		return true, p.unasked()
	}
	holds, err := holds(p.condition, variables)
	if err != nil {
		return true, unclear(err)
	}
	return holds, p.Rule.Reason
}

// recall gives what conditions saw of a request, as it was kept, with another time; and what says where the request belongs.
func recall(kept json.RawMessage, now time.Time) (r Request, variables map[string]any, err error) {
	if len(kept) == 0 {
		kept = json.RawMessage(`{}`)
	}
	if err := json.Unmarshal(kept, &r); err != nil {
		return r, nil, fmt.Errorf("what policies saw: %w", err)
	}
	variables, err = variablesOf(kept, now)
	return r, variables, err
}
