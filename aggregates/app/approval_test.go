package app_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
)

// needs is a policy that asks for so many approvals of space managers.
func needs(n int) events.PolicyVerdict {
	return events.PolicyVerdict{
		Policy: "p1", Name: "production", Outcome: events.OutcomeApproval, Needed: n, Approvers: []string{"space_manager", "user/eve"},
		Expires: now.Add(time.Hour),
	}
}

// ask asks for a rollout of version 2 that the policies say this of.
func ask(t testing.TB, s app.State, id events.CommandID, verdicts ...events.PolicyVerdict) app.State {
	t.Helper()
	decided, err := app.DeployApp(s, app.CreateDeployment{
		ID: id, Droplet: droplet(2), Now: now, By: "user/alice", Judgement: &app.Judgement{Verdicts: verdicts, Context: []byte(`{}`)},
	})
	return must(t, s, decided, err)
}

func manager(name string, id events.DeploymentID) app.Answer {
	return app.Answer{Deployment: id, By: events.Actor("user/" + name), Roles: []string{"space_manager"}, Now: now}
}

func TestNothingMovesBeforeItIsApproved(t *testing.T) {
	is := is.New(t)
	s := ask(t, running(t, 2), "wish", needs(2))
	id := s.Requests[0].Deployment
	is.True(s.Deployment == nil)
	is.Equal(len(s.Webs()), 1)                                            // nothing was made
	is.Equal(s.Droplet, events.DropletID("droplet-1"))                    // nothing is current that was not
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now)), 0) // nothing follows
	decided, err := app.ApproveDeployment(s, manager("bob", id))
	s = must(t, s, decided, err)
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now)), 0) // one of two
	again, err := app.ApproveDeployment(s, manager("bob", id))
	is.NoErr(err)
	is.Equal(len(again), 0) // the same person counts once
	decided, err = app.ApproveDeployment(s, app.Answer{Deployment: id, By: "user/eve", Now: now})
	s = must(t, s, decided, err)
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now), nil) // it starts by itself
	is.Equal(s.Deployment.ID(), id)
	is.Equal(len(s.Requests), 0)
	is.Equal(s.Deployment.StartedAt, now)
}

func TestWhoMayAnswer(t *testing.T) {
	is := is.New(t)
	s := ask(t, running(t, 2), "wish", needs(1))
	id := s.Requests[0].Deployment
	refused := func(c app.Answer, want string) {
		t.Helper()
		decided, err := app.ApproveDeployment(s, c)
		is.Equal(len(decided), 0)
		is.Equal(message(err), want)
		var rejected *aggregates.RejectedError
		is.True(errors.As(err, &rejected))
		is.Equal(rejected.Code, aggregates.CodeForbidden)
	}
	refused(app.Answer{Deployment: id, By: "user/bob", Roles: []string{"space_developer"}, Now: now},
		"Cannot approve the deployment: only space_manager, user/eve may")
	refused(manager("alice", id), "Cannot approve the deployment: nobody approves what they asked for themselves")
	windowed := ask(t, running(t, 2), "held", events.PolicyVerdict{Policy: "w", Name: "office", Outcome: events.OutcomeHold, Until: now.Add(time.Hour)})
	_, err := app.DenyDeployment(windowed, manager("bob", windowed.Requests[0].Deployment))
	is.Equal(message(err), "Cannot deny the deployment: no policy asks anybody about it; to take it back, cancel it")
	own := needs(1)
	own.SelfApproval = true
	s = ask(t, running(t, 2), "own", own)
	decided, err := app.ApproveDeployment(s, manager("alice", s.Requests[0].Deployment))
	is.NoErr(err)
	is.Equal(len(decided), 1) // the policy says so
}

func TestADenialIsFinal(t *testing.T) {
	is := is.New(t)
	s := ask(t, running(t, 2), "wish", needs(2))
	id := s.Requests[0].Deployment
	no := manager("bob", id)
	no.Comment = "not on a Friday"
	decided, err := app.DenyDeployment(s, no)
	s = must(t, s, decided, err)
	is.Equal(s.Ended[len(s.Ended)-1], app.Ended{ID: id, Reason: app.ReasonDenied})
	_, err = app.ApproveDeployment(s, manager("eve", id))
	is.Equal(message(err), "Cannot approve a deployment with status: FINALIZED and reason: CREATING_APPROVAL_DENIED")
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now.Add(48*time.Hour))), 0)
}

