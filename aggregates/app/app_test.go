package app_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
)

const appID = events.AppID("app-1")

// now is when the tests take place; what depends on time says so.
var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// fold is the given of a table: a state from events.
func fold(history ...events.Event) app.State {
	var s app.State
	for _, e := range history {
		s = app.Evolve(s, e)
	}
	return s
}

// must decides and folds on, for the given part of a test.
func must(t testing.TB, s app.State, decided []events.Event, err error) app.State {
	t.Helper()
	if err != nil {
		t.Fatalf("given: %v", err)
	}
	for _, e := range decided {
		s = app.Evolve(s, e)
	}
	return s
}

func droplet(n int) *app.Droplet {
	return &app.Droplet{
		ID: events.DropletID(fmt.Sprintf("droplet-%d", n)), App: appID, Staged: true,
		ProcessTypes: map[string]string{"web": fmt.Sprintf("./web-%d", n), "worker": "./worker"},
	}
}

// running is an app whose first droplet runs with so many web instances.
func running(t testing.TB, instances int) app.State {
	t.Helper()
	decided, err := app.CreateApp(app.State{}, app.Create{ID: appID, Name: "hello", Space: "default", Organization: "default"})
	s := must(t, app.State{}, decided, err)
	decided, err = app.DeployApp(s, app.CreateDeployment{
		ID: "first", Droplet: droplet(1), Options: events.DeploymentOptions{WebInstances: &instances},
	})
	return must(t, s, decided, err)
}

func deploy(t testing.TB, s app.State, n, inFlight int) app.State {
	t.Helper()
	decided, err := app.DeployApp(s, app.CreateDeployment{
		ID: events.CommandID(fmt.Sprintf("deploy-%d", n)), Droplet: droplet(n), Options: events.DeploymentOptions{MaxInFlight: inFlight},
	})
	return must(t, s, decided, err)
}

// newest is a generation as of no earlier start.
const newest = 1000

// with is what is seen when the process has so many instances of each kind, from index 0.
func with(routable, starting, crashed int) app.ProcessInstances {
	seen := app.ProcessInstances{}
	add := func(n int, state app.InstanceState) {
		for range n {
			seen[len(seen)] = app.Instance{ID: events.InstanceID(fmt.Sprintf("i-%d", len(seen))), State: state, Generation: newest}
		}
	}
	add(routable, app.InstanceRunning)
	add(starting, app.InstanceStarting)
	add(crashed, app.InstanceCrashed)
	return seen
}

func TestFirstDeploymentStartsTheApp(t *testing.T) {
	is := is.New(t)
	s := running(t, 3)
	is.Equal(s.Desired, app.Started)         // a deployment of a stopped app starts it
	is.True(s.Deployment == nil)             // and is over at once
	is.Equal(s.Webs()[0].Instances, 3)       // web_instances counts
	is.Equal(s.Webs()[0].Command, "./web-1") // the droplet's command
	is.Equal(s.Webs()[0].ID, events.ProcessID(appID))
	worker, ok := s.ProcessOfType("worker")
	is.True(ok)
	is.Equal(worker.Instances, 0) // other types start with none
	is.Equal(s.Revision.Number, 1)
	is.Equal(s.Revision.Description, "Initial revision.")
}

func TestCreateDeploymentDecidesOneWholeCommit(t *testing.T) {
	is := is.New(t)
	s := running(t, 3)
	c := app.CreateDeployment{ID: "second", Droplet: droplet(2)}
	decided, err := app.DeployApp(s, c)
	is.NoErr(err)
	id := c.DeploymentID()
	process := events.ProcessID(events.DeriveID("second", "process", 0))
	revision := events.RevisionID(events.DeriveID("second", "revision", 0))
	is.Equal(decided, []events.Event{
		events.AppDropletAssigned{
			App: appID, Droplet: "droplet-2", PreviousDroplet: "droplet-1", ProcessTypes: droplet(2).ProcessTypes, Deployment: id,
		},
		events.RevisionCreated{
			App: appID, Revision: revision, Number: 2, Droplet: "droplet-2", Commands: map[string]string{},
			Types: []string{"web", "worker"}, Description: "New droplet deployed.", Deployment: id,
		},
		events.DeploymentCreated{
			App: appID, Deployment: id, Strategy: "rolling", Options: events.DeploymentOptions{MaxInFlight: 1},
			Droplet: "droplet-2", PreviousDroplet: "droplet-1", Revision: revision, RevisionNumber: 2, Process: process,
			OriginalInstances: 3, Target: 3, Floor: 3, Plan: []events.Step{{New: 3, Gate: "healthy"}},
		},
		events.ProcessCreated{
			App: appID, Process: process, ProcessType: "web", Droplet: "droplet-2", Command: "./web-2", Instances: 1,
			MemoryMB: 1024, DiskMB: 1024, LogRate: -1, HealthCheck: events.HealthCheck{Kind: "port"},
			Revision: revision, Deployment: id,
		},
	})
}

