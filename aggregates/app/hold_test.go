package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
)

// TestEventsOfHalts: they say which halt, until when, and what people read.
func TestEventsOfHalts(t *testing.T) {
	is := is.New(t)
	s := deploy(t, running(t, 2), 2, 1)
	id := s.Deployment.ID()
	halted := app.ApplyHalt(s, incident, now)
	is.Equal(halted, []events.Event{
		events.DeploymentHalted{
			App: appID, Deployment: id, Halt: "h", Reason: "incident 42", By: "user/bob", Until: incident.Until,
		},
		events.DeploymentErrorRecorded{
			App: appID, Deployment: id, Error: "rollouts are halted by user/bob until 2026-11-22T10:00:00Z: incident 42",
		},
	})
	is.Equal(app.ApplyHalt(must(t, s, halted, nil), app.Halt{}, now), []events.Event{
		events.DeploymentResumed{App: appID, Deployment: id, At: now}, events.DeploymentErrorRecorded{App: appID, Deployment: id},
	})
}

// TestNoHaltHoldsTheWayBack: to cancel and to roll back is the safe way.
func TestNoHaltHoldsTheWayBack(t *testing.T) {
	for name, steer := range map[string]func(app.State, app.Steer) ([]events.Event, error){
		"cancel": app.CancelDeployment, "roll back": app.RollBackDeployment,
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			v := rollOut(t, 4, app.CreateDeployment{})
			v.fresh(1, 0, 0)
			v.tick()
			v.steer(steer)
			is.True(v.s.Deployment != nil)                        // it is on its way back
			is.Equal(len(app.ApplyHalt(v.s, incident, v.now)), 0) // and goes on
		})
	}
}

// TestTimeGoesOnInAHalt: a pause or a bake whose time has passed meanwhile ends in the moment in which the halt does.
func TestTimeGoesOnInAHalt(t *testing.T) {
	for name, c := range map[string]struct {
		strategy string
		options  events.DeploymentOptions
	}{
		"pause": {events.StrategyCanary, events.DeploymentOptions{CanaryPauses: []events.Pause{{Seconds: 60, Then: events.ThenContinue}}}},
		"bake":  {events.StrategyBlueGreen, events.DeploymentOptions{Bake: 60}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			v := rollOut(t, 1, app.CreateDeployment{Strategy: c.strategy, Options: c.options})
			v.healthy()
			v.tick()
			v.s = must(v, v.s, app.ApplyHalt(v.s, incident, v.now), nil)
			v.wait(time.Minute)
			is.Equal(len(v.tick()), 0) // it stands still
			v.s = must(v, v.s, app.ApplyHalt(v.s, app.Halt{}, v.now), nil)
			v.tick()
			is.Equal(v.outcome(), app.ReasonDeployed)
		})
	}
}

// TestVersionsAreRejectedWithAReason, one by one, so many and no more; the same again decides nothing.
func TestVersionsAreRejectedWithAReason(t *testing.T) {
	is := is.New(t)
	s := running(t, 1)
	const by = events.Actor("user/bob")
	reject := func(v app.Version, reason string) ([]events.Event, error) { return app.RejectVersion(s, v, reason, by) }
	long := strings.Repeat("x", 1024)
	for _, c := range []struct {
		version app.Version
		reason  string
		want    string
	}{
		{app.Version{}, "slow", "Name either a droplet or a revision"},
		{app.Version{Droplet: "d", Revision: "r"}, "slow", "Name either a droplet or a revision"},
		{app.Version{Droplet: "d"}, "", "Reason must have 1 to 1024 characters"},
		{app.Version{Droplet: "d"}, long + "x", "Reason must have 1 to 1024 characters"},
	} {
		_, err := reject(c.version, c.reason)
		is.Equal(message(err), c.want)
	}
	decided, err := reject(app.Version{Revision: "r1"}, long)
	is.NoErr(err)
	is.Equal(decided, []events.Event{events.VersionRejected{App: appID, Revision: "r1", Reason: long, By: by}})
	s = must(t, s, decided, nil)
	again, err := reject(app.Version{Revision: "r1"}, long)
	is.NoErr(err)
	is.Equal(len(again), 0)
	other, err := reject(app.Version{Revision: "r1"}, "it loses orders")
	is.NoErr(err)
	is.Equal(len(other), 1) // for another reason
	decided, err = app.AcceptVersion(s, app.Version{Revision: "r1"}, by)
	is.NoErr(err)
	is.Equal(decided, []events.Event{events.VersionAccepted{App: appID, Revision: "r1", By: by}})
	again, err = app.AcceptVersion(s, app.Version{Droplet: "r1"}, by)
	is.NoErr(err)
	is.Equal(len(again), 0) // it was not rejected
	for i := range 499 {
		decided, err = reject(app.Version{Droplet: events.DropletID(fmt.Sprint(i))}, "slow")
		s = must(t, s, decided, err)
	}
	_, err = reject(app.Version{Droplet: "one more"}, "slow")
	is.Equal(message(err), "The app has 500 rejected versions, the most it can have: accept one first")
}