func TestAPolicyDenies(t *testing.T) {
	is := is.New(t)
	decided, err := app.DeployApp(running(t, 1), app.CreateDeployment{
		ID: "wish", Droplet: droplet(2), Now: now, By: "user/alice", Judgement: &app.Judgement{Verdicts: []events.PolicyVerdict{
			needs(1), {Policy: "p2", Name: "no strangers", Outcome: events.OutcomeDeny, Reason: "actor is not on the list"},
		}},
	})
	is.NoErr(err)
	is.Equal(len(decided), 3) // the request, what it would bring, and that it is denied
	denied := decided[2].(events.DeploymentDenied)
	is.Equal(denied.Policy, events.PolicyID("p2"))
	is.Equal(denied.Reason, "policy no strangers denies it: actor is not on the list")
}

func TestNobodyAnswersInTime(t *testing.T) {
	is := is.New(t)
	s := ask(t, running(t, 1), "wish", needs(1))
	id := s.Requests[0].Deployment
	due, ok := app.Deadline(s, nil, now)
	is.True(ok)
	is.Equal(due, now.Add(time.Hour))
	_, err := app.ApproveDeployment(s, app.Answer{Deployment: id, By: "user/eve", Now: due})
	is.Equal(message(err), "Cannot approve the deployment: the time for answers is over since 2026-11-22T10:00:00Z")
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, due), nil)
	is.Equal(s.Ended[len(s.Ended)-1], app.Ended{ID: id, Reason: app.ReasonCanceled})
}

// TestAWindowHolds: it starts by itself when the window is over, and says when that is.
func TestAWindowHolds(t *testing.T) {
	is := is.New(t)
	freeze := events.PolicyVerdict{Policy: "p1", Name: "freeze", Outcome: events.OutcomeHold, Until: now.Add(3 * time.Hour)}
	s := ask(t, running(t, 1), "wish", freeze)
	id := s.Requests[0].Deployment
	due, _ := app.Deadline(s, nil, now)
	is.Equal(due, freeze.Until)
	held := app.Brakes{Holds: app.Holds{id: {Policy: "p1", Name: "freeze", Until: freeze.Until}}}
	_, err := app.StartDeployment(s, app.Steer{Deployment: id, Now: now}, app.Quota{}, held)
	is.Equal(message(err), "Cannot start the deployment: policy freeze holds it until 2026-11-22T12:00:00Z")
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, held, now)), 0) // that was said already
	is.Equal(len(app.Beginning(s, "")), 1)                        // whoever considers it asks whether that is still so
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, due), nil)
	is.Equal(s.Deployment.ID(), id)
}

// TestApprovedIsNotStarted: approving and starting are two facts where the policy says so.
func TestApprovedIsNotStarted(t *testing.T) {
	is := is.New(t)
	byHand := needs(1)
	byHand.ManualStart = true
	s := ask(t, running(t, 1), "wish", byHand)
	id := s.Requests[0].Deployment
	_, err := app.StartDeployment(s, app.Steer{Deployment: id, Now: now}, app.Quota{}, app.Brakes{})
	is.Equal(message(err), "Cannot start the deployment: it waits for approval")
	decided, err := app.ApproveDeployment(s, manager("bob", id))
	s = must(t, s, decided, err)
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now.Add(48*time.Hour))), 0)
	decided, err = app.StartDeployment(s, app.Steer{Deployment: id, Now: now}, app.Quota{}, app.Brakes{})
	s = must(t, s, decided, err)
	is.Equal(s.Deployment.ID(), id)
}

// TestANewerRolloutTakesOverFromWhatWaits: to begin it later would bring back what is older.
func TestANewerRolloutTakesOverFromWhatWaits(t *testing.T) {
	is := is.New(t)
	s := ask(t, running(t, 1), "wish", needs(1))
	id := s.Requests[0].Deployment
	s = deploy(t, s, 3, 1)
	is.Equal(len(s.Requests), 0)
	is.Equal(s.Ended[len(s.Ended)-1], app.Ended{ID: id, Reason: app.ReasonSuperseded})
}

func TestWithdraw(t *testing.T) {
	is := is.New(t)
	s := ask(t, running(t, 1), "wish", needs(1))
	decided, err := app.CancelDeployment(s, app.Steer{Deployment: s.Requests[0].Deployment, By: "user/alice", Now: now})
	s = must(t, s, decided, err)
	is.Equal(len(s.Requests), 0)
	is.Equal(s.Ended[len(s.Ended)-1].Reason, app.ReasonCanceled)
}

