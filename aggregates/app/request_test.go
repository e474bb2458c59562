package app_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/aggregates/plan"
	"slipway/events"
)

// asJSON is a state as a snapshot keeps it.
func asJSON(t testing.TB, s app.State) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWhatBeginsIsWhatWasAskedFor: to the last field, as if nobody had been asked. A roll-back, a stored strategy, and options
// and labels outlive the wait.
func TestWhatBeginsIsWhatWasAskedFor(t *testing.T) {
	growth := events.Growth{GrowthType: events.GrowthLinear, GrowthFactor: 50, DeploymentDurationMinutes: 10}
	for name, c := range map[string]app.CreateDeployment{
		"rolling": {Droplet: droplet(2)},
		"canary": {
			Droplet: droplet(2), Strategy: events.StrategyCanary, Options: events.DeploymentOptions{CanaryWeights: []int{20, 50}},
			Metadata: events.Metadata{Labels: map[string]string{"team": "blue"}}, Group: "g",
		},
		"stored strategy": {
			Droplet: droplet(2), Strategy: events.StrategyLinear, Stored: &app.StoredStrategy{ID: "s", Growth: growth}, Schedule: plan.FirstStepLater,
		},
		"restart":   {},
		"roll-back": {Droplet: droplet(1), Revision: &events.RevisionCreated{Revision: "r1", Number: 1, Droplet: "droplet-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			c.ID, c.By, c.Now = "wish", "user/alice", now
			s := deploy(t, running(t, 2), 3, 1)
			want, err := app.DeployApp(s, c)
			is.NoErr(err)
			c.Judgement = &app.Judgement{Verdicts: []events.PolicyVerdict{needs(1)}, Context: []byte(`{"seen":1}`)}
			decided, err := app.DeployApp(s, c)
			is.NoErr(err)
			is.Equal(types(decided), []events.Type{events.TypeDeploymentApprovalRequested, events.TypeVersionRequested})
			asked := decided[0].(events.DeploymentApprovalRequested)
			is.Equal(decided[1].(events.VersionRequested).App, appID)
			is.Equal(asked.App, appID)
			is.Equal(asked.At, now)
			is.Equal(string(asked.Context), `{"seen":1}`) // what the policies saw is kept
			s = must(t, s, decided, nil)
			decided, err = app.ApproveDeployment(s, manager("bob", asked.Deployment))
			s = must(t, s, decided, err)
			got := app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now)
			for i, e := range want { // that it was asked for first is all that differs
				if created, ok := e.(events.DeploymentCreated); ok {
					created.Requested = true
					want[i] = created
				}
			}
			is.Equal(got, want)
			is.Equal(asked.RollBackTo != "", c.Revision != nil) // people see that it is a roll-back
		})
	}
}

// TestEventsOfRequests: they say of whom, by whom, when and why.
func TestEventsOfRequests(t *testing.T) {
	is := is.New(t)
	s := ask(t, running(t, 1), "wish", needs(2))
	id := s.Requests[0].Deployment
	yes := manager("bob", id)
	yes.Comment = "looks good"
	decided, err := app.ApproveDeployment(s, yes)
	is.NoErr(err)
	is.Equal(decided, []events.Event{events.DeploymentApproved{
		App: appID, Deployment: id, By: "user/bob", Policies: []events.PolicyID{"p1"}, Comment: "looks good", At: now,
	}})
	decided, err = app.DenyDeployment(s, manager("bob", id))
	is.NoErr(err)
	is.Equal(decided, []events.Event{events.DeploymentDenied{
		App: appID, Deployment: id, By: "user/bob", Policy: "p1", Reason: "denied by user/bob", At: now,
	}})
	no := manager("bob", id)
	no.Comment = "not on a Friday"
	decided, err = app.DenyDeployment(s, no)
	is.NoErr(err)
	is.Equal(decided[0].(events.DeploymentDenied).Reason, "not on a Friday")
	approvals, err := app.ApproveDeployment(s, yes)
	s = must(t, s, approvals, err)
	decided, err = app.DenyDeployment(s, no)
	is.NoErr(err)
	is.Equal(decided[0].(events.DeploymentDenied).Policy, events.PolicyID("")) // for no policy: who agreed may think again
	late := now.Add(time.Hour)
	is.Equal(app.Proceed(s, nil, app.Quota{}, app.Brakes{}, late), []events.Event{events.DeploymentWithdrawn{
		App: appID, Deployment: id, By: events.ActorUpdater, Reason: "nobody approved it in time", At: late,
	}})
}

