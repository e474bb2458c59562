package app_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
)

// scene is a rollout from version 1 to 2 whose time is told, with what is seen of its instances.
type scene struct {
	testing.TB
	s    app.State
	now  time.Time
	seen app.Instances
	life int // of old instances: each growth starts new ones
}

// rollOut begins a rollout of so many instances.
func rollOut(t testing.TB, instances int, c app.CreateDeployment) *scene {
	t.Helper()
	v := &scene{TB: t, s: running(t, instances), now: now, seen: app.Instances{}}
	c.ID, c.Droplet, c.Now = "watched", droplet(2), now
	decided, err := app.DeployApp(v.s, c)
	v.s = must(t, v.s, decided, err)
	v.old(instances, 0)
	return v
}

// fresh says how the new instances are: so many routable, starting and crashed, from index 0.
func (v *scene) fresh(routable, starting, crashed int) {
	process := v.s.Deployment.Process
	for i := range routable + starting + crashed {
		ref := events.InstanceRef{App: appID, Process: process, Index: i, Instance: events.InstanceID(string(rune('a' + i)))}
		var report events.InstanceEvent = events.InstanceRunning{InstanceRef: ref}
		if i >= routable {
			report = events.InstanceStarting{InstanceRef: ref}
		}
		v.seen[process] = app.Observe(v.seen[process], report, v.now)
		if i >= routable+starting {
			v.seen[process] = app.Observe(v.seen[process], events.InstanceCrashed{InstanceRef: ref, Reason: "exit status 1", Crashes: 1}, v.now)
		}
	}
}

// healthy lets all desired instances of all web processes be routable.
func (v *scene) healthy() {
	for _, p := range v.s.Webs() {
		if v.s.Deployment != nil && p.ID == v.s.Deployment.Process {
			v.fresh(p.Instances, 0, 0)
		} else {
			v.old(p.Instances, 0)
		}
	}
}

// old says how the instances of the version before are, each started anew.
func (v *scene) old(routable, starting int) {
	v.life++
	v.seen[v.s.Webs()[0].ID] = anew(with(routable, starting, 0), v.life)
}

// tick lets the updater decide until nothing follows any more, and gives what it decided.
func (v *scene) tick() (types []events.Type) {
	v.Helper()
	for range 50 {
		decided := app.Next(v.s, v.seen, app.Quota{}, v.now)
		if len(decided) == 0 {
			return types
		}
		v.s = must(v, v.s, decided, nil)
		for _, e := range decided {
			types = append(types, e.Type())
		}
	}
	v.Fatal("the updater does not come to rest")
	return nil
}

// wait lets time pass up to the next deadline, which must come after so long.
func (v *scene) wait(want time.Duration) {
	v.Helper()
	at, ok := app.Deadline(v.s, v.seen, v.now)
	if !ok || at.Sub(v.now) != want {
		v.Fatalf("the deadline is %v (%v), in %v, want in %v", at, ok, at.Sub(v.now), want)
	}
	v.now = at
}

func (v *scene) verdict(check, verdict string) {
	v.Helper()
	v.now = v.now.Add(time.Second)
	decided, err := app.Record(v.s, app.RecordCheck{
		Deployment: v.s.Deployment.ID(), Check: check, Verdict: verdict, Value: "0.07", Message: "0.07 is not <= 0.01", At: v.now,
	})
	v.s = must(v, v.s, decided, err)
}

func (v *scene) steer(fn func(app.State, app.Steer) ([]events.Event, error)) {
	v.Helper()
	decided, err := fn(v.s, app.Steer{Deployment: v.s.Deployment.ID(), By: "user/a", Now: v.now})
	v.s = must(v, v.s, decided, err)
}

func (v *scene) outcome() string { return v.s.Ended[len(v.s.Ended)-1].Reason }

func guarded(g events.Guard) app.CreateDeployment {
	return app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 2, Guard: g}}
}

var errorRate = events.Check{
	Name: "errors", Kind: events.CheckPrometheus, URL: "http://prometheus.example.org", Query: "errors", PassWhen: "<= 0.01",
}