// TestHalt: nothing goes on while it is in force, but old instances come back where new ones fail; then it goes on where it was.
func TestHalt(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 4, app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 2}})
	v.healthy()
	v.tick()
	old, fresh := sizes(v.s)
	is.Equal([]int{old, fresh}, []int{2, 4})
	halt := app.Halt{ID: "h", Reason: "incident 42", By: "user/bob", Until: now.Add(time.Hour)}
	v.s = must(t, v.s, app.ApplyHalt(v.s, halt, v.now), nil)
	is.Equal(len(app.ApplyHalt(v.s, halt, v.now)), 0)
	is.Equal(v.s.Deployment.Error, "rollouts are halted by user/bob until 2026-11-22T10:00:00Z: incident 42")
	v.s = must(t, v.s, app.ApplyHalt(v.s, app.Halt{ID: "g", Reason: "flood", By: "user/eve"}, v.now), nil)
	is.Equal(v.s.Deployment.Error, "rollouts are halted by user/eve: flood") // another took over
	v.s = must(t, v.s, app.ApplyHalt(v.s, halt, v.now), nil)
	v.healthy()
	is.Equal(len(v.tick()), 0) // all are healthy, and nothing goes on
	v.fresh(0, 0, 4)
	v.tick()
	old, fresh = sizes(v.s)
	is.Equal([]int{old, fresh}, []int{4, 4}) // the capacity is looked after
	_, err := app.ContinueDeployment(v.s, app.Steer{Deployment: v.s.Deployment.ID(), Now: v.now})
	is.Equal(message(err), "Cannot continue the deployment: rollouts are halted by user/bob until 2026-11-22T10:00:00Z: incident 42")
	v.s = must(t, v.s, app.ApplyHalt(v.s, app.Halt{}, v.now), nil)
	is.Equal(v.s.Deployment.Error, "")
	v.healthy()
	v.tick()
	is.Equal(v.outcome(), app.ReasonDeployed)
	_, err = app.DeployApp(v.s, app.CreateDeployment{ID: "c", Droplet: droplet(3), Halt: halt.Text()})
	is.Equal(message(err), halt.Text()) // none begins
}

func TestRejectedVersions(t *testing.T) {
	is := is.New(t)
	s := running(t, 1)
	reject := func(v app.Version) {
		decided, err := app.RejectVersion(s, v, "it loses orders", "user/bob")
		s = must(t, s, decided, err)
	}
	reject(app.Version{Droplet: "droplet-2"})
	_, err := app.DeployApp(s, app.CreateDeployment{ID: "c", Droplet: droplet(2)})
	is.Equal(message(err), "Droplet droplet-2 is rejected: it loses orders. Deploy another one, or accept it first (POST /v3/droplets/droplet-2/actions/accept).")
	_, err = app.AssignDroplet(s, app.Assignment{ID: "c", Droplet: *droplet(2)})
	is.Equal(message(err), "Droplet droplet-2 is rejected: it loses orders. Deploy another one, or accept it first (POST /v3/droplets/droplet-2/actions/accept).")
	reject(app.Version{Revision: "r1"})
	_, err = app.DeployApp(s, app.CreateDeployment{ID: "c", Droplet: droplet(1), Revision: &events.RevisionCreated{Revision: "r1", Droplet: "droplet-1"}})
	is.Equal(message(err), "Revision r1 is rejected: it loses orders. Deploy another one, or accept it first (POST /v3/revisions/r1/actions/accept).")
	decided, err := app.AcceptVersion(s, app.Version{Droplet: "droplet-2"}, "user/bob")
	s = must(t, s, decided, err)
	_, err = app.DeployApp(s, app.CreateDeployment{ID: "c", Droplet: droplet(2)})
	is.NoErr(err)
}

// TestARejectedVersionIsRestarted where it ran before; one that was assigned and has not run yet is not.
func TestARejectedVersionIsRestarted(t *testing.T) {
	is := is.New(t)
	s := running(t, 1)
	do := func(decided []events.Event, err error) {
		t.Helper()
		s = must(t, s, decided, err)
	}
	do(app.RejectVersion(s, app.Version{Droplet: "droplet-1"}, "it loses orders", "user/bob"))
	do(app.RestartApp(s, "r", app.Quota{}, now))
	do(app.StopApp(s)) // the cf CLI restarts so
	do(app.StartApp(s, "s", app.Quota{}, now))

	do(app.AssignDroplet(s, app.Assignment{ID: "a", Droplet: *droplet(2)}))
	do(app.RejectVersion(s, app.Version{Droplet: "droplet-2"}, "it leaks", "user/bob"))
	_, err := app.RestartApp(s, "r", app.Quota{}, now)
	is.True(err != nil)
	do(app.StopApp(s))
	_, err = app.StartApp(s, "s", app.Quota{}, now)
	is.True(strings.HasPrefix(message(err), "Droplet droplet-2 is rejected: it leaks."))
}

