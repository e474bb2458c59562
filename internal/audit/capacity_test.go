package audit_test

import (
	"fmt"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
)

// underway is a rollout from three old instances to three new ones, of which the first runs: two old are desired.
func underway(t testing.TB) (w *world, old, fresh events.ProcessID) {
	t.Helper()
	w = running(t, 3)
	w.deploy(2, app.CreateDeployment{ID: "second"})
	fresh = w.state().Deployment.Process
	w.report(events.InstanceRunning{InstanceRef: ref(fresh, 0, "x")})
	w.tick(calm)
	return w, events.ProcessID(appID), fresh
}

func scaled(p events.ProcessID, from, to int) events.Event {
	return events.ProcessScaled{App: appID, Process: p, ProcessType: "web", From: from, Instances: to}
}

// shrink lets the updater, or somebody, take an old instance, and says why.
func (w *world) shrink(actor events.Actor, cause string, decided ...events.Event) events.Sequence {
	w.t.Helper()
	c, err := w.decide(actor, cause, func(app.State) ([]events.Event, error) { return decided, nil })
	if err != nil {
		w.t.Fatalf("given: %v", err)
	}
	return c.Sequence
}

// TestCapacity is the law and its bounds: what no reading of the reports excuses is a breach, what some reading excuses
// is none.
func TestCapacity(t *testing.T) {
	type act = func(w *world, old, fresh events.ProcessID) events.Sequence
	run := func(w *world, p events.ProcessID, index int, id string) string {
		return w.report(events.InstanceRunning{InstanceRef: ref(p, index, id)})
	}
	crash := func(w *world, p events.ProcessID, index int, id string) string {
		return w.report(events.InstanceCrashed{InstanceRef: ref(p, index, id)})
	}
	for name, tt := range map[string]struct {
		act    act
		lawful bool
	}{
		"an old instance goes without a new one": {func(w *world, old, _ events.ProcessID) events.Sequence {
			return w.shrink(events.ActorUpdater, "sweep", scaled(old, 2, 1))
		}, false},
		"whoever it was": {func(w *world, old, _ events.ProcessID) events.Sequence {
			return w.shrink("mallory", "http", scaled(old, 2, 1))
		}, false},
		"an old process goes without new instances": {func(w *world, old, _ events.ProcessID) events.Sequence {
			return w.shrink(events.ActorUpdater, "sweep", events.ProcessDeleted{App: appID, Process: old, ProcessType: "web"})
		}, false},
		"routable new instances go": {func(w *world, _, fresh events.ProcessID) events.Sequence {
			return w.shrink(events.ActorUpdater, "sweep", scaled(fresh, 2, 0))
		}, false},
		"a rollout ends before its time": {func(w *world, old, _ events.ProcessID) events.Sequence {
			return w.shrink(events.ActorUpdater, "sweep", events.ProcessDeleted{App: appID, Process: old, ProcessType: "web"},
				events.DeploymentDeployed{App: appID, Deployment: w.state().Deployment.ID()})
		}, false},
		"a new instance has taken over": {func(w *world, old, fresh events.ProcessID) events.Sequence {
			return w.shrink(events.ActorUpdater, run(w, fresh, 1, "y"), scaled(old, 2, 1))
		}, true},
		"it crashes after the decision, before the commit": {func(w *world, old, fresh events.ProcessID) events.Sequence {
			cause := run(w, fresh, 1, "y")
			crash(w, fresh, 1, "y")
			return w.shrink(events.ActorUpdater, cause, scaled(old, 2, 1))
		}, true},
		"it crashed, and that was the cause of the decision": {func(w *world, old, fresh events.ProcessID) events.Sequence {
			run(w, fresh, 1, "y")
			return w.shrink(events.ActorUpdater, crash(w, fresh, 1, "y"), scaled(old, 2, 1))
		}, false},
		"it crashed before the app last moved": {func(w *world, old, fresh events.ProcessID) events.Sequence {
			run(w, fresh, 1, "y")
			crash(w, fresh, 1, "y")
			w.must("tester", func(s app.State) ([]events.Event, error) {
				return app.SetEnvironment(s, map[string]*string{"A": new(string)})
			})
			return w.shrink(events.ActorUpdater, "sweep", scaled(old, 2, 1))
		}, false},
		"all goes with the app": {func(w *world, _, _ events.ProcessID) events.Sequence {
			return w.must("tester", app.DeleteApp)
		}, true},
		"a cancel is quick, not gradual": {func(w *world, _, _ events.ProcessID) events.Sequence {
			id := w.state().Deployment.ID()
			w.must("tester", func(s app.State) ([]events.Event, error) { return app.CancelDeployment(s, app.Steer{Deployment: id}) })
			return w.tick(calm).Sequence
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			w, old, fresh := underway(t)
			at := tt.act(w, old, fresh)
			report := w.verify()
			if tt.lawful {
				is.Equal(found(report), nil)
				return
			}
			is.Equal(found(report), []string{fmt.Sprintf("capacity at %d", at)})
			is.Equal(report.Breaches[0].Deployment, events.DeploymentID(events.DeriveID("second", "deployment", 0)))
			is.Equal(report.Rollouts[1].Breaches, 1)
		})
	}
}

