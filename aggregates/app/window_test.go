package app_test

import (
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/aggregates/app"
	"slipway/events"
)

// window is a policy that lets no requested deployment begin for a while: for the laws, what the policies say at any time.
type window struct {
	from, to time.Time // to is zero: for ever
}

// drawWindow draws none, one about now, or one that never ends.
func drawWindow(t *rapid.T, now time.Time) window {
	from := now.Add(time.Duration(rapid.IntRange(-100, 300).Draw(t, "opens")) * time.Second)
	switch rapid.SampledFrom([]string{"none", "while", "while", "ever"}).Draw(t, "window") {
	case "while":
		return window{from, from.Add(time.Duration(rapid.IntRange(1, 500).Draw(t, "open")) * time.Second)}
	case "ever":
		return window{from: from}
	}
	return window{}
}

// hold is what the policy says at a moment.
func (w window) hold(at time.Time) app.Hold {
	if w.from.IsZero() || at.Before(w.from) || !w.to.IsZero() && !at.Before(w.to) {
		return app.Hold{}
	}
	return app.Hold{Policy: "w", Name: "freeze", Until: w.to}
}

func (w *world) brakes(at time.Time) app.Brakes {
	b := app.Brakes{Halt: w.halt, Holds: app.Holds{}}
	for _, r := range w.state.Requests {
		b.Holds[r.Deployment] = w.window.hold(at)
	}
	return b
}

func holds(e events.Event) bool { return e.Type() == events.TypeDeploymentHeld }

// freeze holds a request until so long after now; no time is for ever.
func freeze(id events.DeploymentID, after time.Duration) app.Brakes {
	h := app.Hold{Policy: "f", Name: "freeze", Reason: "year end"}
	if after > 0 {
		h.Until = now.Add(after)
	}
	return app.Brakes{Holds: app.Holds{id: h}}
}

// approved is an app with a request that everybody has agreed to, by a policy.
func approved(t testing.TB, v events.PolicyVerdict) (app.State, events.DeploymentID) {
	t.Helper()
	s := ask(t, running(t, 2), "wish", v)
	id := s.Requests[0].Deployment
	decided, err := app.ApproveDeployment(s, manager("bob", id))
	return must(t, s, decided, err), id
}

// TestAWindowCameInBetween: what is approved by then waits, says so once, and begins when the window is over, though the
// time for answers is over too.
func TestAWindowCameInBetween(t *testing.T) {
	is := is.New(t)
	s, id := approved(t, needs(1))
	held := app.Proceed(s, nil, app.Quota{}, freeze(id, 3*time.Hour), now)
	is.Equal(held, []events.Event{events.DeploymentHeld{
		App: appID, Deployment: id, Policy: "f", Name: "freeze", Reason: "year end", Until: now.Add(3 * time.Hour), At: now,
	}, events.DeploymentErrorRecorded{
		App: appID, Deployment: id, Error: "policy freeze holds it until 2026-11-22T12:00:00Z: year end",
	}})
	before := s.Webs()
	s = must(t, s, held, nil)
	is.Equal(s.Webs(), before)                                                                        // no process is touched
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, freeze(id, 3*time.Hour), now.Add(time.Minute))), 0) // once
	due, _ := app.Deadline(s, nil, now)
	is.Equal(due, now.Add(3*time.Hour))
	other := freeze(id, 3*time.Hour)
	for _, edit := range []func(*app.Hold){
		func(h *app.Hold) { h.Policy = "g" }, func(h *app.Hold) { h.Name = "frost" }, func(h *app.Hold) { h.Reason = "flood" },
	} {
		h := other.Holds[id]
		edit(&h)
		brakes := app.Brakes{Holds: app.Holds{id: h}}
		is.Equal(len(app.Proceed(s, nil, app.Quota{}, brakes, now.Add(time.Minute))), 2) // another holds it, or in other words
	}
	longer := app.Proceed(s, nil, app.Quota{}, freeze(id, 4*time.Hour), now.Add(time.Minute))
	is.Equal(len(longer), 2) // the policy says otherwise now, and that is told
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now.Add(3*time.Hour)), nil)
	is.Equal(s.Deployment.ID(), id)
}

// TestAClockThatIsBehind decides nothing about what another updater has looked at later: the two would take turns.
func TestAClockThatIsBehind(t *testing.T) {
	is := is.New(t)
	s, id := approved(t, needs(1))
	ahead := now.Add(time.Second)
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, freeze(id, time.Hour), ahead), nil)
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now)), 0)
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, freeze(id, 2*time.Hour), now)), 0)
	due, _ := app.Deadline(s, nil, now)
	is.Equal(due, ahead) // it looks again then
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, ahead), nil)
	is.Equal(s.Deployment.ID(), id)
}

// TestHeldForEver is denied, with the policy's words; whoever would start it gets to know in the same way.
func TestHeldForEver(t *testing.T) {
	is := is.New(t)
	s, id := approved(t, needs(1))
	want := []events.Event{events.DeploymentDenied{
		App: appID, Deployment: id, By: events.ActorPolicy, Policy: "f", Reason: "policy freeze denies it: year end", At: now,
	}}
	is.Equal(app.Proceed(s, nil, app.Quota{}, freeze(id, 0), now), want)
	byHand, err := app.StartDeployment(s, app.Steer{Deployment: id, Now: now}, app.Quota{}, freeze(id, 0))
	is.NoErr(err)
	is.Equal(byHand, want)
	silent := app.Brakes{Holds: app.Holds{id: {Policy: "f", Name: "freeze"}}}
	denied := app.Proceed(s, nil, app.Quota{}, silent, now)[0].(events.DeploymentDenied)
	is.Equal(denied.Reason, "policy freeze denies it: it would be held for ever")
}

