package policy

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/aggregates/policy"
	"slipway/events"
	"slipway/internal/eventlog"
)

// week is a window from one day and hour of January 2026 in Berlin to another.
func week(t *testing.T, from, to string) *events.PolicyWindow {
	t.Helper()
	start := berlin(t, from)
	return &events.PolicyWindow{
		Rule: "FREQ=YEARLY", Start: from[:10] + "T" + from[11:] + ":00", Seconds: int(berlin(t, to).Sub(start) / time.Second),
		Zone: "Europe/Berlin", Applies: events.WindowInside,
	}
}

func named(name string, rule events.PolicyRule) ready {
	return prepare(policy.Policy{ID: events.PolicyID(name), Name: name, Rule: rule})
}

// kept is what the event has of the request.
func kept(t *testing.T) []byte {
	t.Helper()
	_, kept, err := request().seen()
	is.New(t).NoErr(err)
	return kept
}

// TestHold asks again at Wednesday noon about what was asked for on Monday.
func TestHold(t *testing.T) {
	freeze := week(t, "2026-01-14 09:00", "2026-01-15 09:00")
	always := &events.PolicyWindow{Rule: "FREQ=DAILY", Start: "2026-01-01T00:00:00", Seconds: 24 * 3600, Zone: "UTC", Applies: events.WindowInside}
	hold := events.PolicyRule{Outcome: events.OutcomeHold, Window: freeze, Reason: "holidays"}
	with := func(change func(*events.PolicyRule)) events.PolicyRule {
		rule := hold
		change(&rule)
		return rule
	}
	end := berlin(t, "2026-01-15 09:00")
	for name, c := range map[string]struct {
		policies set
		want     app.Hold
	}{
		"none":  {nil, app.Hold{}},
		"holds": {set{named("p", hold)}, app.Hold{Policy: "p", Name: "p", Reason: "holidays", Until: end}},
		"denies": {
			set{named("p", with(func(r *events.PolicyRule) { r.Outcome = events.OutcomeDeny }))},
			app.Hold{Policy: "p", Name: "p", Reason: "holidays", Until: end},
		},
		"allows": {set{named("p", with(func(r *events.PolicyRule) { r.Outcome = events.OutcomeAllow }))}, app.Hold{}},
		"asks people, who were asked": {set{named("p", with(func(r *events.PolicyRule) {
			r.Outcome, r.Approval = events.OutcomeApproval, &events.PolicyApproval{Needed: 1, Approvers: []string{"admin"}}
		}))}, app.Hold{}},
		"has no window":     {set{named("p", events.PolicyRule{Outcome: events.OutcomeDeny})}, app.Hold{}},
		"outside of it":     {set{named("p", with(func(r *events.PolicyRule) { r.Window = week(t, "2026-01-15 09:00", "2026-01-16 09:00") }))}, app.Hold{}},
		"another condition": {set{named("p", with(func(r *events.PolicyRule) { r.Condition = "space.name == 'dev'" }))}, app.Hold{}},
		"another app":       {set{named("p", with(func(r *events.PolicyRule) { r.AppLabels = map[string]string{"tier": "toy"} }))}, app.Hold{}},
		"what was seen, and the time as it is": {
			set{named("p", with(func(r *events.PolicyRule) {
				r.Condition = "last_deployments.size() == 1 && strategy.options.max_in_flight == 3 && now.getDayOfWeek('Europe/Berlin') == 3"
			}))},
			app.Hold{Policy: "p", Name: "p", Reason: "holidays", Until: end},
		},
		"a condition that fails": {
			set{named("p", with(func(r *events.PolicyRule) { r.Condition = "app.labels.team == 'pay'" }))},
			app.Hold{Policy: "p", Name: "p", Reason: "its condition cannot be evaluated: no such key: team", Until: end},
		},
		"for ever": {
			set{named("p", with(func(r *events.PolicyRule) { r.Window = always }))},
			app.Hold{Policy: "p", Name: "p", Reason: "holidays"},
		},
		"broken": {
			set{named("p", with(func(r *events.PolicyRule) { r.Condition = "app." }))},
			app.Hold{Policy: "p", Name: "p", Reason: "it cannot be asked: Rule condition is no CEL expression: line 1, column 5: " +
				"Syntax error: no viable alternative at input '.'"},
		},
		"a while, and for less": {
			set{named("p", hold), named("short", with(func(r *events.PolicyRule) { r.Window = week(t, "2026-01-14 11:00", "2026-01-14 13:00") }))},
			app.Hold{Policy: "p", Name: "p", Reason: "holidays", Until: end},
		},
		"for ever, and a while": {
			set{named("short", hold), named("p", with(func(r *events.PolicyRule) { r.Window = always })), named("last", hold)},
			app.Hold{Policy: "p", Name: "p", Reason: "holidays"},
		},
		"several: the longest of those that apply, until none does": {
			set{
				named("short", with(func(r *events.PolicyRule) { r.Window = week(t, "2026-01-14 11:00", "2026-01-14 13:00") })),
				named("long", hold),
				named("later", with(func(r *events.PolicyRule) { r.Window = week(t, "2026-01-15 08:00", "2026-01-16 20:00") })),
				named("never then", with(func(r *events.PolicyRule) { r.Window = week(t, "2026-01-16 21:00", "2026-01-17 20:00") })),
			},
			app.Hold{Policy: "long", Name: "long", Reason: "holidays", Until: berlin(t, "2026-01-16 20:00")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			got, err := c.policies.hold(kept(t), berlin(t, "2026-01-14 12:00"))
			is.NoErr(err)
			is.True(got.Until.Equal(c.want.Until))
			got.Until = c.want.Until
			is.Equal(got, c.want)
		})
	}
}