// TestFailedCheckRollsBackWithoutADip: the first failure wins; the old version is whole before the new one leaves.
func TestFailedCheckRollsBackWithoutADip(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 4, guarded(events.Guard{Checks: []events.Check{errorRate}}))
	v.healthy()
	v.tick()
	v.healthy()
	v.tick()
	old, fresh := sizes(v.s)
	is.Equal([]int{old, fresh}, []int{0, 4})        // all are new
	is.Equal(v.s.Deployment.Phase(), app.Deploying) // but nobody has asked the check yet
	v.verdict("errors", events.VerdictFail)
	is.Equal(v.s.Deployment.Phase(), app.RollingBack)
	is.Equal(v.s.Deployment.Error, "check errors failed: 0.07 is not <= 0.01")
	is.Equal(v.s.Droplet, events.DropletID("droplet-1")) // current again at once
	v.tick()
	old, fresh = sizes(v.s)
	is.Equal([]int{old, fresh}, []int{4, 4}) // the old ones come, the new ones stay
	v.old(3, 1)
	v.tick()
	old, fresh = sizes(v.s)
	is.Equal([]int{old, fresh}, []int{4, 1}) // one new instance is left for the one that still starts
	v.healthy()
	v.tick()
	is.Equal(v.outcome(), app.ReasonRolledBack)
	is.Equal(len(v.s.Webs()), 1)
	is.Equal(v.s.Webs()[0].Droplet, events.DropletID("droplet-1"))
	again := deploy(t, v.s, 2, 1) // a retry after that works
	is.Equal(again.Deployment.Phase(), app.Deploying)
}

func TestAFewFailuresAreBorneAndDryRunsOnlyLooked(t *testing.T) {
	is := is.New(t)
	borne, dry := errorRate, errorRate
	borne.FailureLimit, dry.Name, dry.DryRun = 1, "dry", true
	v := rollOut(t, 1, guarded(events.Guard{Checks: []events.Check{borne, dry}}))
	v.verdict("dry", events.VerdictFail)
	v.verdict("dry", events.VerdictFail)
	v.verdict("errors", events.VerdictFail)
	is.Equal(v.s.Deployment.Phase(), app.Deploying)
	v.verdict("errors", events.VerdictFail)
	is.Equal(v.s.Deployment.Phase(), app.RollingBack)
	is.Equal(v.s.Deployment.Error, "check errors failed 2 times: 0.07 is not <= 0.01")
}

// TestInconclusiveHoldsTheStep: nothing goes on before the checks have passed since the step was reached, and that does not
// last for ever.
func TestInconclusiveHoldsTheStep(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 1, guarded(events.Guard{Checks: []events.Check{errorRate}, ProgressDeadline: 60}))
	v.verdict("errors", events.VerdictPass) // of the old version: nothing new runs yet
	v.now = v.now.Add(time.Second)
	v.healthy()
	is.Equal(len(v.tick()), 1) // the old one leaves
	v.verdict("errors", events.VerdictInconclusive)
	is.Equal(len(v.tick()), 0)
	v.wait(59 * time.Second)
	v.tick()
	is.Equal(v.s.Deployment.Error, "no progress for 1m0s: 1 of 1 new instances are routable, check errors has not passed")
	is.Equal(v.s.Deployment.Phase(), app.RollingBack)
}

func TestBake(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 2, app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 2, Bake: 300}})
	v.healthy()
	v.tick()
	is.Equal(v.s.Deployment.Phase(), app.Baking)
	old, fresh := sizes(v.s)
	is.Equal([]int{old, fresh}, []int{0, 2})
	v.wait(5 * time.Minute)
	v.tick()
	is.Equal(v.outcome(), app.ReasonDeployed)
}

func TestAlarms(t *testing.T) {
	is := is.New(t)
	alarm := func(v *scene, name string, firing bool) {
		v.now = v.now.Add(time.Second)
		decided, err := app.Receive(v.s, app.Signal{Name: name, Firing: firing, At: v.now})
		v.s = must(t, v.s, decided, err)
	}
	v := rollOut(t, 2, app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 2, Bake: 300}})
	v.healthy()
	v.tick()
	alarm(v, "latency", true)
	v.tick()
	is.Equal(v.s.Deployment.Error, "alarm latency fires") // while it bakes, too
	is.Equal(v.s.Deployment.Phase(), app.RollingBack)
	v.healthy()
	v.tick()
	is.Equal(v.outcome(), app.ReasonRolledBack)
	again, err := app.Receive(v.s, app.Signal{Name: "latency", Firing: true, At: v.now})
	is.NoErr(err)
	is.Equal(len(again), 0) // told twice
	v.now = v.now.Add(time.Second)
	decided, err := app.DeployApp(v.s, app.CreateDeployment{ID: "cure", Droplet: droplet(3), Now: v.now, Options: events.DeploymentOptions{Bake: 60}})
	v.s = must(t, v.s, decided, err)
	v.tick()
	is.Equal(v.s.Deployment.Phase(), app.Deploying) // it fired before: the new version may be the cure
}

