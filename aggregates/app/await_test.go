package app_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
)

var incident = app.Halt{ID: "h", Reason: "incident 42", By: "user/bob", Until: now.Add(time.Hour)}

// promise asks for a deployment that was promised its turn, during a halt.
func promise(t testing.TB, s app.State, verdicts ...events.PolicyVerdict) (app.State, []events.Event) {
	t.Helper()
	c := app.CreateDeployment{ID: "wave", Droplet: droplet(2), Group: "g", Now: now, By: "user/alice", Await: incident}
	if len(verdicts) > 0 {
		c.Judgement = &app.Judgement{Verdicts: verdicts}
	}
	decided, err := app.DeployApp(s, c)
	return must(t, s, decided, err), decided
}

func types(decided []events.Event) (all []events.Type) {
	for _, e := range decided {
		all = append(all, e.Type())
	}
	return all
}

// TestWhatWasPromisedWaitsForTheHalt: it says so in its first commit, and begins with the next thing that is decided afterwards.
func TestWhatWasPromisedWaitsForTheHalt(t *testing.T) {
	is := is.New(t)
	s, decided := promise(t, running(t, 2))
	is.Equal(types(decided), []events.Type{
		events.TypeDeploymentApprovalRequested, events.TypeVersionRequested, events.TypeDeploymentHalted, events.TypeDeploymentErrorRecorded,
	})
	is.Equal(decided[0].(events.DeploymentApprovalRequested).Verdicts, []events.PolicyVerdict{})
	is.Equal(decided[3].(events.DeploymentErrorRecorded).Error, "rollouts are halted by user/bob until 2026-11-22T10:00:00Z: incident 42")
	is.Equal(len(s.Webs()), 1)                                                                           // nothing was made
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, app.Brakes{Halt: incident}, now.Add(time.Minute))), 0) // and nothing follows
	over := app.Proceed(s, nil, app.Quota{}, app.Brakes{}, incident.Until)
	is.Equal(types(over), []events.Type{events.TypeDeploymentResumed, events.TypeDeploymentErrorRecorded})
	s = must(t, s, over, nil)
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, incident.Until), nil)
	is.Equal(s.Deployment.ID(), decided[0].(events.DeploymentApprovalRequested).Deployment)
	is.Equal(s.Deployment.Group, events.GroupID("g"))
}

// TestAHaltAndPolicies: people may answer during the halt, and it begins when both are done; what is denied waits for nothing.
func TestAHaltAndPolicies(t *testing.T) {
	is := is.New(t)
	s, _ := promise(t, running(t, 2), needs(1))
	decided, err := app.ApproveDeployment(s, manager("bob", s.Requests[0].Deployment))
	s = must(t, s, decided, err)
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, app.Brakes{Halt: incident}, now)), 0)
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now), nil)
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now), nil)
	is.True(s.Deployment != nil) // both are done

	_, decided = promise(t, running(t, 2), events.PolicyVerdict{Policy: "p", Name: "no", Outcome: events.OutcomeDeny})
	is.Equal(types(decided), []events.Type{
		events.TypeDeploymentApprovalRequested, events.TypeVersionRequested, events.TypeDeploymentDenied,
	})
}

// TestAHaltHoldsWhatWaits for anything else, too; of another halt that takes over it says so.
func TestAHaltHoldsWhatWaits(t *testing.T) {
	is := is.New(t)
	s := ask(t, running(t, 2), "wish", needs(1))
	s = must(t, s, app.ApplyHalt(s, incident, now), nil)
	is.Equal(s.Requests[0].Halt, incident.ID)
	is.Equal(len(app.ApplyHalt(s, incident, now)), 0)
	next := app.Halt{ID: "i", Reason: "incident 43", By: "user/eve"}
	changed := app.ApplyHalt(s, next, now)
	is.Equal(changed[0], events.DeploymentHalted{
		App: s.ID, Deployment: s.Requests[0].Deployment, Halt: "i", Reason: "incident 43", By: "user/eve",
	})
	s = must(t, s, changed, nil)
	s = must(t, s, app.ApplyHalt(s, app.Halt{}, now), nil)
	is.Equal(s.Requests[0].Halt, events.HaltID(""))
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now)), 0) // it waits for people still
}

