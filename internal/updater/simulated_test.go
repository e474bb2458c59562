package updater_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/aggregates/simulate"
	"slipway/events"
	instances "slipway/internal/agent"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/driver/sim"
	"slipway/internal/commands"
)

// rehearsal is a rollout that is simulated and then done.
type rehearsal struct {
	instances int // of the version before
	deploy    app.CreateDeployment
	crashes   int // the instance of index 1 crashes so often before it runs
	acts      []simulate.Act
	pause     time.Duration
}

// TestSimulationIsWhatHappens runs rollouts twice: simulated, and by the real updater and the real agent with fake instances,
// on a log in memory. They scale the same processes in the same order, at the same time.
func TestSimulationIsWhatHappens(t *testing.T) {
	ten, two := 10, 2
	for name, c := range map[string]rehearsal{
		"rolling":           {instances: 5},
		"three at once":     {instances: 7, deploy: deploys("", events.DeploymentOptions{MaxInFlight: 3})},
		"growing":           {instances: 4, deploy: deploys("", events.DeploymentOptions{MaxInFlight: 2, WebInstances: &ten})},
		"shrinking":         {instances: 8, deploy: deploys("", events.DeploymentOptions{MaxInFlight: 2, WebInstances: &two})},
		"all at once":       {instances: 6, deploy: deploys(events.StrategyAllAtOnce, events.DeploymentOptions{})},
		"canary":            {instances: 10, deploy: deploys(events.StrategyCanary, events.DeploymentOptions{MaxInFlight: 3, CanaryWeights: []int{20, 60}}), pause: 33 * time.Second},
		"crashes":           {instances: 4, deploy: deploys("", events.DeploymentOptions{MaxInFlight: 2}), crashes: 3},
		"canceled":          {instances: 6, deploy: deploys("", events.DeploymentOptions{MaxInFlight: 2}), acts: []simulate.Act{{After: time.Minute, Verb: simulate.Cancel}}},
		"rolled back":       {instances: 6, deploy: deploys("", events.DeploymentOptions{MaxInFlight: 2}), acts: []simulate.Act{{After: time.Minute, Verb: simulate.RollBack}}},
		"rolled back early": {instances: 3, acts: []simulate.Act{{After: time.Second, Verb: simulate.RollBack}}},
		"bakes":             {instances: 4, deploy: deploys(events.StrategyAllAtOnce, events.DeploymentOptions{Bake: 90})},
		"blue-green":        {instances: 4, deploy: deploys(events.StrategyBlueGreen, events.DeploymentOptions{Bake: 60})},
		"timed pause":       {instances: 5, deploy: canary(40*time.Second, 30*time.Second)},
		"grows by time": {instances: 10, deploy: app.CreateDeployment{Stored: &app.StoredStrategy{ID: "s", Growth: events.Growth{
			GrowthType: events.GrowthExponential, GrowthFactor: 10, DeploymentDurationMinutes: 20, FinalBakeMinutes: 5,
		}}}},
		"no progress": {instances: 6, crashes: 99, deploy: deploys("", events.DeploymentOptions{
			MaxInFlight: 3, Guard: events.Guard{OnFailure: events.ThenRollback, ProgressDeadline: 100},
		})},
		"too many crashes": {instances: 6, crashes: 9, deploy: deploys("", events.DeploymentOptions{
			MaxInFlight: 3, Guard: events.Guard{OnFailure: events.ThenRollback, CrashLimit: 4},
		})},
	} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s %d", name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { c.compare(t, seed) })
			})
		}
	}
}

func deploys(strategy string, o events.DeploymentOptions) app.CreateDeployment {
	return app.CreateDeployment{Strategy: strategy, Options: o}
}

// compare runs the rollout both ways.
func (c rehearsal) compare(t *testing.T, seed uint64) {
	is := is.New(t)
	lives := c.lives(seed)
	fresh := events.ProcessID(events.DeriveID("deploy-2", "process", 0))
	r := newRig(t, c.instances)
	runs := r.realAgent(t, func(s driver.Spec, start int) sim.Life {
		if s.Process != fresh && start == 1 {
			return sim.Life{} // it ran before
		}
		if s.Process != fresh {
			start--
		}
		return faked(lives(simulate.Start{New: s.Process == fresh, Index: s.Index, Number: start}))
	})
	stop := start(t, r.updater(), runs)
	defer stop()
	r.probedLong(t)
	synctest.Wait() // the old ones run

	c.deploy.ID, c.deploy.Now = "deploy-2", time.Now().UTC()
	c.deploy.Droplet = &app.Droplet{ID: "d-2", App: "hello", Staged: true, ProcessTypes: map[string]string{"web": "./web"}}
	before, err := r.apps.Load(t.Context(), "hello")
	is.NoErr(err)
	in := simulate.Input{App: before.State, Deploy: c.deploy, Lives: lives, Acts: c.acts}
	if c.pause > 0 {
		in.Pauses = simulate.EachLasts(c.pause)
	}
	want, err := simulate.Run(in)
	is.NoErr(err)
	r.decide(t, "deploy-2", func(s app.State) ([]events.Event, error) { return app.DeployApp(s, c.deploy) })
	c.people(t, r)
	ended := r.awaitFor(t, time.Hour, "the rollout is over", deployed)
	is.Equal(ended.Ended[len(ended.Ended)-1].Reason, want.Outcome)
	is.Equal(r.scalings(t, before.Position.Sequence, c.deploy.Now), scalings(want))
}