func TestOnFailure(t *testing.T) {
	crash := events.Guard{CrashLimit: 2}
	for action, phase := range map[string]app.Phase{
		"": app.RollingBack, events.ThenRollback: app.RollingBack, events.ThenHold: app.Paused, events.ThenCancel: app.Canceling,
	} {
		t.Run(action, func(t *testing.T) {
			is := is.New(t)
			g := crash
			g.OnFailure = action
			v := rollOut(t, 4, guarded(g))
			v.fresh(0, 1, 1)
			v.s = must(t, v.s, app.Next(v.s, v.seen, app.Quota{}, v.now), nil)
			is.Equal(v.s.Deployment.Phase(), app.Deploying) // one crash is borne
			v.fresh(0, 0, 2)                                // the one that crashed does so again
			v.s = must(t, v.s, app.Next(v.s, v.seen, app.Quota{}, v.now), nil)
			is.Equal(v.s.Deployment.Phase(), phase)
			is.Equal(v.s.Deployment.Error, "new instances crashed 3 times, 1 are borne: instance 0: exit status 1")
		})
	}
}

// TestHeldGoesOnWhenToldSo: what failed is forgiven, what fails again counts anew.
func TestHeldGoesOnWhenToldSo(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 2, guarded(events.Guard{CrashLimit: 1, OnFailure: events.ThenHold}))
	v.fresh(0, 1, 1)
	v.tick()
	is.Equal(v.s.Deployment.Phase(), app.Paused)
	v.healthy()
	is.Equal(len(v.tick()), 1) // the old ones make room; nothing else moves until somebody decides
	v.steer(app.ContinueDeployment)
	v.tick()
	is.Equal(v.outcome(), app.ReasonDeployed)
}

func TestCrashPercent(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 4, app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 4, Guard: events.Guard{CrashPercent: 50}}})
	v.fresh(3, 0, 1)
	v.tick()
	is.Equal(v.s.Deployment.Phase(), app.Deploying) // a quarter is borne
	v.fresh(2, 0, 2)
	v.tick()
	is.Equal(v.s.Deployment.Error, "2 of 4 new instances are down: instance 2: exit status 1")
}

func TestProgressDeadlineCountsFromProgress(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 2, app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 1, Guard: events.Guard{
		ProgressDeadline: 100, OnFailure: events.ThenRollback,
	}}})
	v.fresh(0, 1, 0)
	v.tick()
	v.now = v.now.Add(90 * time.Second)
	v.fresh(1, 0, 0)
	v.tick()
	v.wait(100 * time.Second) // anew from the instance that came up
	is.Equal(len(app.Next(v.s, v.seen, app.Quota{}, v.now.Add(-time.Nanosecond))), 0)
	v.tick()
	is.Equal(v.s.Deployment.Error, "no progress for 1m40s: 1 of 2 new instances are routable")
	is.Equal(v.s.Deployment.Phase(), app.RollingBack)
}

// TestWithoutAnActionAFailureIsOnlyTold: Cloud Foundry's rollouts never fail by themselves.
func TestWithoutAnActionAFailureIsOnlyTold(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 2, app.CreateDeployment{})
	is.Equal(v.s.Deployment.Options.ProgressDeadline, app.DefaultProgressDeadline)
	v.fresh(0, 1, 0)
	v.wait(10 * time.Minute)
	is.Equal(len(v.tick()), 0)
	v.s = must(t, v.s, app.Explain(v.s, v.seen, false, app.Quota{}, v.now), nil)
	is.Equal(v.s.Deployment.Error, "no progress for 10m0s: 0 of 2 new instances are routable")
}

func TestStartupTimeout(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 2, guarded(events.Guard{StartupTimeout: 30}))
	v.fresh(1, 1, 0)
	v.tick()
	v.wait(30 * time.Second)
	v.tick()
	is.Equal(v.s.Deployment.Error, "new instance 1 has not become routable within 30s of its start")
}

func TestTimedPauses(t *testing.T) {
	for then, want := range map[string]string{
		events.ThenContinue: app.ReasonDeployed, events.ThenCancel: app.ReasonCanceled, events.ThenHold: "",
	} {
		t.Run(then, func(t *testing.T) {
			is := is.New(t)
			v := rollOut(t, 1, app.CreateDeployment{Strategy: events.StrategyCanary, Options: events.DeploymentOptions{
				CanaryPauses: []events.Pause{{Seconds: 60, Then: then}},
			}})
			v.healthy()
			v.tick()
			is.Equal(v.s.Deployment.Phase(), app.Paused)
			v.wait(time.Minute)
			v.tick()
			if want == "" {
				is.Equal(v.s.Deployment.Phase(), app.Paused)
				return
			}
			is.Equal(v.outcome(), want)
		})
	}
}