// TestNothingWasKept of a request: conditions that look at it hold as long as their windows do.
func TestNothingWasKept(t *testing.T) {
	is := is.New(t)
	s := set{named("p", events.PolicyRule{Outcome: events.OutcomeHold, Condition: "space.name == 'dev'", Window: week(t, "2026-01-14 09:00", "2026-01-15 09:00")})}
	h, err := s.hold(nil, berlin(t, "2026-01-14 12:00"))
	is.NoErr(err)
	is.Equal(h.Until, berlin(t, "2026-01-15 09:00"))
}

// TestWhatWaitsIsKept though no policy has anything to say: one that is made before it begins may.
func TestWhatWaitsIsKept(t *testing.T) {
	is := is.New(t)
	policies := New(eventlog.NewMemory(events.NewRegistry()))
	gathered := 0
	judge := func(waits bool) *app.Judgement {
		ask := func(context.Context) (Request, error) { gathered++; return request(), nil }
		j, err := policies.Judge(t.Context(), waits, ask, func(context.Context) ([]Past, error) { return request().Last, nil })
		is.NoErr(err)
		return j
	}
	is.Equal(judge(false), nil)
	is.Equal(gathered, 0) // nobody asks, so nothing is looked up
	j := judge(true)
	is.Equal(len(j.Verdicts), 0)
	is.True(strings.Contains(string(j.Context), "ROLLED_BACK")) // with the history of its app
	_, err := policies.Decide(t.Context(), eventlog.Meta{CommandID: "c", Actor: "user/ann", Time: monday}, func(s policy.State) ([]events.Event, error) {
		return policy.Create(s, policy.Policy{ID: "p", Name: "freeze", Organization: "o1", Space: "s1", Rule: events.PolicyRule{
			Outcome: events.OutcomeHold, Window: week(t, "2026-01-14 09:00", "2026-01-15 09:00"),
		}})
	})
	is.NoErr(err)
	r := app.Request{DeploymentApprovalRequested: events.DeploymentApprovalRequested{Deployment: "d", Context: j.Context}}
	holds, at, err := policies.Holds(t.Context(), []app.Request{r}, berlin(t, "2026-01-14 12:00"))
	is.NoErr(err)
	is.Equal(holds["d"].Policy, events.PolicyID("p")) // it governs the space that the request is about
	is.True(at > 0)
	is.Equal(judge(false), nil) // it does not apply on Monday
}

// TestPoliciesChange: the next request is judged by what they say then; of a request that policies have nothing to do with, no
// history is looked up.
func TestPoliciesChange(t *testing.T) {
	is := is.New(t)
	policies := New(eventlog.NewMemory(events.NewRegistry()))
	decide := func(command events.CommandID, fn func(policy.State) ([]events.Event, error)) {
		t.Helper()
		_, err := policies.Decide(t.Context(), eventlog.Meta{CommandID: command, Actor: "user/ann", Time: monday}, fn)
		is.NoErr(err)
	}
	looked := 0
	judge := func() string {
		t.Helper()
		ask := func(context.Context) (Request, error) { r := request(); r.Last = nil; return r, nil }
		last := func(context.Context) ([]Past, error) { looked++; return request().Last, nil }
		j, err := policies.Judge(t.Context(), false, ask, last)
		is.NoErr(err)
		if j == nil {
			return ""
		}
		return j.Verdicts[0].Name + " " + j.Verdicts[0].Outcome
	}
	deny := events.PolicyRule{Outcome: events.OutcomeDeny, Condition: "last_deployments.size() == 1"}
	decide("c1", func(s policy.State) ([]events.Event, error) {
		return policy.Create(s, policy.Policy{ID: "p", Name: "old", Organization: "another", Rule: deny})
	})
	is.Equal(judge(), "")
	is.Equal(looked, 0) // it is about others
	decide("c2", func(s policy.State) ([]events.Event, error) {
		return policy.Create(s, policy.Policy{ID: "q", Name: "q", Rule: deny})
	})
	is.Equal(judge(), "q deny")
	is.Equal(looked, 1)
	name, allow := "renamed", events.PolicyRule{Outcome: events.OutcomeAllow}
	decide("c3", func(s policy.State) ([]events.Event, error) { return policy.Update(s, "q", policy.Change{Name: &name}) })
	is.Equal(judge(), "renamed deny")
	decide("c4", func(s policy.State) ([]events.Event, error) {
		return policy.Update(s, "q", policy.Change{Rule: &allow})
	})
	is.Equal(judge(), "renamed allow")
	is.Equal(looked, 2)
	decide("c5", func(s policy.State) ([]events.Event, error) { return policy.Delete(s, "q") })
	is.Equal(judge(), "")
}

