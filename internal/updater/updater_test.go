package updater_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/updater"
)

// patience bounds every wait of these tests; it is never the measure of anything.
const patience = 30 * time.Second

// agent reports every desired instance as running, as soon as it sees it desired; failing ones it reports as crashed.
type agent struct {
	log     eventlog.Log
	apps    *eventlog.Repository[app.State]
	failing func(events.ProcessID, int) bool
	told    map[events.ProcessID]int
}

func (a *agent) run(ctx context.Context) error {
	return a.log.Follow(ctx, eventlog.Query{Filters: []string{events.AllAppSubjects}}, func(batch []events.Recorded) error {
		for _, c := range batch {
			_, id, _ := c.Subject.Split()
			agg, err := a.apps.Load(ctx, id)
			if err != nil {
				return err
			}
			for _, p := range agg.State.Webs() {
				if err := a.report(ctx, agg.State.ID, p); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (a *agent) report(ctx context.Context, id events.AppID, p app.Process) error {
	for ; a.told[p.ID] < p.Instances; a.told[p.ID]++ {
		index := a.told[p.ID]
		ref := events.InstanceRef{
			App: id, Process: p.ID, ProcessType: p.Type, Index: index, Instance: events.InstanceID(events.NewID()), Agent: "agent",
		}
		var report events.Event = events.InstanceRunning{InstanceRef: ref}
		if a.failing != nil && a.failing(p.ID, index) {
			report = events.InstanceCrashed{InstanceRef: ref, Reason: "exit status 1"}
		}
		_, err := a.log.Report(ctx, events.Commit{
			Subject: events.InstanceSubject(p.ID), CommandID: events.CommandID(events.NewID()), Actor: "agent/1", Time: time.Now().UTC(),
			Events: []events.Event{events.InstanceStarting{InstanceRef: ref}, report},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rig is a log with one running app.
type rig struct {
	log    eventlog.Log
	timers eventlog.Timers
	apps   *eventlog.Repository[app.State]
	quotas updater.Quotas
	told   journal // what its updaters log
}

func newRig(t testing.TB, instances int) *rig {
	t.Helper()
	return newRigOn(t, eventlog.NewMemory(events.NewRegistry()), eventlog.NewMemoryTimers(), instances)
}

func newRigOn(t testing.TB, log eventlog.Log, timers eventlog.Timers, instances int) *rig {
	t.Helper()
	r := &rig{log: log, timers: timers, apps: commands.Apps(log, nil)}
	r.decide(t, "create", func(s app.State) ([]events.Event, error) {
		return app.CreateApp(s, app.Create{ID: "hello", Name: "hello", Space: "default"})
	})
	r.deploy(t, 1, &instances)
	return r
}

func (r *rig) decide(t testing.TB, id string, fn func(app.State) ([]events.Event, error)) app.State {
	t.Helper()
	out, err := r.apps.Decide(t.Context(), "hello", eventlog.Meta{CommandID: events.CommandID(id), Actor: "tester", Time: time.Now().UTC()}, fn)
	if err != nil {
		t.Fatalf("given %s: %v", id, err)
	}
	return out.State
}

func (r *rig) deploy(t testing.TB, n int, instances *int) app.State {
	t.Helper()
	return r.deployAs(t, n, app.CreateDeployment{Options: events.DeploymentOptions{WebInstances: instances, MaxInFlight: 2}})
}

// deployAs deploys the n-th droplet, now.
func (r *rig) deployAs(t testing.TB, n int, c app.CreateDeployment) app.State {
	t.Helper()
	id := fmt.Sprintf("deploy-%d", n)
	c.ID, c.Now = events.CommandID(id), time.Now().UTC()
	c.Droplet = &app.Droplet{
		ID: events.DropletID(fmt.Sprintf("d-%d", n)), App: "hello", Staged: true, ProcessTypes: map[string]string{"web": "./web"},
	}
	return r.decide(t, id, func(s app.State) ([]events.Event, error) { return app.DeployApp(s, c) })
}

// start runs the parts until stop is called, which waits for them.
func start(t testing.TB, parts ...func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, part := range parts {
		wg.Go(func() {
			if err := part(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("a part ended: %v", err)
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

// await follows the app until the condition holds.
func (r *rig) await(t testing.TB, what string, holds func(app.State) bool) app.State {
	t.Helper()
	return r.awaitFor(t, patience, what, holds)
}

// awaitFor is await with another patience, for tests in which hours pass in a moment.
func (r *rig) awaitFor(t testing.TB, patience time.Duration, what string, holds func(app.State) bool) app.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var state app.State
	err := r.log.Follow(ctx, eventlog.Query{Filters: []string{string(events.AppSubject("hello"))}}, func(batch []events.Recorded) error {
		for _, c := range batch {
			for _, e := range c.Events {
				state = app.Evolve(state, e)
			}
		}
		if holds(state) {
			cancel()
		}
		return nil
	})
	if err != nil || !holds(state) {
		t.Fatalf("waited in vain until %s: %v, %+v", what, err, state.Processes)
	}
	return state
}

func deployed(s app.State) bool { return s.Deployment == nil && len(s.Ended) > 1 }

func (r *rig) updater() func(context.Context) error {
	return updater.New(r.log, r.timers, commands.Apps(r.log, nil), r.quotas, slog.New(&r.told)).Run
}

func (r *rig) agent(failing func(events.ProcessID, int) bool) func(context.Context) error {
	return (&agent{log: r.log, apps: commands.Apps(r.log, nil), failing: failing, told: map[events.ProcessID]int{}}).run
}

func TestRolloutEnds(t *testing.T) {
	is := is.New(t)
	r := newRig(t, 6)
	start(t, r.updater(), r.agent(nil))
	r.deploy(t, 2, nil)
	s := r.await(t, "the rollout is deployed", deployed)
	is.Equal(s.Ended[len(s.Ended)-1].Reason, app.ReasonDeployed)
	is.Equal(len(s.Webs()), 1)
	is.Equal(s.Webs()[0].Instances, 6)
}

func TestSeveralUpdatersAreHarmless(t *testing.T) {
	is := is.New(t)
	r := newRig(t, 8)
	start(t, r.updater(), r.updater(), r.updater(), r.agent(nil))
	r.deploy(t, 2, nil)
	r.await(t, "the rollout is deployed", deployed)
	grown := map[int]int{}
	is.NoErr(r.log.Read(t.Context(), events.AppSubject("hello"), 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			if scaled, ok := e.(events.ProcessScaled); ok && scaled.Instances > scaled.From && c.Actor == events.ActorUpdater {
				grown[scaled.Instances]++
			}
		}
		return nil
	}))
	is.Equal(grown, map[int]int{4: 1, 6: 1, 8: 1}) // each step was decided once
}

// TestKilledAfterEachCommit: an updater is ended after every single commit of the rollout and another one started.
func TestKilledAfterEachCommit(t *testing.T) {
	is := is.New(t)
	r := newRig(t, 4)
	start(t, r.agent(nil))
	r.deploy(t, 2, nil)
	var version events.Version
	for restarts := 0; ; restarts++ {
		is.True(restarts < 50) // it ends
		stop := start(t, r.updater())
		before := version
		var newest app.State // as the log has it when looked at: what await folds may be a commit behind
		r.await(t, "one commit further", func(app.State) bool {
			agg, err := r.apps.Load(t.Context(), "hello")
			is.NoErr(err)
			newest, version = agg.State, agg.Position.Version
			return version > before
		})
		stop()
		if deployed(newest) {
			return
		}
	}
}

func TestAnUpdaterThatStartsLateFindsTheRollout(t *testing.T) {
	r := newRig(t, 3)
	stop := start(t, r.agent(nil))
	r.deploy(t, 2, nil)
	r.await(t, "the deployment is active", func(s app.State) bool { return s.Deployment != nil })
	stop()
	start(t, r.updater(), r.agent(nil))
	r.await(t, "the rollout is deployed", deployed)
}

func TestFailingInstancesHoldARollout(t *testing.T) {
	is := is.New(t)
	r := newRig(t, 4)
	old := events.ProcessID("hello")
	start(t, r.updater(), r.agent(func(p events.ProcessID, index int) bool { return p != old && index == 1 }))
	r.deploy(t, 2, nil)
	s := r.await(t, "the healthy new instance has replaced an old one", func(s app.State) bool {
		return s.Deployment != nil && s.Webs()[0].Instances == 3
	})
	fresh, _ := s.Process(s.Deployment.Process)
	is.Equal(fresh.Instances, 2) // nothing grows while one fails
	decided := r.decide(t, "cancel", func(s app.State) ([]events.Event, error) {
		return app.CancelDeployment(s, app.Steer{Deployment: s.Deployment.ID()})
	})
	is.Equal(decided.Deployment.Phase(), app.Canceling)
	s = r.await(t, "the cancel is done", deployed)
	is.Equal(s.Webs()[0].Instances, 4) // back at full strength
	is.Equal(s.Webs()[0].ID, old)
}

// TestMissingInstancesAreTold: no agent runs. After a while the deployment says so, and stops saying it when one comes.
func TestMissingInstancesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t, 2)
		r.deploy(t, 2, nil)
		stop := start(t, r.updater())
		began := time.Now()
		s := r.await(t, "somebody is told", func(s app.State) bool { return s.Deployment != nil && s.Deployment.Error != "" })
		is.Equal(s.Deployment.Error, "2 of 2 new instances missing: no agent reports on them; is an agent running?")
		is.True(time.Since(began) >= 10*time.Second) // not before an agent had its time
		stopAgent := start(t, r.agent(nil))
		s = r.await(t, "the rollout is deployed", deployed)
		is.True(s.Deployment == nil)
		stopAgent()
		stop()
	})
}

func TestCrashesAreTold(t *testing.T) {
	r := newRig(t, 3)
	start(t, r.updater(), r.agent(func(p events.ProcessID, _ int) bool { return p != "hello" }))
	r.deploy(t, 2, nil)
	r.await(t, "somebody is told", func(s app.State) bool { // of the first crash already, where it is seen alone
		return s.Deployment != nil && s.Deployment.Error == "2 of 2 new instances unhealthy: instance 1 CRASHED once (exit status 1)"
	})
	r.decide(t, "stop", app.StopApp)
	r.await(t, "the stop is told", func(s app.State) bool {
		return s.Deployment != nil && s.Deployment.Error == "app is stopped: start it, cancel the deployment, or deploy again"
	})
}

// TestADecisionThatBreaksTheCapacityLaw is not taken, and somebody should look: the rules are at fault.
func TestADecisionThatBreaksTheCapacityLaw(t *testing.T) {
	is := is.New(t)
	r := newRig(t, 4)
	s := r.deploy(t, 2, nil)
	old := events.ProcessScaled{App: "hello", Process: "hello", From: 4, Instances: 3}
	var broken *app.CapacityError
	err := updater.Lawful(s, old)
	is.True(errors.As(err, &broken)) // no new instance serves yet
	is.Equal(updater.Level(err), slog.LevelError)
	is.NoErr(updater.Lawful(s, events.ProcessScaled{App: "hello", Process: s.Deployment.Process, From: 2, Instances: 4}))
	is.NoErr(updater.Lawful(s, old, events.DeploymentCreated{App: "hello", Deployment: "next"})) // judged from its first step on
}

// TestWhyItDecided: what it appends names the commit or report that it follows from, or the clock.
func TestWhyItDecided(t *testing.T) {
	unattended(t, func(t *testing.T, is *is.I, r *rig) {
		<-time.After(time.Minute) // it has looked at what there was when it started
		r.deployAs(t, 2, canary(time.Hour, 0))
		r.awaitFor(t, 2*time.Hour, "it is deployed", deployed)
		ids, causes := map[string]bool{}, map[string]bool{}
		is.NoErr(r.log.Replay(t.Context(), eventlog.Query{}, func(c events.Recorded) error {
			if c.Actor == events.ActorUpdater {
				is.True(ids[c.Cause] || c.Cause == "timer") // it came before
				causes[c.Cause] = true
			}
			ids[c.EventID(0)] = true
			return nil
		}))
		is.True(causes["timer"]) // the pause is over
		is.True(len(causes) > 2)
	})
}

// counting is a log that knows how often an updater listed apps and how many reports of agents it was given.
type counting struct {
	eventlog.Log
	lists, reports atomic.Int64
}

func (c *counting) Heads(ctx context.Context, filter string) ([]eventlog.Head, error) {
	c.lists.Add(1)
	return c.Log.Heads(ctx, filter)
}

func (c *counting) Read(ctx context.Context, s events.Subject, after, until events.Sequence, fn func(events.Recorded) error) error {
	return c.Log.Read(ctx, s, after, until, func(r events.Recorded) error {
		if aggregate, _, _ := s.Split(); aggregate == events.AggregateInstance {
			c.reports.Add(1)
		}
		return fn(r)
	})
}

// TestItLooksNoFurtherThanItMust: each report is read once, other apps are left alone, and quotas are asked where something may move.
func TestItLooksNoFurtherThanItMust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		log := &counting{Log: eventlog.NewMemory(events.NewRegistry())}
		r := newRigOn(t, log, eventlog.NewMemoryTimers(), 4)
		var asked atomic.Int64
		r.quotas = func(context.Context, app.State) (app.Quota, error) {
			asked.Add(1)
			return app.Quota{}, nil
		}
		stop, stopAgent := start(t, r.updater()), start(t, (&rig{log: log.Log, apps: r.apps}).agent(nil))
		<-time.After(time.Minute)
		r.deploy(t, 2, nil)
		r.await(t, "it is deployed", deployed)
		<-time.After(time.Minute)
		is.Equal(log.lists.Load(), int64(1)) // when it started
		is.True(log.reports.Load() <= 8)     // on four old instances and four new ones
		before := asked.Load()
		is.True(before > 0)
		r.decide(t, "stop", app.StopApp)
		r.decide(t, "start", func(s app.State) ([]events.Event, error) {
			return app.StartApp(s, "start", app.Quota{}, time.Now().UTC())
		})
		<-time.After(time.Minute)
		is.Equal(asked.Load(), before) // nothing is rolled out
		r.deployAs(t, 3, app.CreateDeployment{Strategy: events.StrategyCanary})
		r.await(t, "it pauses", paused)
		<-time.After(time.Minute)
		before = asked.Load()
		r.freeze(t, "freeze", time.Now(), time.Hour)
		<-time.After(time.Minute)
		is.Equal(asked.Load(), before) // policies are about what begins
		decided := 0
		is.NoErr(r.log.Replay(t.Context(), eventlog.Query{}, func(c events.Recorded) error {
			if c.Actor == events.ActorUpdater {
				decided++
			}
			return nil
		}))
		is.Equal(len(r.told.at(slog.LevelInfo)), decided) // each is told
		is.Equal(len(r.told.at(slog.LevelWarn)), 0)
		stop()
		stopAgent()
	})
}

// broken is a log and its timers of which one part fails for good.
type broken struct {
	eventlog.Log
	eventlog.Timers
	part string
}

func (b broken) Heads(ctx context.Context, filter string) ([]eventlog.Head, error) {
	if b.part == "apps" {
		return nil, eventlog.ErrUnavailable
	}
	return b.Log.Heads(ctx, filter)
}

func (b broken) Ring(ctx context.Context, fn func(context.Context, eventlog.Alarm) error) error {
	if b.part == "timers" {
		return eventlog.ErrUnavailable
	}
	return b.Timers.Ring(ctx, fn)
}

func (b broken) Work(ctx context.Context, w eventlog.Worker, fn func(context.Context, events.Recorded) error) error {
	if b.part == w.Name {
		return eventlog.ErrUnavailable
	}
	return b.Log.Work(ctx, w, fn)
}

// TestItEndsWhenAPartOfItDoes, with the reason, and without one when it is stopped. Its consumers keep their names, or what they have
// done would be done again.
func TestItEndsWhenAPartOfItDoes(t *testing.T) {
	for _, part := range []string{"apps", "timers", "updater", "updater-halts", "updater-policies", ""} {
		t.Run(part, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				is := is.New(t)
				b := broken{eventlog.NewMemory(events.NewRegistry()), eventlog.NewMemoryTimers(), part}
				ctx, stop := context.WithTimeout(t.Context(), time.Hour)
				defer stop()
				err := updater.New(b, b, commands.Apps(b, nil), nil, slog.New(slog.DiscardHandler)).Run(ctx)
				is.Equal(errors.Is(err, eventlog.ErrUnavailable), part != "")
				is.Equal(ctx.Err() == nil, part != "") // at once
				if part == "" {
					is.NoErr(err) // it was stopped
				}
			})
		})
	}
}