// TestTick takes Cloud Foundry's tick cases: target, old desired, new desired and what is seen of it; what follows.
func TestTick(t *testing.T) {
	for _, test := range []struct {
		name                         string
		target, old, fresh, inFlight int
		seen                         app.ProcessInstances
		wantOld, wantNew             int
		done                         bool
	}{
		{"case 123: nothing runs yet", 6, 6, 2, 2, with(0, 2, 0), 6, 2, false},
		{"all new run: one batch on", 6, 6, 2, 2, with(2, 0, 0), 4, 4, false},
		{"case 135: reported less than desired counts as unhealthy", 10, 10, 9, 5, with(1, 0, 0), 9, 9, false},
		{"case 136: starting below the limit", 10, 10, 5, 5, with(2, 3, 0), 8, 7, false},
		{"case 137: as many starting as may", 6, 6, 3, 2, with(1, 2, 0), 5, 3, false},
		{"case 139: one fails, old still leave for those that serve", 6, 6, 3, 2, with(1, 0, 2), 5, 3, false},
		{"case 152: scale up by the batch", 10, 6, 4, 2, with(4, 0, 0), 6, 6, false},
		{"case 158: the runtime lags", 10, 9, 4, 2, with(1, 0, 0), 9, 4, false},
		{"last one up: finish", 3, 1, 3, 1, with(3, 0, 0), 0, 3, true},
		{"new ones fail after the cut: old come back", 4, 1, 4, 1, with(1, 0, 3), 3, 4, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			is := is.New(t)
			s := deploy(t, running(t, test.target), 2, test.inFlight)
			old, fresh := s.Webs()[0].ID, s.Deployment.Process
			scale := func(id events.ProcessID, n int) {
				s = app.Evolve(s, events.ProcessScaled{App: appID, Process: id, Instances: n})
			}
			scale(old, test.old)
			scale(fresh, test.fresh)
			after := must(t, s, app.Next(s, app.Instances{old: with(test.old, 0, 0), fresh: test.seen}, app.Quota{}, now), nil)
			is.Equal(after.Deployment == nil, test.done) // deployment over
			newProcess, _ := after.Process(fresh)
			is.Equal(newProcess.Instances, test.wantNew) // new instances
			oldProcess, _ := after.Process(old)
			is.Equal(oldProcess.Instances, test.wantOld) // old instances
		})
	}
}

// TestAStartIsAGenerationOfItsOwn: what still stops from before is not taken for what was started, and variables set while
// nothing ran count, also where no revision tells that they have changed.
func TestAStartIsAGenerationOfItsOwn(t *testing.T) {
	is := is.New(t)
	s := app.Evolve(running(t, 2), events.AppFeatureSet{App: appID, Name: events.FeatureRevisions, Enabled: false})
	before := s.Webs()[0]
	stopped, err := app.StopApp(s)
	s = must(t, s, stopped, err)
	s = app.Evolve(s, events.AppEnvironmentSet{App: appID, Environment: map[string]string{"COLOUR": "red"}})
	started, err := app.StartApp(s, "start", app.Quota{}, now)
	s = must(t, s, started, err)
	is.Equal(s.Webs()[0].Generation, before.Generation+1)
	is.Equal(s.Webs()[0].Environment, map[string]string{"COLOUR": "red"})
}

func TestFinalizeRestartsOtherProcessesAndLeavesOneWeb(t *testing.T) {
	is := is.New(t)
	s := deploy(t, running(t, 1), 2, 1)
	before, _ := s.ProcessOfType("worker")
	after := must(t, s, app.Next(s, app.Instances{s.Deployment.Process: with(1, 0, 0)}, app.Quota{}, now), nil)
	is.Equal(len(after.Webs()), 1)                         // only the new web process is left
	is.True(after.Webs()[0].ID != events.ProcessID(appID)) // it has a guid of its own
	worker, _ := after.ProcessOfType("worker")
	is.Equal(worker.Generation, before.Generation+1)                                  // restarted once
	is.Equal(worker.Droplet, events.DropletID("droplet-2"))                           // with the new droplet
	is.Equal(after.Webs()[0].Standing, app.Proven)                                    // the new version is proven now
	is.Equal(after.Ended[1].Reason, app.ReasonDeployed)                               // and the app remembers how it ended
	is.Equal(app.Next(after, app.Instances{}, app.Quota{}, now), []events.Event(nil)) // nothing follows an ended deployment
}