// probedLong lets one probe last until an instance is healthy, so that it is seen at the very moment.
func (r *rig) probedLong(t *testing.T) {
	check := events.HealthCheck{Kind: events.HealthCheckPort, TimeoutSeconds: 120, InvocationTimeoutSeconds: 120}
	r.decide(t, "check", func(s app.State) ([]events.Event, error) {
		return app.UpdateProcess(s, app.Update{Process: s.Webs()[0].ID, HealthCheck: &check})
	})
}

// lives is what becomes of each start: each takes another time, to the nanosecond, so that no two things happen at once.
func (c rehearsal) lives(seed uint64) simulate.Lives {
	startup := simulate.Startup{Time: 5 * time.Second, Spread: 20 * time.Second, Seed: seed}.Lives()
	return func(s simulate.Start) simulate.Life {
		life := startup(s)
		if s.New && s.Index == 1 && s.Number <= c.crashes {
			life.Crashes, life.Crash = true, life.Routable/2
		}
		return life
	}
}

func faked(l simulate.Life) sim.Life {
	if l.Crashes {
		return sim.Life{NeverHealthy: true, ExitAfter: l.Crash, ExitStatus: 1}
	}
	return sim.Life{HealthyAfter: l.Routable}
}

// people continue pauses and do what the case says.
func (c rehearsal) people(t *testing.T, r *rig) {
	for _, act := range c.acts {
		time.AfterFunc(act.After, func() {
			r.decide(t, "act", func(s app.State) ([]events.Event, error) {
				steer := app.Steer{Deployment: s.Deployment.ID(), By: "tester", Now: time.Now().UTC()}
				if act.Verb == simulate.Cancel {
					return app.CancelDeployment(s, steer)
				}
				return app.RollBackDeployment(s, steer)
			})
		})
	}
	for range len(c.deploy.Options.CanaryWeights) {
		s := r.awaitFor(t, time.Hour, "it pauses", func(s app.State) bool { return s.Deployment != nil && s.Deployment.AtPause })
		<-time.After(c.pause)
		r.decide(t, fmt.Sprintf("continue-%d", s.Deployment.Step), func(s app.State) ([]events.Event, error) {
			return app.ContinueDeployment(s, app.Steer{Deployment: s.Deployment.ID(), By: "tester", Now: time.Now().UTC()})
		})
	}
}

// realAgent is the agent of production with fake instances.
func (r *rig) realAgent(t *testing.T, script sim.Script) func(context.Context) error {
	t.Helper()
	a, err := instances.New(instances.Config{
		ID: "agent-1", Driver: sim.New(script), Source: instances.Apps{Log: r.log, Apps: commands.Apps(r.log, nil)}, Log: r.log,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a.Run
}

// grain is how exactly times are compared: writers that lose a race try again a moment later.
const grain = 10 * time.Millisecond

// scalings are the scale events of the log after a sequence.
func (r *rig) scalings(t *testing.T, after events.Sequence, began time.Time) (lines []string) {
	t.Helper()
	err := r.log.Read(t.Context(), events.AppSubject("hello"), after, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			at := c.Time.Sub(began).Round(grain)
			switch e := e.(type) {
			case events.ProcessCreated:
				lines = append(lines, scaling(at, e.Process, 0, e.Instances))
			case events.ProcessScaled:
				lines = append(lines, scaling(at, e.Process, e.From, e.Instances))
			case events.ProcessDeleted:
				lines = append(lines, scaling(at, e.Process, -1, 0))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func scalings(f simulate.Forecast) (lines []string) {
	for _, m := range f.Timeline {
		if m.Type == events.TypeProcessDeleted {
			m.From = -1
		}
		if m.Scales() {
			lines = append(lines, scaling(m.After.Round(grain), m.Process, m.From, m.To))
		}
	}
	return lines
}

func scaling(at time.Duration, p events.ProcessID, from, to int) string {
	return fmt.Sprintf("%v %s %d->%d", at, p, from, to)
}