func TestAutomationWaitsAfterAManualRollback(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 1, app.CreateDeployment{Options: events.DeploymentOptions{Bake: 60}})
	v.steer(app.RollBackDeployment)
	v.healthy()
	v.tick()
	robot := app.CreateDeployment{ID: "robot", Droplet: droplet(2), By: "client/ci", Automation: true, Now: v.now}
	_, err := app.DeployApp(v.s, robot)
	is.Equal(message(err),
		"Automation may not deploy this app: user/a went back to an earlier version by hand. A person has to let it first (POST /v3/apps/"+string(v.s.ID)+"/actions/release_automation).")
	_, err = app.DeployApp(v.s, app.CreateDeployment{ID: "person", Droplet: droplet(2), By: "user/b", Now: v.now})
	is.NoErr(err) // people may
	decided, err := app.ReleaseAutomation(v.s, "user/b")
	v.s = must(t, v.s, decided, err)
	_, err = app.DeployApp(v.s, robot)
	is.NoErr(err)
}

// TestAutomationThatHasAskedBefore does not begin after a person has gone back, when its window opens; what a person has agreed to does.
func TestAutomationThatHasAskedBefore(t *testing.T) {
	window := events.PolicyVerdict{Policy: "w", Name: "office", Outcome: events.OutcomeHold, Until: now.Add(24 * time.Hour)}
	for name, c := range map[string]struct {
		verdicts []events.PolicyVerdict
		want     events.Type
	}{
		"held by a window": {[]events.PolicyVerdict{window}, events.TypeDeploymentDenied},
		"and approved":     {[]events.PolicyVerdict{window, needs(1)}, events.TypeProcessCreated},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			v := rollOut(t, 1, app.CreateDeployment{})
			decided, err := app.DeployApp(v.s, app.CreateDeployment{
				ID: "robot", Droplet: droplet(3), By: "client/ci", Automation: true, Now: v.now, Judgement: &app.Judgement{Verdicts: c.verdicts},
			})
			v.s = must(t, v.s, decided, err)
			id := v.s.Requests[0].Deployment
			if len(c.verdicts) > 1 {
				decided, err = app.ApproveDeployment(v.s, manager("bob", id))
				v.s = must(t, v.s, decided, err)
			}
			v.steer(app.RollBackDeployment)
			decided = app.Proceed(v.s, nil, app.Quota{}, app.Brakes{}, now.Add(24*time.Hour))
			is.Equal(decided[len(decided)-1].Type(), c.want)
			if denied, ok := decided[0].(events.DeploymentDenied); ok {
				is.True(strings.HasPrefix(denied.Reason, "Automation may not deploy this app: user/a went back")) // it says why
			}
		})
	}
}

// TestAPolicyThatHasItsAnswers and whose time is over keeps nobody from answering another policy.
func TestAPolicyThatHasItsAnswers(t *testing.T) {
	is := is.New(t)
	slow := needs(2)
	slow.Policy, slow.Expires = "p2", time.Time{}
	s := ask(t, running(t, 1), "wish", needs(1), slow)
	id := s.Requests[0].Deployment
	decided, err := app.ApproveDeployment(s, manager("bob", id))
	s = must(t, s, decided, err)
	eve := manager("eve", id)
	eve.Now = now.Add(2 * time.Hour)
	decided, err = app.ApproveDeployment(s, eve)
	is.NoErr(err)
	is.Equal(decided[0].(events.DeploymentApproved).Policies, []events.PolicyID{"p2"}) // the other has had its time
	s = must(t, s, decided, err)
	is.True(s.Requests[0].Granted)

	s = ask(t, running(t, 1), "wish", needs(1))
	decided, err = app.ApproveDeployment(s, manager("bob", id))
	s = must(t, s, decided, err)
	_, err = app.ApproveDeployment(s, eve)
	is.Equal(message(err), "Cannot approve the deployment: the time for answers is over since 2026-11-22T10:00:00Z")
}

// TestAStopEndsWhatServes, where the deployment was one that Cloud Foundry does not know; and only the one that serves.
func TestAStopEndsWhatServes(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 1, app.CreateDeployment{Strategy: events.StrategyAllAtOnce})
	id := v.s.Deployment.ID()
	v.healthy()
	v.tick()
	stopped, err := app.StopApp(v.s)
	is.NoErr(err)
	is.Equal(stopped, []events.Event{events.AppStopped{App: appID}, events.DeploymentDeleted{App: appID, Deployment: id}})

	v = rollOut(t, 1, app.CreateDeployment{})
	v.healthy()
	v.tick()
	stopped, err = app.StopApp(v.s)
	is.NoErr(err)
	is.Equal(stopped, []events.Event{events.AppStopped{App: appID}}) // Cloud Foundry's clients notice nothing
}
