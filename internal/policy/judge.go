package policy

import (
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"slipway/aggregates/app"
	"slipway/aggregates/policy"
	"slipway/events"
)

// maxRounds bounds the search for a time at which no window holds a request: each round passes an opening or a closing.
const maxRounds = 1000

// ready is a policy that can be asked.
type ready struct {
	policy.Policy
	condition cel.Program // nil: always
	window    *window     // nil: at any time
	broken    error       // why it cannot be asked: it denies then
}

// prepare compiles a policy.
func prepare(p policy.Policy) ready {
	r := ready{Policy: p}
	if r.condition, r.broken = compile(p.Rule.Condition); r.broken == nil {
		r.window, r.broken = parseWindow(p.Rule.Window)
	}
	return r
}

// Check refuses a rule that cannot be asked: a condition or a window that cannot be read, a window that never opens. It also refuses
// a condition that names a field which there is not: a slip of the pen would deny every deployment. Policies that have one are asked.
func Check(rule events.PolicyRule, now time.Time) error {
	r := prepare(policy.Policy{Rule: rule})
	if r.broken != nil {
		return r.broken
	}
	if r.condition != nil {
		if err := known(rule.Condition); err != nil {
			return err
		}
	}
	if r.window != nil {
		return r.window.check(now)
	}
	return nil
}

// set is all policies, ready to be asked.
type set []ready

// needsHistory says whether a policy that governs the request looks at earlier deployments.
func (s set) needsHistory(r Request) bool {
	for _, p := range s {
		if p.governs(r) && strings.Contains(p.Rule.Condition, "last_deployments") {
			return true
		}
	}
	return false
}

func (p ready) governs(r Request) bool {
	return p.Governs(events.OrganizationID(r.Organization.GUID), events.SpaceID(r.Space.GUID), r.App.Labels)
}

// judge asks every policy.
func (s set) judge(r Request) (*app.Judgement, error) {
	variables, kept, err := r.seen()
	if err != nil {
		return nil, err
	}
	j := app.Judgement{Verdicts: []events.PolicyVerdict{}, Context: kept}
	var holding []*window
	for _, p := range s {
		if v, ok := p.verdict(r, variables); ok {
			if j.Verdicts = append(j.Verdicts, v); v.Outcome == events.OutcomeHold {
				holding = append(holding, p.window)
			}
		}
	}
	holdUntil(j.Verdicts, holding, r.Now)
	return &j, nil
}

// verdict is what a policy says; ok is false where it says nothing.
func (p ready) verdict(r Request, variables map[string]any) (v events.PolicyVerdict, ok bool) {
	if !p.governs(r) {
		return v, false
	}
	v = events.PolicyVerdict{Policy: p.ID, Name: p.Name, Outcome: p.Rule.Outcome, Reason: p.Rule.Reason}
	if p.broken != nil {
		return denied(v, p.unasked()), true
	}
	if applies, _ := p.window.applies(r.Now); !applies {
		return v, false
	}
	holds, err := holds(p.condition, variables)
	if err != nil {
		return denied(v, unclear(err)), true
	}
	if a := p.Rule.Approval; a != nil {
		v.Needed, v.Approvers, v.SelfApproval, v.ManualStart = a.Needed, a.Approvers, a.SelfApproval, a.ManualStart
		if a.Expires > 0 {
			v.Expires = r.Now.Add(time.Duration(a.Expires) * time.Second)
		}
	}
	return v, holds
}

// holdUntil tells all that hold a request the moment at which none of them does any more, or, where there is none, lets them deny.
func holdUntil(verdicts []events.PolicyVerdict, holding []*window, now time.Time) {
	until, ends := free(holding, now)
	for i := range verdicts {
		switch v := &verdicts[i]; {
		case v.Outcome != events.OutcomeHold:
		case ends:
			v.Until = until
		default:
			*v = denied(*v, "it would be held for ever")
		}
	}
}

// free is the first moment at which none of the windows applies; ends is false where there is none to be found.
func free(windows []*window, now time.Time) (at time.Time, ends bool) {
	at = now
	for range maxRounds {
		next := at
		for _, w := range windows {
			s := w.stretch(at)
			switch {
			case s.open == w.outside:
			case s.to.IsZero():
				return at, false
			case s.to.After(next):
				next = s.to
			}
		}
		if next.Equal(at) {
			return at.UTC(), true
		}
		at = next
	}
	return at, false
}

// maxReason bounds what a verdict says of a failure, in bytes.
const maxReason = 512

// unasked is why a policy that is broken stops a request.
func (p ready) unasked() string { return short("it cannot be asked: " + p.broken.Error()) }

// unclear is why a condition that fails stops one.
func unclear(err error) string { return short("its condition cannot be evaluated: " + err.Error()) }

func short(why string) string {
	if len(why) > maxReason {
		return strings.ToValidUTF8(why[:maxReason], "")
	}
	return why
}

func denied(v events.PolicyVerdict, why string) events.PolicyVerdict {
	return events.PolicyVerdict{Policy: v.Policy, Name: v.Name, Outcome: events.OutcomeDeny, Reason: why}
}