// TestWhatWaitsKeepsItsHistory: what waits for people or a window is judged again, by policies made since too, so what they may look at
// is kept with it; of what begins at once or never nobody asks again.
func TestWhatWaitsKeepsItsHistory(t *testing.T) {
	for outcome, c := range map[string]struct {
		rule   events.PolicyRule
		looked int
	}{
		"approval": {events.PolicyRule{Outcome: events.OutcomeApproval, Approval: &events.PolicyApproval{Needed: 1, Approvers: []string{"admin"}}}, 1},
		"hold":     {events.PolicyRule{Outcome: events.OutcomeHold, Window: &events.PolicyWindow{Rule: "FREQ=DAILY", Start: "2026-01-01T00:00:00", Seconds: 60, Zone: "UTC", Applies: "outside"}}, 1},
		"allow":    {events.PolicyRule{Outcome: events.OutcomeAllow}, 0},
		"deny":     {events.PolicyRule{Outcome: events.OutcomeDeny}, 0},
	} {
		t.Run(outcome, func(t *testing.T) {
			is := is.New(t)
			policies := New(eventlog.NewMemory(events.NewRegistry()))
			_, err := policies.Decide(t.Context(), eventlog.Meta{CommandID: "c", Actor: "user/ann", Time: monday}, func(s policy.State) ([]events.Event, error) {
				return policy.Create(s, policy.Policy{ID: "p", Name: "p", Rule: c.rule})
			})
			is.NoErr(err)
			looked := 0
			ask := func(context.Context) (Request, error) { r := request(); r.Last = nil; return r, nil }
			last := func(context.Context) ([]Past, error) { looked++; return request().Last, nil }
			j, err := policies.Judge(t.Context(), false, ask, last)
			is.NoErr(err)
			is.Equal(looked, c.looked)
			is.Equal(strings.Contains(string(j.Context), "ROLLED_BACK"), c.looked > 0) // which is kept
		})
	}
}

// TestWhatPoliciesCannotSee is told, and nothing is judged.
func TestWhatPoliciesCannotSee(t *testing.T) {
	is := is.New(t)
	policies := New(eventlog.NewMemory(events.NewRegistry()))
	deny := events.PolicyRule{Outcome: events.OutcomeDeny, Condition: "last_deployments.size() == 1"}
	_, err := policies.Decide(t.Context(), eventlog.Meta{CommandID: "c", Actor: "user/ann", Time: monday}, func(s policy.State) ([]events.Event, error) {
		return policy.Create(s, policy.Policy{ID: "p", Name: "p", Rule: deny})
	})
	is.NoErr(err)
	fault := errors.New("nothing to be read")
	fine := func(context.Context) (Request, error) { return request(), nil }
	for _, c := range []struct {
		ask  func(context.Context) (Request, error)
		last func(context.Context) ([]Past, error)
	}{
		{func(context.Context) (Request, error) { return Request{}, fault }, nil},
		{fine, func(context.Context) ([]Past, error) { return nil, fault }},
	} {
		j, err := policies.Judge(t.Context(), false, c.ask, c.last)
		is.True(errors.Is(err, fault))
		is.Equal(j, nil)
	}
	large := func(context.Context) (Request, error) {
		r := request()
		r.Revision.Description = strings.Repeat("x", maxContext)
		return r, nil
	}
	_, err = policies.Judge(t.Context(), false, large, func(context.Context) ([]Past, error) { return nil, nil })
	is.True(err != nil) // it is too large
	corrupt := app.Request{DeploymentApprovalRequested: events.DeploymentApprovalRequested{Deployment: "d", Context: []byte("{")}}
	_, _, err = policies.Holds(t.Context(), []app.Request{corrupt}, monday)
	is.True(err != nil && strings.HasPrefix(err.Error(), "deployment d: what policies saw: "))
}