func TestCancelGoesBackToTheRunningVersion(t *testing.T) {
	is := is.New(t)
	s := deploy(t, running(t, 3), 2, 1)
	id, fresh := s.Deployment.ID(), s.Deployment.Process
	decided, err := app.CancelDeployment(s, app.Steer{Deployment: id})
	s = must(t, s, decided, err)
	is.Equal(s.Droplet, events.DropletID("droplet-1")) // the previous droplet is current at once
	again, err := app.CancelDeployment(s, app.Steer{Deployment: id})
	is.NoErr(err)
	is.Equal(len(again), 0) // asked twice: nothing more
	s = must(t, s, app.Next(s, app.Instances{events.ProcessID(appID): with(2, 0, 0), fresh: with(1, 0, 0)}, app.Quota{}, now), nil)
	is.True(s.Deployment == nil)
	is.Equal(len(s.Webs()), 1)
	is.Equal(s.Webs()[0].Instances, 3) // at its original count
	_, err = app.CancelDeployment(s, app.Steer{Deployment: id})
	is.Equal(message(err), "Cannot cancel a deployment with status: FINALIZED and reason: CANCELED")
}

func TestSupersedingTrain(t *testing.T) {
	is := is.New(t)
	s := deploy(t, running(t, 3), 2, 1)
	second := s.Deployment.Process
	s = deploy(t, s, 3, 1)
	is.Equal(s.Deployment.OriginalInstances, 3) // inherited
	is.Equal(s.Deployment.PreviousDroplet, events.DropletID("droplet-2"))
	p, _ := s.Process(second)
	is.Equal(p.Standing, app.Interim)
	is.Equal(s.Ended[len(s.Ended)-1].Reason, app.ReasonSuperseded)

	t.Run("an interim version that does not serve goes first", func(t *testing.T) {
		is := is.New(t)
		after := must(t, s, app.Next(s, app.Instances{second: with(0, 0, 1), s.Deployment.Process: with(0, 1, 0)}, app.Quota{}, now), nil)
		_, there := after.Process(second)
		is.True(!there)                        // it is gone
		is.Equal(after.Webs()[0].Instances, 3) // and the version that serves is whole
	})
	t.Run("healthy trains are drained oldest first", func(t *testing.T) {
		is := is.New(t)
		s := s
		s = app.Evolve(s, events.ProcessScaled{App: appID, Process: second, Instances: 2})
		s = app.Evolve(s, events.ProcessScaled{App: appID, Process: events.ProcessID(appID), Instances: 1})
		after := must(t, s, app.Next(s, app.Instances{second: with(2, 0, 0), s.Deployment.Process: with(1, 0, 0)}, app.Quota{}, now), nil)
		is.Equal(after.Webs()[0].Instances, 0) // the oldest gives first, and stays
		is.Equal(after.Webs()[1].Instances, 2)
	})
	t.Run("superseded while canceling: it must not serve", func(t *testing.T) {
		is := is.New(t)
		decided, err := app.CancelDeployment(s, app.Steer{Deployment: s.Deployment.ID()})
		canceling := must(t, s, decided, err)
		third := canceling.Deployment.Process
		next := deploy(t, canceling, 4, 1)
		after := must(t, next, app.Next(next, app.Instances{third: with(1, 0, 0), second: with(1, 0, 0)}, app.Quota{}, now), nil)
		_, there := after.Process(third)
		is.True(!there)
	})
}

func TestStoppedAppWithAnInterruptedRollout(t *testing.T) {
	is := is.New(t)
	s := deploy(t, running(t, 3), 2, 1)
	stopped, err := app.StopApp(s)
	s = must(t, s, stopped, err)
	is.Equal(app.Next(s, app.Instances{}, app.Quota{}, now), []events.Event(nil)) // a stopped app does not move
	s = deploy(t, s, 3, 1)
	is.Equal(s.Desired, app.Started)
	is.True(s.Deployment == nil)
	is.Equal(len(s.Webs()), 1) // what the interrupted rollout left is gone
	is.Equal(s.Webs()[0].Instances, 3)
	is.Equal(s.Webs()[0].Command, "./web-3")
}