// TestMomentsOfEachProcess: the reports of each process were read at a moment of its own, so a decision may rest on the
// earlier state of one and the later state of another.
func TestMomentsOfEachProcess(t *testing.T) {
	is := is.New(t)
	w, old, second := underway(t)
	w.report(events.InstanceRunning{InstanceRef: ref(second, 1, "y")})
	w.tick(calm)
	w.deploy(3, app.CreateDeployment{ID: "third"}) // the second is interim now: what is routable of it counts
	third := w.state().Deployment.Process
	// The updater reads of the second's two instances, then one crashes, one of the third runs, and it reads of that.
	w.report(events.InstanceCrashed{InstanceRef: ref(second, 1, "y")})
	w.report(events.InstanceRunning{InstanceRef: ref(third, 0, "z")})
	w.shrink(events.ActorUpdater, "sweep", scaled(old, 1, 0))
	is.Equal(found(w.verify()), nil)
}

// TestNothingWasLost: failing instances had taken the capacity below the floor. To take away what does not run lowers
// nothing, and does not become a breach because it comes to run while the decision is written.
func TestNothingWasLost(t *testing.T) {
	for name, lawful := range map[string]bool{"unseen": true, "seen": false} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			w, _, second := underway(t)
			w.report(events.InstanceRunning{InstanceRef: ref(second, 1, "y")})
			w.tick(calm)
			w.deploy(3, app.CreateDeployment{ID: "third"})
			w.report(events.InstanceCrashed{InstanceRef: ref(second, 0, "x")}, events.InstanceCrashed{InstanceRef: ref(second, 1, "y")})
			w.must("tester", func(s app.State) ([]events.Event, error) {
				return app.SetEnvironment(s, map[string]*string{"A": new(string)})
			})
			w.report(events.InstanceRunning{InstanceRef: ref(second, 1, "y2")})
			cause := w.report(events.InstanceRunning{InstanceRef: ref(second, 0, "x2")})
			if lawful {
				cause = "sweep"
			}
			w.shrink(events.ActorUpdater, cause, scaled(second, 3, 1))
			is.Equal(len(found(w.verify())) == 0, lawful)
		})
	}
}

// TestTooManyReportsInBetween: a decision that cannot be judged is counted, neither accused nor passed over.
func TestTooManyReportsInBetween(t *testing.T) {
	is := is.New(t)
	w, old, fresh := underway(t)
	for range 10_001 {
		w.report(events.InstanceStarting{InstanceRef: ref(fresh, 1, "y")})
	}
	w.shrink(events.ActorUpdater, "sweep", scaled(old, 2, 1))
	report := w.verify()
	is.Equal(found(report), nil)
	is.Equal(report.Unjudged, 1)
}