// TestWhatCannotBeAnswered: a denial by one who may not, and answers to what does not wait.
func TestWhatCannotBeAnswered(t *testing.T) {
	is := is.New(t)
	deny := func(s app.State, c app.Answer) string {
		decided, err := app.DenyDeployment(s, c)
		is.Equal(len(decided), 0)
		return message(err)
	}
	s := ask(t, running(t, 2), "wish", needs(1))
	id := s.Requests[0].Deployment
	is.Equal(deny(s, manager("bob", "nobody")), "Deployment not found")
	is.Equal(deny(s, app.Answer{Deployment: id, By: "user/zoe", Now: now}), "Cannot deny the deployment: only space_manager, user/eve may")
	decided, err := app.ApproveDeployment(s, manager("bob", id))
	s = must(t, s, decided, err)
	is.Equal(deny(s, manager("eve", id)), "Cannot deny the deployment: it is approved; cancel it instead")
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now), nil)
	is.Equal(deny(s, manager("eve", id)), "Cannot deny a deployment with status: ACTIVE and reason: DEPLOYING")
	is.Equal(deny(s, manager("eve", "nobody")), "Deployment not found")
}

// TestAnswersWithoutAnEnd: a policy that names no time waits for ever.
func TestAnswersWithoutAnEnd(t *testing.T) {
	is := is.New(t)
	patient := needs(1)
	patient.Expires = time.Time{}
	s := ask(t, running(t, 1), "wish", patient)
	late := manager("bob", s.Requests[0].Deployment)
	late.Now = now.Add(365 * 24 * time.Hour)
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, app.Brakes{}, late.Now)), 0)
	decided, err := app.ApproveDeployment(s, late)
	is.NoErr(err)
	is.Equal(len(decided), 1)
}

// TestSeveralPolicies: the first of the answers that are missing can come too late, the last of the windows is waited for, and
// nothing that was approved is asked for again.
func TestSeveralPolicies(t *testing.T) {
	is := is.New(t)
	approval := func(id events.PolicyID, expires time.Duration) events.PolicyVerdict {
		v := needs(1)
		v.Policy, v.Expires = id, now.Add(expires)
		return v
	}
	window := func(id events.PolicyID, until time.Duration) events.PolicyVerdict {
		return events.PolicyVerdict{Policy: id, Name: "w", Outcome: events.OutcomeHold, Until: now.Add(until), Reason: "year end"}
	}
	due := func(s app.State) time.Duration {
		at, _ := app.Deadline(s, nil, now)
		return at.Sub(now)
	}
	is.Equal(due(ask(t, running(t, 1), "w", approval("p1", 2*time.Hour), approval("p2", time.Hour), approval("p3", 3*time.Hour))), time.Hour)
	patient := needs(1)
	patient.Policy, patient.Expires = "p2", time.Time{}
	is.Equal(due(ask(t, running(t, 1), "w", approval("p1", time.Hour), patient)), time.Hour)
	s := ask(t, running(t, 1), "wish", window("w1", time.Hour), window("w2", 3*time.Hour), window("w3", 2*time.Hour))
	is.Equal(due(s), 3*time.Hour)
	still := app.Brakes{Holds: app.Holds{s.Requests[0].Deployment: {Policy: "w2", Name: "w", Until: now.Add(3 * time.Hour), Reason: "year end"}}}
	_, err := app.StartDeployment(s, app.Steer{Deployment: s.Requests[0].Deployment, Now: now}, app.Quota{}, still)
	is.Equal(message(err), "Cannot start the deployment: policy w holds it until 2026-11-22T12:00:00Z: year end")
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, still, now.Add(3*time.Hour-1))), 0)
	s = ask(t, running(t, 1), "both", window("w1", time.Hour), needs(1))
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now.Add(time.Minute))), 0)
}

// TestDeniedAtOnce: a policy that denies is enough, and one that only looked at a window that is over holds nothing.
func TestDeniedAtOnce(t *testing.T) {
	is := is.New(t)
	create := func(v events.PolicyVerdict) []events.Event {
		decided, err := app.DeployApp(running(t, 1), app.CreateDeployment{
			ID: "wish", Droplet: droplet(2), Now: now, By: "user/alice", Judgement: &app.Judgement{Verdicts: []events.PolicyVerdict{v}},
		})
		is.NoErr(err)
		return decided
	}
	decided := create(events.PolicyVerdict{Policy: "p", Name: "no", Outcome: events.OutcomeDeny})
	is.Equal(decided[len(decided)-1], events.DeploymentDenied{
		App: appID, Deployment: app.CreateDeployment{ID: "wish"}.DeploymentID(), By: events.ActorPolicy, Policy: "p",
		Reason: "policy no denies it", At: now,
	})
	for _, v := range []events.PolicyVerdict{
		{Policy: "p", Outcome: events.OutcomeHold, Until: now}, {Policy: "p", Outcome: events.OutcomeApproval, Needed: 0},
	} {
		is.True(fold(create(v)...).Deployment != nil) // it begins
	}
}

