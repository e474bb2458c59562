package policy

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"slipway/aggregates/app"
	"slipway/aggregates/policy"
	"slipway/events"
	"slipway/internal/eventlog"
)

// Policies is all policies together, as the log has them. What it keeps in memory is a cache; that it is current costs one look
// at the newest commit.
type Policies struct {
	all *eventlog.Repository[policy.State]
	id  string

	mu       sync.Mutex
	compiled set
	at       events.Sequence // that compiled is as of
}

// New makes one over the event log.
func New(log eventlog.Log) *Policies {
	_, id, _ := events.PolicySubject.Split()
	return &Policies{all: eventlog.NewRepository(log, events.AggregatePolicy, policy.Evolve, nil, 0), id: id}
}

// Decide lets decide choose what becomes of the policies, and appends it. That there is nothing to do is said of no state that others
// have changed meanwhile.
func (p *Policies) Decide(
	ctx context.Context, m eventlog.Meta, decide func(policy.State) ([]events.Event, error),
) (eventlog.Outcome[policy.State], error) {
	if _, err := p.all.LoadNewest(ctx, p.id); err != nil {
		return eventlog.Outcome[policy.State]{}, fmt.Errorf("policies: %w", err)
	}
	return p.all.Decide(ctx, p.id, m, decide)
}

// Judge asks all policies about a request, those included that were made or changed a moment ago. ask gathers the request, where
// there are policies; last gives earlier deployments of the app, where a policy looks at them. Nil: no policy has anything to say. Of
// a request that waits, in any case or by what policies say, all that they could see is kept, for when it begins (docs/adr/0031).
func (p *Policies) Judge(
	ctx context.Context, waits bool, ask func(context.Context) (Request, error), last func(context.Context) ([]Past, error),
) (*app.Judgement, error) {
	s, _, err := p.current(ctx)
	if err != nil || len(s) == 0 && !waits {
		return nil, err
	}
	r, err := ask(ctx)
	if err != nil {
		return nil, err
	}
	if waits || s.needsHistory(r) {
		return s.judgeWith(ctx, r, waits, last)
	}
	j, err := s.judge(r)
	switch {
	case err != nil || len(j.Verdicts) == 0:
		return nil, err
	case waiting(j):
		return s.judgeWith(ctx, r, waits, last)
	}
	return j, nil
}

// judgeWith asks every policy about a request with the history of its app. It gives nil where none says anything, unless the request waits
// in any case.
func (s set) judgeWith(ctx context.Context, r Request, waits bool, last func(context.Context) ([]Past, error)) (j *app.Judgement, err error) {
	if r.Last, err = last(ctx); err != nil {
		return nil, fmt.Errorf("last deployments of app %s: %w", r.App.GUID, err)
	}
	j, err = s.judge(r)
	if err != nil || !waits && len(j.Verdicts) == 0 {
		return nil, err
	}
	return j, nil
}

// waiting says whether policies let the request begin, but not now.
func waiting(j *app.Judgement) bool {
	return slices.ContainsFunc(j.Verdicts, func(v events.PolicyVerdict) bool {
		return v.Outcome == events.OutcomeApproval || v.Outcome == events.OutcomeHold
	}) && !slices.ContainsFunc(j.Verdicts, func(v events.PolicyVerdict) bool { return v.Outcome == events.OutcomeDeny })
}

// Evaluate is Judge for a request that nobody makes: what policies see is gathered in any case, for who writes the first condition.
func (p *Policies) Evaluate(
	ctx context.Context, ask func(context.Context) (Request, error), last func(context.Context) ([]Past, error),
) (app.Judgement, error) {
	s, _, err := p.current(ctx)
	if err != nil {
		return app.Judgement{}, err
	}
	r, err := ask(ctx)
	if err != nil {
		return app.Judgement{}, err
	}
	j, err := s.judgeWith(ctx, r, true, last)
	if err != nil {
		return app.Judgement{}, err
	}
	return *j, nil
}

// current is all policies as they stand now, and as of which commit that is.
func (p *Policies) current(ctx context.Context) (set, events.Sequence, error) {
	agg, err := p.all.Load(ctx, p.id)
	if err != nil {
		return nil, 0, fmt.Errorf("policies: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if agg.Position.Sequence > p.at {
		p.compiled, p.at = p.compiled.renewed(agg.State), agg.Position.Sequence
	}
	return p.compiled, p.at, nil
}

// renewed is the policies of a state; what has not changed is not compiled again.
func (s set) renewed(state policy.State) set {
	known := map[events.PolicyID]ready{}
	for _, r := range s {
		known[r.ID] = r
	}
	next := make(set, 0, len(state.Policies))
	for _, p := range state.Policies {
		r, ok := known[p.ID]
		if !ok || !reflect.DeepEqual(r.Policy.Rule, p.Rule) {
			r = prepare(p)
		}
		r.Policy = p
		next = append(next, r)
	}
	return next
}