// TestBlueGreen: all new instances beside all old ones and without requests, then the switch, then the bake, then the old
// ones leave.
func TestBlueGreen(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 2, app.CreateDeployment{Strategy: events.StrategyBlueGreen, Options: events.DeploymentOptions{Bake: 60}})
	dark := func() (old, fresh bool) { webs := v.s.Webs(); return v.s.Dark(webs[0]), v.s.Dark(webs[1]) }
	before := func(wantOld, wantFresh bool) {
		t.Helper()
		o, f := sizes(v.s)
		is.Equal([]int{o, f}, []int{2, 2})
		old, fresh := dark()
		is.Equal([]bool{old, fresh}, []bool{wantOld, wantFresh})
	}
	before(false, true)
	v.fresh(1, 1, 0)
	v.tick()
	before(false, true)
	v.healthy()
	v.tick()
	before(true, false)
	is.Equal(v.s.Deployment.Phase(), app.Baking)
	back := v.s
	v.wait(time.Minute)
	v.tick()
	is.Equal(v.outcome(), app.ReasonDeployed)
	is.True(!v.s.Dark(v.s.Webs()[0]))

	v.s = back
	v.steer(app.RollBackDeployment)
	v.tick()
	is.Equal(v.outcome(), app.ReasonRolledBack) // at once: the old ones had stayed
	is.True(!v.s.Dark(v.s.Webs()[0]))
}

// TestGrowthCurve: a step begins when its time has come and the one before is healthy.
func TestGrowthCurve(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 4, app.CreateDeployment{Stored: &app.StoredStrategy{ID: "quick", Growth: events.Growth{
		GrowthType: events.GrowthLinear, GrowthFactor: 50, DeploymentDurationMinutes: 10, FinalBakeMinutes: 5,
	}}})
	is.Equal(v.s.Deployment.Strategy, events.StrategyLinear)
	old, fresh := sizes(v.s)
	is.Equal([]int{old, fresh}, []int{4, 2})
	v.now = v.now.Add(6 * time.Minute)
	v.tick()
	is.Equal(v.s.Deployment.CurrentStep(), 1) // its time has come, but nothing is healthy
	v.healthy()
	v.tick()
	is.Equal(v.s.Deployment.CurrentStep(), 2)
	v.healthy()
	v.tick()
	old, fresh = sizes(v.s)
	is.Equal([]int{old, fresh}, []int{0, 4})
	v.wait(4 * time.Minute) // the bake begins with the end of the duration
	v.tick()
	is.Equal(v.s.Deployment.Phase(), app.Baking)
	v.wait(5 * time.Minute)
	v.tick()
	is.Equal(v.outcome(), app.ReasonDeployed)
}

// TestFastRollbackDoesNotWait, and a cancel makes one that waits fast.
func TestFastRollbackDoesNotWait(t *testing.T) {
	is := is.New(t)
	v := rollOut(t, 2, guarded(events.Guard{CrashLimit: 1, Fast: true}))
	v.fresh(0, 1, 1)
	v.tick()
	is.Equal(v.outcome(), app.ReasonRolledBack)

	v = rollOut(t, 2, app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 2, Bake: 60}})
	v.healthy()
	v.tick()
	v.steer(app.RollBackDeployment)
	v.old(0, 2)
	v.tick()
	is.Equal(v.s.Deployment.Phase(), app.RollingBack)
	v.steer(app.CancelDeployment)
	v.tick()
	is.Equal(v.outcome(), app.ReasonCanceled)
}

func TestGuardsAreChecked(t *testing.T) {
	bad := errorRate
	bad.PassWhen = "small"
	for want, o := range map[string]events.DeploymentOptions{
		"Bake in seconds must be between 0 and 86400":       {Bake: -1},
		"On failure must be 'rollback', 'hold' or 'cancel'": {Guard: events.Guard{OnFailure: "panic"}},
		"Crash percent must be between 0 and 100":           {Guard: events.Guard{CrashPercent: 101}},
		`Options check 'errors' pass_when must be a comparison like "<= 0.01", with <, <=, >, >=, == or !=`: {
			Guard: events.Guard{Checks: []events.Check{bad}},
		},
		"Options checks name 'errors' is there twice":                            {Guard: events.Guard{Checks: []events.Check{errorRate, errorRate}}},
		"Options canary steps pause then must be 'continue', 'cancel' or 'hold'": {CanaryPauses: []events.Pause{{Seconds: 5}}},
	} {
		t.Run(want, func(t *testing.T) {
			is := is.New(t)
			decided, err := app.DeployApp(running(t, 1), app.CreateDeployment{ID: "c", Droplet: droplet(2), Options: o, Now: now})
			is.Equal(len(decided), 0)
			is.Equal(message(err), want)
		})
	}
}