// TestAHaltThatIsOverStaysOver, however far the clock of another updater is behind: the two would take turns until it has caught up.
func TestAHaltThatIsOverStaysOver(t *testing.T) {
	is := is.New(t)
	s, _ := promise(t, running(t, 2))
	behind := app.Brakes{Halt: incident}
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, incident.Until), nil)
	is.Equal(len(app.Proceed(s, nil, app.Quota{}, behind, incident.Until.Add(-time.Second))), 0) // it decides nothing, and lets nothing begin
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, incident.Until), nil)
	is.True(s.Deployment != nil)
	is.Equal(len(app.ApplyHalt(s, incident, incident.Until.Add(-time.Second))), 0) // nor of what has begun since
	next := app.Halt{ID: "i", Reason: "incident 43", By: "user/eve"}
	s = must(t, s, app.ApplyHalt(s, next, incident.Until), nil)
	is.Equal(s.Deployment.Halt, next.ID) // another halt holds it
}

// TestWhatWaitsIsSteered: there is nothing to go on with, and to go back is to be taken back.
func TestWhatWaitsIsSteered(t *testing.T) {
	is := is.New(t)
	s, _ := promise(t, running(t, 2))
	steer := app.Steer{Deployment: s.Requests[0].Deployment, By: "user/alice", Now: now}
	_, err := app.ContinueDeployment(s, steer)
	is.Equal(message(err), "Cannot continue a deployment with status: ACTIVE and reason: CREATING_APPROVAL")
	decided, err := app.RollBackDeployment(s, steer)
	s = must(t, s, decided, err)
	is.Equal(s.Ended[len(s.Ended)-1].Reason, app.ReasonCanceled)
	is.Equal(len(s.Requests), 0)
}

// TestLabelsOfWhatWaits can be set as of any other deployment, and it begins with them.
func TestLabelsOfWhatWaits(t *testing.T) {
	is := is.New(t)
	s := ask(t, running(t, 2), "wish", needs(1))
	id, labels := s.Requests[0].Deployment, events.Metadata{Labels: map[string]string{"team": "pay"}}
	decided, err := app.SetDeploymentMetadata(s, id, events.Metadata{}, labels)
	s = must(t, s, decided, err)
	decided, err = app.ApproveDeployment(s, manager("bob", id))
	s = must(t, s, decided, err)
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now), nil)
	is.Equal(s.Deployment.Metadata, labels)
}

// TestTheNewestOfThoseThatWaitBegins: when a halt ends, or whatever held several; those from before would bring back what is older.
func TestTheNewestOfThoseThatWaitBegins(t *testing.T) {
	is := is.New(t)
	s, _ := promise(t, running(t, 2))
	first := s.Requests[0].Deployment
	decided, err := app.DeployApp(s, app.CreateDeployment{ID: "later", Droplet: droplet(3), Group: "h", Now: now, Await: incident})
	s = must(t, s, decided, err)
	s = must(t, s, app.ApplyHalt(s, app.Halt{}, now), nil)
	s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now), nil)
	is.Equal(s.Deployment.Droplet, events.DropletID("droplet-3"))
	is.Equal(s.Ended[len(s.Ended)-1], app.Ended{ID: first, Reason: app.ReasonSuperseded, Group: "g"})
	is.Equal(len(s.Requests), 0)
}

// TestWhatWasAskedForLaterWaitsOn while something older begins that is approved before it.
func TestWhatWasAskedForLaterWaitsOn(t *testing.T) {
	is := is.New(t)
	s := ask(t, ask(t, running(t, 2), "older", needs(1)), "newer", needs(1))
	older, newer := s.Requests[0].Deployment, s.Requests[1].Deployment
	for _, id := range []events.DeploymentID{older, newer} {
		decided, err := app.ApproveDeployment(s, manager("bob", id))
		s = must(t, s, decided, err)
		s = must(t, s, app.Proceed(s, nil, app.Quota{}, app.Brakes{}, now), nil)
		is.Equal(s.Deployment.ID(), id)
	}
	is.Equal(s.Ended[len(s.Ended)-1].ID, older) // the newer one took over
}