// TestTooManyWait: what is kept of requests is bounded.
func TestTooManyWait(t *testing.T) {
	is := is.New(t)
	s := running(t, 1)
	for i := range 10 {
		s = ask(t, s, events.CommandID(rune('a'+i)), needs(1))
	}
	_, err := app.DeployApp(s, app.CreateDeployment{
		ID: "one more", Droplet: droplet(2), Now: now, Judgement: &app.Judgement{Verdicts: []events.PolicyVerdict{needs(1)}},
	})
	is.Equal(message(err), "The app has 10 deployments that wait for approval, the most it can have: cancel one first")
}

// TestWhatCannotBeginAnyMore is denied by the updater, in the words in which somebody who asks now is refused.
func TestWhatCannotBeginAnyMore(t *testing.T) {
	is := is.New(t)
	s, id := approved(t, needs(1))
	decided, err := app.RejectVersion(s, app.Version{Droplet: "droplet-2"}, "it loses orders", "user/bob")
	s = must(t, s, decided, err)
	is.Equal(app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now), []events.Event{events.DeploymentDenied{
		App: appID, Deployment: id, By: events.ActorUpdater, Reason: "Droplet droplet-2 is rejected: it loses orders. Deploy another one, or accept it first (POST /v3/droplets/droplet-2/actions/accept).", At: now,
	}})
	s, _ = approved(t, needs(1))
	denied := app.Proceed(s, nil, full(), app.Brakes{}, now)[0].(events.DeploymentDenied)
	is.Equal(denied.Reason, tooMuch) // the quota of now counts
}

// full is a quota that leaves no room.
func full() app.Quota {
	limit := 1
	return app.Quota{Organization: app.QuotaScope{Name: "acme", Limits: events.QuotaLimits{MemoryMB: &limit}}}
}

// TestWhoseTimeDecides: no alarm is set for what waits for somebody to start it.
func TestWhoseTimeDecides(t *testing.T) {
	is := is.New(t)
	hold := events.PolicyVerdict{Policy: "w", Name: "w", Outcome: events.OutcomeHold, Until: now.Add(time.Hour)}
	byHand := needs(1)
	byHand.ManualStart = true
	for name, c := range map[string]struct {
		approval events.PolicyVerdict
		answered bool
		want     bool
	}{
		"granted": {needs(1), true, true}, "not granted": {needs(1), false, false}, "by hand": {byHand, true, false},
	} {
		c.approval.Expires = time.Time{}
		s := ask(t, running(t, 1), "wish", hold, c.approval)
		if c.answered {
			decided, err := app.ApproveDeployment(s, manager("bob", s.Requests[0].Deployment))
			s = must(t, s, decided, err)
		}
		_, due := app.Deadline(s, nil, now)
		t.Run(name, func(t *testing.T) { is.New(t).Equal(due, c.want) })
	}
}

// TestAFoldLeavesTheStateBeforeAlone: caches and retries hold on to it.
func TestAFoldLeavesTheStateBeforeAlone(t *testing.T) {
	is := is.New(t)
	s := ask(t, ask(t, running(t, 1), "one", needs(2)), "two", needs(2))
	id := s.Requests[0].Deployment
	s = app.Evolve(s, events.DeploymentApproved{App: appID, Deployment: id, By: "user/bob", Policies: []events.PolicyID{"p1"}})
	s = app.Evolve(s, events.VersionRejected{App: appID, Droplet: "droplet-2", Reason: "slow"})
	for _, e := range []events.Event{
		events.DeploymentApproved{App: appID, Deployment: id, By: "user/eve", Policies: []events.PolicyID{"p1", "p2"}, Granted: true},
		events.DeploymentHalted{App: appID, Deployment: id, Halt: "h"},
		events.DeploymentHeld{App: appID, Deployment: id, Policy: "w", At: now},
		events.DeploymentDenied{App: appID, Deployment: id, At: now},
		events.VersionRejected{App: appID, Droplet: "droplet-3", Reason: "slow"},
		events.VersionAccepted{App: appID, Droplet: "droplet-2"},
	} {
		before := asJSON(t, s)
		after := asJSON(t, app.Evolve(s, e))
		is.Equal(asJSON(t, s), before) // it is as it was
		is.True(after != before)       // and something became of the event
	}
}
