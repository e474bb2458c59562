package app_test

import (
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
)

// canary is an app of so many instances with a canary deployment begun.
func canary(t testing.TB, instances, inFlight int, weights ...int) app.State {
	t.Helper()
	s := running(t, instances)
	decided, err := app.DeployApp(s, app.CreateDeployment{
		ID: "canary", Strategy: events.StrategyCanary, Droplet: droplet(2),
		Options: events.DeploymentOptions{MaxInFlight: inFlight, CanaryWeights: weights},
	})
	return must(t, s, decided, err)
}

// tick lets the updater decide with all instances of both processes routable, but for what is given of the new one.
func tick(t testing.TB, s app.State, fresh app.ProcessInstances) app.State {
	t.Helper()
	seen := app.Instances{}
	for _, p := range s.Webs() {
		seen[p.ID] = with(p.Instances, 0, 0)
	}
	if fresh != nil {
		seen[s.Deployment.Process] = fresh
	}
	return must(t, s, app.Next(s, seen, app.Quota{}, now), nil)
}

func sizes(s app.State) (old, fresh int) {
	for _, p := range s.Webs() {
		if s.Deployment != nil && p.ID == s.Deployment.Process {
			fresh = p.Instances
		} else {
			old += p.Instances
		}
	}
	return old, fresh
}

// TestCanaryTrace follows the reference's trace "canary 20,40 of 10, two in flight".
func TestCanaryTrace(t *testing.T) {
	is := is.New(t)
	s := canary(t, 10, 2, 20, 40)
	next := func(phase app.Phase, old, fresh int) {
		t.Helper()
		s = tick(t, s, nil)
		o, f := sizes(s)
		is.Equal([]int{o, f}, []int{old, fresh})
		is.Equal(s.Deployment.Phase(), phase)
	}
	resume := func() {
		t.Helper()
		decided, err := app.ContinueDeployment(s, app.Steer{Deployment: s.Deployment.ID(), By: "user/a"})
		s = must(t, s, decided, err)
	}
	is.Equal(s.Deployment.Phase(), app.Prepaused)
	next(app.Paused, 9, 2)
	is.Equal(s.Deployment.CurrentStep(), 1)
	resume()
	is.Equal(s.Deployment.Phase(), app.Prepaused)
	is.Equal(s.Deployment.CurrentStep(), 2)
	next(app.Prepaused, 9, 4)
	next(app.Paused, 7, 4)
	resume()
	is.Equal(s.Deployment.CurrentStep(), 2) // it stays at the last pause
	next(app.Deploying, 6, 6)               // one of the eleven of the step leaves at once: the total is ten again
	next(app.Deploying, 4, 8)
	next(app.Deploying, 2, 10)
	s = tick(t, s, nil)
	is.True(s.Deployment == nil)
	is.Equal(len(s.Webs()), 1)
}

func TestCanaryWithoutSteps(t *testing.T) {
	is := is.New(t)
	s := tick(t, canary(t, 4, 1), nil)
	old, fresh := sizes(s)
	is.Equal([]int{old, fresh}, []int{4, 1}) // one canary beside all others
	is.Equal(s.Deployment.Phase(), app.Paused)
	is.Equal(len(app.Next(s, app.Instances{s.Deployment.Process: with(1, 0, 0), s.Webs()[0].ID: with(4, 0, 0)}, app.Quota{}, now)), 0) // it waits
}

func TestCanaryThatIsNotReadyDoesNotPause(t *testing.T) {
	for name, seen := range map[string]app.ProcessInstances{
		"starting": with(4, 1, 0), "crashed": with(4, 0, 1), "missing": with(4, 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			s := canary(t, 10, 10, 50, 80)
			s = tick(t, s, seen)
			is.Equal(s.Deployment.Phase(), app.Prepaused)
		})
	}
}

// TestPausedCanaryThatDies: capacity holds while nobody looks: old instances come back, and leave again.
func TestPausedCanaryThatDies(t *testing.T) {
	is := is.New(t)
	s := tick(t, canary(t, 10, 10, 50), nil)
	old, fresh := sizes(s)
	is.Equal([]int{old, fresh}, []int{6, 5})
	s = tick(t, s, with(0, 0, 5))
	old, _ = sizes(s)
	is.Equal(old, 10)
	is.Equal(s.Deployment.Phase(), app.Paused)
	s = tick(t, s, nil)
	old, _ = sizes(s)
	is.Equal(old, 6)
}