func TestRefusals(t *testing.T) {
	two, minus, zero, absurd := 2, -1, 0, app.MaxInstances+1
	rolling := func(t *testing.T) app.State { return deploy(t, running(t, 3), 2, 1) }
	other := *droplet(3)
	other.App = "another"
	waiting := *droplet(3)
	waiting.Staged = false
	nameless := *droplet(3)
	nameless.ProcessTypes = map[string]string{"worker": "./w"}
	deployWith := func(c app.CreateDeployment) func(app.State) ([]events.Event, error) {
		c.ID = "refused"
		return func(s app.State) ([]events.Event, error) { return app.DeployApp(s, c) }
	}
	options := func(o events.DeploymentOptions) func(app.State) ([]events.Event, error) {
		return deployWith(app.CreateDeployment{Droplet: droplet(3), Options: o})
	}
	for name, test := range map[string]struct {
		decide func(app.State) ([]events.Event, error)
		want   string
	}{
		"scale web in flight": {func(s app.State) ([]events.Event, error) {
			return app.ScaleProcess(s, app.Scale{Process: events.ProcessID(appID), Instances: &two})
		}, "Cannot scale this process while a deployment is in flight."},
		"update web in flight": {func(s app.State) ([]events.Event, error) {
			return app.UpdateProcess(s, app.Update{Process: events.ProcessID(appID)})
		}, "Cannot update this process while a deployment is in flight."},
		"assign in flight": {func(s app.State) ([]events.Event, error) {
			return app.AssignDroplet(s, app.Assignment{ID: "c", Droplet: *droplet(3)})
		},
			"Unable to assign current droplet while the app has a deployment in progress. Wait for the deployment to complete or cancel it."},
		"unknown process": {func(s app.State) ([]events.Event, error) {
			return app.ScaleProcess(s, app.Scale{Process: "nobody", Instances: &two})
		}, "Process not found"},
		"unknown deployment": {func(s app.State) ([]events.Event, error) {
			return app.CancelDeployment(s, app.Steer{Deployment: "nobody"})
		}, "Deployment not found"},
		"droplet of another app": {deployWith(app.CreateDeployment{Droplet: &other}),
			"Unable to assign current droplet. Ensure the droplet exists and belongs to this app."},
		"droplet without bits": {deployWith(app.CreateDeployment{Droplet: &waiting}),
			"Unable to assign current droplet. The droplet must be in staged state: upload its bits first."},
		"droplet without web": {deployWith(app.CreateDeployment{Droplet: &nameless}),
			"Unable to deploy: the droplet names no start command for process type 'web', and the app has none of its own."},
		"strategy": {deployWith(app.CreateDeployment{Strategy: "potato"}),
			"Strategy 'potato' is not a supported deployment strategy"},
		"max in flight":    {options(events.DeploymentOptions{MaxInFlight: -1}), "Max in flight must be an integer greater than 0"},
		"web instances":    {options(events.DeploymentOptions{WebInstances: &minus}), "Web instances must be greater than or equal to 0"},
		"absurd instances": {options(events.DeploymentOptions{WebInstances: &absurd}), "Web instances must be less than or equal to 10000"},
		"memory":           {options(events.DeploymentOptions{MemoryMB: &zero}), "Memory in mb must be greater than 0"},
		"disk":             {options(events.DeploymentOptions{DiskMB: &minus}), "Disk in mb must be greater than 0"},
		"reserved variables": {func(s app.State) ([]events.Event, error) {
			v := "1"
			return app.SetEnvironment(s, map[string]*string{"PORT": &v})
		},
			"Environment variable key 'PORT' is reserved: keys must not be PORT nor start with VCAP_ or VMC"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			decided, err := test.decide(rolling(t))
			is.Equal(len(decided), 0) // a refusal decides nothing
			is.Equal(message(err), test.want)
		})
	}
}

func TestCommandsOnNoApp(t *testing.T) {
	is := is.New(t)
	_, err := app.DeployApp(app.State{}, app.CreateDeployment{ID: "c"})
	is.Equal(message(err), "Unable to use app. Ensure that the app exists and you have access to it.")
	for _, name := range []string{"", " \t", "a\x00b", "line\nbreak", string([]byte{0xff, 0xfe})} {
		_, err = app.CreateApp(app.State{}, app.Create{ID: appID, Name: name})
		is.True(err != nil) // such a name is refused
	}
	deleted := fold(events.AppCreated{App: appID, Name: "a"}, events.AppDeleted{App: appID})
	_, err = app.StartApp(deleted, "c", app.Quota{}, now)
	is.Equal(message(err), "App not found")
}

func TestRevisionsSayWhatChanged(t *testing.T) {
	is := is.New(t)
	s := running(t, 1)
	value, command := "1", "./mine"
	decided, err := app.SetEnvironment(s, map[string]*string{"COLOR": &value})
	s = must(t, s, decided, err)
	decided, err = app.UpdateProcess(s, app.Update{Process: s.Webs()[0].ID, Command: &command})
	s = must(t, s, decided, err)
	s = deploy(t, s, 2, 1)
	is.Equal(s.Revision.Description,
		"Custom start command added for 'web' process. New droplet deployed. New environment variables deployed.")
	p, _ := s.Process(s.Deployment.Process)
	is.Equal(p.Command, "./mine") // the user's command outlives the droplet
	number := s.Revision.Number
	s = deploy(t, s, 2, 1)
	is.Equal(s.Revision.Number, number) // the same again makes none
}

func message(err error) string {
	var rejected *aggregates.RejectedError
	if !errors.As(err, &rejected) {
		return fmt.Sprintf("not a refusal: %v", err)
	}
	return rejected.Message
}