// TestAutomationIsHeldOnce, by a person who goes back, and let go once.
func TestAutomationIsHeldOnce(t *testing.T) {
	is := is.New(t)
	back := func(s app.State, by events.Actor) (held []events.Event) {
		decided, err := app.RollBackDeployment(s, app.Steer{Deployment: s.Deployment.ID(), By: by, Now: now})
		is.NoErr(err)
		for _, e := range decided {
			if e.Type() == events.TypeAutomationHeld {
				held = append(held, e)
			}
		}
		return held
	}
	s := rollOut(t, 1, app.CreateDeployment{}).s
	held := events.AutomationHeld{
		App: appID, Reason: "user/a went back to an earlier version by hand", By: "user/a", At: now,
	}
	is.Equal(back(s, "user/a"), []events.Event{held})
	is.Equal(len(back(s, events.ActorUpdater)), 0) // no person
	s = app.Evolve(s, held)
	is.Equal(len(back(s, "user/b")), 0) // it is held already
	released, err := app.ReleaseAutomation(s, "user/b")
	is.NoErr(err)
	is.Equal(released, []events.Event{events.AutomationReleased{App: appID, By: "user/b"}})
	again, err := app.ReleaseAutomation(must(t, s, released, nil), "user/b")
	is.NoErr(err)
	is.Equal(len(again), 0)
}

// TestGovernanceOfNoApp is refused.
func TestGovernanceOfNoApp(t *testing.T) {
	is := is.New(t)
	for _, decide := range []func() ([]events.Event, error){
		func() ([]events.Event, error) {
			return app.RejectVersion(app.State{}, app.Version{Droplet: "d"}, "slow", "user/bob")
		},
		func() ([]events.Event, error) {
			return app.AcceptVersion(app.State{}, app.Version{Droplet: "d"}, "user/bob")
		},
		func() ([]events.Event, error) { return app.ReleaseAutomation(app.State{}, "user/bob") },
		func() ([]events.Event, error) {
			return app.AssignDroplet(app.State{}, app.Assignment{ID: "c", Droplet: *droplet(1)})
		},
	} {
		_, err := decide()
		is.Equal(message(err), "App not found")
	}
}

// TestAssignIsHeldLikeADeployment: by a halt, and for automation by a person who went back; a droplet of another app, or one that
// is there already, changes nothing.
func TestAssignIsHeldLikeADeployment(t *testing.T) {
	is := is.New(t)
	s := app.Evolve(running(t, 1), events.AutomationHeld{App: appID, Reason: "user/a went back"})
	assign := func(c app.Assignment) ([]events.Event, error) {
		c.ID, c.Now = "c", now
		return app.AssignDroplet(s, c)
	}
	_, err := assign(app.Assignment{Droplet: *droplet(2), Halt: incident})
	is.Equal(message(err), "Cannot assign the droplet: rollouts are halted by user/bob until 2026-11-22T10:00:00Z: incident 42")
	_, err = assign(app.Assignment{Droplet: *droplet(2), Automation: true})
	is.Equal(message(err), "Automation may not deploy this app: user/a went back. A person has to let it first (POST /v3/apps/app-1/actions/release_automation).")
	_, err = assign(app.Assignment{Droplet: app.Droplet{ID: "droplet-2", App: "another", Staged: true}})
	is.Equal(message(err), "Unable to assign current droplet. Ensure the droplet exists and belongs to this app.")
	_, err = assign(app.Assignment{Droplet: app.Droplet{App: appID, Staged: true}})
	is.Equal(message(err), "Unable to assign current droplet. Ensure the droplet exists and belongs to this app.")
	decided, err := assign(app.Assignment{Droplet: *droplet(1), Halt: incident})
	is.NoErr(err)
	is.Equal(len(decided), 0)
	decided, err = assign(app.Assignment{Droplet: *droplet(2)})
	is.NoErr(err)
	is.Equal(types(decided), []events.Type{events.TypeAppDropletAssigned}) // without policies nothing is asked
}

// TestAStopEndsWhatAskedForMore than Cloud Foundry knows, each in its own way.
func TestAStopEndsWhatAskedForMore(t *testing.T) {
	for name, c := range map[string]app.CreateDeployment{
		"on failure": {Options: events.DeploymentOptions{Guard: events.Guard{OnFailure: events.ThenRollback}}},
		"group":      {Group: "g"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			v := rollOut(t, 1, c)
			id := v.s.Deployment.ID()
			v.healthy()
			v.tick()
			stopped, err := app.StopApp(v.s)
			is.NoErr(err)
			is.Equal(stopped, []events.Event{events.AppStopped{App: appID}, events.DeploymentDeleted{App: appID, Deployment: id}})
			decided, err := app.StopApp(app.Evolve(v.s, stopped[1]))
			is.NoErr(err)
			is.Equal(decided, stopped[:1]) // it ends once
		})
	}
}

// TestAStopEndsWhatWasAskedFor: what waited for an approval is none of Cloud Foundry's, either.
func TestAStopEndsWhatWasAskedFor(t *testing.T) {
	is := is.New(t)
	s, id := approved(t, needs(1))
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now), nil)
	s = app.Evolve(s, events.DeploymentDeployed{App: appID, Deployment: id})
	stopped, err := app.StopApp(s)
	is.NoErr(err)
	is.Equal(stopped, []events.Event{events.AppStopped{App: appID}, events.DeploymentDeleted{App: appID, Deployment: id}})
	s = deploy(t, s, 3, 1)
	s = app.Evolve(s, events.DeploymentDeployed{App: appID, Deployment: s.Deployment.ID()})
	stopped, err = app.StopApp(s)
	is.NoErr(err)
	is.Equal(len(stopped), 1) // a plain rollout serves now
}