func TestContinueIsFenced(t *testing.T) {
	is := is.New(t)
	s := canary(t, 10, 10, 20, 40)
	id := s.Deployment.ID()
	refused := func(s app.State, step int, want string) {
		t.Helper()
		decided, err := app.ContinueDeployment(s, app.Steer{Deployment: id, ExpectedStep: step, By: "user/b"})
		is.Equal(len(decided), 0)
		is.Equal(message(err), want)
	}
	refused(s, 0, "Cannot continue a deployment with status: ACTIVE and reason: DEPLOYING")
	s = tick(t, s, nil)
	refused(s, 2, "Cannot continue the deployment at step 2: it is at step 1")
	decided, err := app.ContinueDeployment(s, app.Steer{Deployment: id, ExpectedStep: 1, By: "user/a"})
	s = must(t, s, decided, err)
	refused(s, 1, "Cannot continue the deployment at step 1: it is at step 2, continued by user/a") // the retry of a lost answer
	s = tick(t, tick(t, s, nil), nil)
	decided, err = app.ContinueDeployment(s, app.Steer{Deployment: id, ExpectedStep: 2, By: "user/a"})
	s = must(t, s, decided, err)
	refused(s, 2, "Cannot continue the deployment at step 2: it went on already, continued by user/a")
	decided, err = app.CancelDeployment(s, app.Steer{Deployment: id})
	s = must(t, s, decided, err)
	refused(s, 0, "Cannot continue a deployment with status: ACTIVE and reason: CANCELING")
	s = tick(t, s, nil)
	refused(s, 0, "Cannot continue a deployment with status: FINALIZED and reason: CANCELED")
}

func TestSupersededCanaryMustNotServe(t *testing.T) {
	is := is.New(t)
	s := tick(t, canary(t, 4, 1), nil)
	version := s.Deployment.Process
	s = deploy(t, s, 3, 1)
	s = tick(t, s, with(0, 1, 0))
	_, there := s.Process(version)
	is.True(!there)
	old, _ := sizes(s)
	is.Equal(old, 4) // and nothing of the proven version left for it
}

func TestCanaryRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		strategy string
		weights  []int
		want     string
	}{
		"steps of a rolling one": {"rolling", []int{10}, "Options canary are only valid for Canary deployments"},
		"beyond":                 {"canary", []int{101}, "Options canary steps instance weight must be an Integer between 1-100 (inclusive)"},
		"zero":                   {"canary", []int{0}, "Options canary steps instance weight must be an Integer between 1-100 (inclusive)"},
		"descending":             {"canary", []int{75, 25}, "Options canary steps instance weight must be sorted in ascending order"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := app.DeployApp(running(t, 2), app.CreateDeployment{
				ID: "c", Strategy: test.strategy, Options: events.DeploymentOptions{CanaryWeights: test.weights},
			})
			is.Equal(message(err), test.want)
		})
	}
}

func TestRollBackToARevision(t *testing.T) {
	is := is.New(t)
	s := running(t, 2)
	first := s.Revision
	value, mine := "1", "./mine"
	decided, err := app.SetEnvironment(s, map[string]*string{"COLOR": &value})
	s = must(t, s, decided, err)
	decided, err = app.UpdateProcess(s, app.Update{Process: s.Webs()[0].ID, Command: &mine})
	s = must(t, s, decided, err)
	s = deploy(t, s, 2, 2)
	s = tick(t, s, nil)
	is.Equal(s.Webs()[0].Command, "./mine")

	back := func(r events.RevisionCreated, d *app.Droplet) ([]events.Event, error) {
		return app.DeployApp(s, app.CreateDeployment{ID: "back", Droplet: d, Revision: &r})
	}
	_, err = back(s.Revision, droplet(2))
	is.Equal(message(err), "Unable to rollback. The code and configuration you are rolling back to is the same as the deployed revision.")
	gone := *droplet(1)
	gone.Staged = false
	_, err = back(first, &gone)
	is.Equal(message(err), "Unable to deploy this revision, the droplet for this revision no longer exists.")

	decided, err = back(first, droplet(1))
	s = must(t, s, decided, err)
	is.Equal(s.Revision.Number, 3) // always a new one
	is.Equal(s.Revision.Description, "Custom start command removed for 'web' process. New droplet deployed. "+
		"New environment variables deployed. Rolled back to revision 1.")
	is.Equal(len(s.Environment), 0) // the revision's
	fresh, _ := s.Process(s.Deployment.Process)
	is.Equal(fresh.Command, "./web-1")
	is.Equal(s.Deployment.RolledBackTo, first.Revision)
}