// TestStartInAWindow is refused, and says which policy and until when; a halt comes before it.
func TestStartInAWindow(t *testing.T) {
	is := is.New(t)
	byHand := needs(1)
	byHand.ManualStart = true
	s, id := approved(t, byHand)
	is.Equal(len(app.Beginning(s, "")), 0) // nothing asks by itself
	is.Equal(app.Beginning(s, id)[0].Deployment, id)
	start := func(b app.Brakes) ([]events.Event, error) {
		return app.StartDeployment(s, app.Steer{Deployment: id, Now: now}, app.Quota{}, b)
	}
	_, err := start(freeze(id, time.Hour))
	is.Equal(message(err), "Cannot start the deployment: policy freeze holds it until 2026-11-22T10:00:00Z: year end")
	halted := freeze(id, 0)
	halted.Halt = app.Halt{ID: "h", Reason: "incident", By: "user/bob"}
	_, err = start(halted)
	is.Equal(message(err), "Cannot start the deployment: rollouts are halted by user/bob: incident")
	decided, err := start(freeze("another", time.Hour))
	s = must(t, s, decided, err)
	is.Equal(s.Deployment.ID(), id)
}

// TestOneThatIsHeldKeepsNoOther from beginning.
func TestOneThatIsHeldKeepsNoOther(t *testing.T) {
	is := is.New(t)
	s, first := approved(t, needs(1))
	is.Equal(len(app.Beginning(s, "")), 1) // it is one to be asked about
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, freeze(first, time.Hour), now), nil)
	s = ask(t, s, "another", needs(1))
	second := s.Requests[1].Deployment
	is.Equal(len(app.Beginning(s, "")), 1) // one that waits for people is not
	decided, err := app.ApproveDeployment(s, manager("bob", second))
	s = must(t, s, decided, err)
	newer := must(t, s, app.Proceed(s, nil, app.Quota{}, freeze(first, time.Hour), now), nil)
	is.Equal(newer.Deployment.ID(), second)
	held := app.Brakes{Holds: app.Holds{second: freeze(second, time.Hour).Holds[second]}}
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, held, now), nil) // the newest is looked at first, and says that it is held
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, held, now), nil)
	is.Equal(s.Deployment.ID(), first)
}

// TestAssignAsPoliciesSay: to bring another version without a deployment is refused as one would wait, in words that help; the
// first version, and the one that is there, are nobody's business.
func TestAssignAsPoliciesSay(t *testing.T) {
	until := now.Add(time.Hour)
	for name, c := range map[string]struct {
		verdicts []events.PolicyVerdict
		want     string
	}{
		"nothing": {nil, ""},
		"allow":   {[]events.PolicyVerdict{{Name: "p", Outcome: events.OutcomeAllow}}, ""},
		"deny": {
			[]events.PolicyVerdict{needs(1), {Name: "p", Outcome: events.OutcomeDeny, Reason: "no"}},
			"Cannot assign the droplet: policy p denies it: no. " +
				"Deploy it instead (POST /v3/deployments, cf push --strategy rolling) if the policy lets you.",
		},
		"approval": {
			[]events.PolicyVerdict{{Name: "p", Outcome: events.OutcomeHold, Until: until}, needs(2)},
			"Cannot assign the droplet: policy production wants it approved by 2 of space_manager, user/eve. " +
				"Deploy it instead (POST /v3/deployments, cf push --strategy rolling): a deployment can be approved.",
		},
		"approval for a reason": {
			[]events.PolicyVerdict{{Name: "p", Outcome: events.OutcomeApproval, Needed: 1, Approvers: []string{"admin"}, Reason: "year end"}},
			"Cannot assign the droplet: policy p wants it approved by 1 of admin: year end. " +
				"Deploy it instead (POST /v3/deployments, cf push --strategy rolling): a deployment can be approved.",
		},
		"hold": {
			[]events.PolicyVerdict{{Name: "over", Outcome: events.OutcomeHold, Until: now}, {Name: "p", Outcome: events.OutcomeHold, Reason: "year end", Until: until}},
			"Cannot assign the droplet: policy p holds it until 2026-11-22T10:00:00Z: year end. " +
				"Deploy it instead (POST /v3/deployments, cf push --strategy rolling): a deployment begins by itself then.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			assign := func(s app.State, version int) ([]events.Event, error) {
				return app.AssignDroplet(s, app.Assignment{
					ID: "c", Droplet: *droplet(version), Now: now, Judgement: &app.Judgement{Verdicts: c.verdicts},
				})
			}
			decided, err := assign(running(t, 1), 2)
			is.Equal(err == nil, c.want == "")
			is.Equal(len(decided) > 0, c.want == "")
			if err != nil {
				is.Equal(message(err), c.want)
			}
			_, err = assign(running(t, 1), 1)
			is.NoErr(err) // it is there already
			made, err := app.CreateApp(app.State{}, app.Create{ID: appID, Name: "hello", Space: "default"})
			_, err = assign(must(t, app.State{}, made, err), 1)
			is.NoErr(err) // it replaces nothing
		})
	}
}
