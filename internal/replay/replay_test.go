package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/aggregates/simulate"
	"slipway/events"
	"slipway/internal/agent"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/driver/sim"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/replay"
	"slipway/internal/updater"
)

// world is the real updater and the real agent with fake instances, on a log in memory.
type world struct {
	t    *testing.T
	log  *eventlog.Memory
	apps *eventlog.Repository[app.State]
	ids  int
}

func newWorld(t *testing.T, instances int, script sim.Script) *world {
	t.Helper()
	log := eventlog.NewMemory(events.NewRegistry())
	w := &world{t: t, log: log, apps: commands.Apps(log, nil)}
	w.decide(func(s app.State, id events.CommandID) ([]events.Event, error) {
		return app.CreateApp(s, app.Create{ID: "hello", Name: "hello", Space: "default"})
	})
	w.deploy(1, app.CreateDeployment{Options: events.DeploymentOptions{WebInstances: &instances}})
	a, err := agent.New(agent.Config{
		ID: "agent-1", Driver: sim.New(script), Source: agent.Apps{Log: log, Apps: commands.Apps(log, nil)}, Log: log,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, run := range []func(context.Context) error{
		a.Run, updater.New(log, eventlog.NewMemoryTimers(), commands.Apps(log, nil), nil, slog.New(slog.DiscardHandler)).Run,
	} {
		wg.Go(func() { _ = run(ctx) })
	}
	t.Cleanup(func() { cancel(); wg.Wait() })
	w.pass(time.Minute) // the first version runs
	return w
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (w *world) decide(fn func(app.State, events.CommandID) ([]events.Event, error)) app.State {
	w.t.Helper()
	w.ids++
	id := events.CommandID(fmt.Sprintf("c-%d", w.ids))
	out, err := w.apps.Decide(context.Background(), "hello", eventlog.Meta{CommandID: id, Actor: "user/a", Time: time.Now().UTC()},
		func(s app.State) ([]events.Event, error) { return fn(s, id) })
	if err != nil {
		w.t.Fatal(err)
	}
	return out.State
}

// deploy begins a rollout of the n-th droplet.
func (w *world) deploy(n int, c app.CreateDeployment) (id events.DeploymentID) {
	w.t.Helper()
	w.decide(func(s app.State, command events.CommandID) ([]events.Event, error) {
		c.ID, c.Now = command, time.Now().UTC()
		c.Droplet = &app.Droplet{ID: events.DropletID(fmt.Sprint("d-", n)), App: "hello", Staged: true, ProcessTypes: map[string]string{"web": "./web"}}
		id = c.DeploymentID()
		return app.DeployApp(s, c)
	})
	return id
}

func (w *world) steer(fn func(app.State, app.Steer) ([]events.Event, error)) {
	w.t.Helper()
	w.decide(func(s app.State, _ events.CommandID) ([]events.Event, error) {
		return fn(s, app.Steer{Deployment: s.Deployment.ID(), By: "user/a", Now: time.Now().UTC()})
	})
}

func (w *world) read(id events.DeploymentID) replay.Rollout {
	w.t.Helper()
	r, err := replay.Read(context.Background(), w.log, events.NewRegistry(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// uneven is instances that take different times to start; of the new version index 2 crashes twice first.
func uneven(s driver.Spec, start int) sim.Life {
	if s.Process != "hello" && s.Index == 2 && start <= 2 {
		return sim.Life{NeverHealthy: true, ExitAfter: 3 * time.Second, ExitStatus: 1}
	}
	return sim.Life{HealthyAfter: 5*time.Second + time.Duration(s.Index)*777*time.Millisecond + time.Duration(start)*31*time.Millisecond}
}

// TestReplayIsWhatHappened: simulated with its own options a past rollout is decided as it was, whatever people did.
func TestReplayIsWhatHappened(t *testing.T) {
	for name, c := range map[string]struct {
		ask    app.CreateDeployment
		people func(*world)
		want   string
	}{
		"rolling": {app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 2}}, nil, app.ReasonDeployed},
		"canary continued": {app.CreateDeployment{Strategy: events.StrategyCanary, Options: events.DeploymentOptions{CanaryWeights: []int{20, 60}}},
			func(w *world) {
				w.pass(40 * time.Second)
				w.steer(app.ContinueDeployment)
				w.pass(2 * time.Minute)
				w.steer(app.ContinueDeployment)
			}, app.ReasonDeployed},
		"canary canceled at its second pause": {app.CreateDeployment{Strategy: events.StrategyCanary, Options: events.DeploymentOptions{CanaryWeights: []int{20, 60}}},
			func(w *world) {
				w.pass(40 * time.Second)
				w.steer(app.ContinueDeployment)
				w.pass(5 * time.Minute)
				w.steer(app.CancelDeployment)
			}, app.ReasonCanceled},
		"rolled back by somebody": {app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 2}},
			func(w *world) { w.pass(15 * time.Second); w.steer(app.RollBackDeployment) }, app.ReasonRolledBack},
		"rolled back by itself": {app.CreateDeployment{Options: events.DeploymentOptions{
			MaxInFlight: 3, Guard: events.Guard{OnFailure: events.ThenRollback, CrashLimit: 2},
		}}, nil, app.ReasonRolledBack},
		"superseded": {app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 1}},
			func(w *world) { w.pass(20 * time.Second); w.deploy(3, app.CreateDeployment{}) }, app.ReasonSuperseded},
		"approved after a while": {app.CreateDeployment{By: "user/a", Judgement: &app.Judgement{Context: []byte(`{}`), Verdicts: []events.PolicyVerdict{
			{Policy: "p", Name: "four eyes", Outcome: events.OutcomeApproval, Needed: 1, Approvers: []string{"user/b"}},
		}}},
			func(w *world) {
				w.pass(time.Minute)
				w.decide(func(s app.State, _ events.CommandID) ([]events.Event, error) {
					return app.ApproveDeployment(s, app.Answer{Deployment: s.Requests[0].Deployment, By: "user/b", Now: time.Now().UTC()})
				})
			}, app.ReasonDeployed},
		"growth": {app.CreateDeployment{Schedule: "first-step-later", Stored: &app.StoredStrategy{ID: "s", Growth: events.Growth{
			GrowthType: events.GrowthLinear, GrowthFactor: 40, DeploymentDurationMinutes: 9, FinalBakeMinutes: 3,
		}}}, nil, app.ReasonDeployed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				is := is.New(t)
				w := newWorld(t, 5, uneven)
				id := w.deploy(2, c.ask)
				if c.people != nil {
					c.people(w)
				}
				w.pass(time.Hour)
				r := w.read(id)
				is.Equal(r.Outcome, c.want)
				is.True(len(r.Scalings) > 1)
				p, err := r.Prove()
				is.NoErr(err)
				if !p.Same || p.Apart > 100*time.Millisecond || p.Simulated.Outcome != c.want {
					t.Fatalf("%s: %+v, recorded %v", p.Simulated.Outcome, p, r.Scalings)
				}
				is.Equal(p.Simulated.Lowest.Serving(), r.Lowest.Serving())
				is.Equal(len(r.Notes), 0)
			})
		})
	}
}

// TestReplayWith: other options show what they would have done, with the instances that there were.
func TestReplayWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t, 5, uneven)
		id := w.deploy(2, app.CreateDeployment{Options: events.DeploymentOptions{MaxInFlight: 1}})
		w.pass(time.Hour)
		r := w.read(id)
		p, err := r.Prove()
		is.NoErr(err)
		is.True(p.Same)
		for change, check := range map[string]func(f simulate.Forecast){
			"max_in_flight=5": func(f simulate.Forecast) {
				is.Equal(f.Outcome, app.ReasonDeployed)
				is.True(*f.Finished < r.Took) // it crashes as often, and is faster
				is.True(f.Peak.Instances > r.Peak)
			},
			"strategy=canary,steps=20/60": func(f simulate.Forecast) {
				is.Equal(f.Outcome, simulate.Waiting) // nobody continued anything in what was recorded
				is.Equal(len(f.Steps), 3)
			},
			"breaker.crashes=1,on_failure=rollback": func(f simulate.Forecast) { is.Equal(f.Outcome, app.ReasonRolledBack) },
			"bake_in_seconds=60": func(f simulate.Forecast) {
				is.Equal((*f.Finished - *p.Simulated.Finished).Round(time.Second), time.Minute)
			},
		} {
			ask, err := r.With(strings.Split(change, ","))
			is.NoErr(err)
			f, err := r.Simulate(ask)
			is.NoErr(err)
			check(f)
		}
		var b bytes.Buffer
		ask, _ := r.With([]string{"max_in_flight=5"})
		other, _ := r.Simulate(ask)
		is.NoErr(r.WriteText(&b, p, "max_in_flight=5", &other, 0))
		t.Log(b.String())
		is.True(strings.Contains(b.String(), "The rules decide today what they decided then: the same 10 scale events"))
		is.True(strings.Contains(b.String(), "WITH max_in_flight=5"))
	})
}

func TestReplayRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		w := newWorld(t, 1, nil)
		id := w.deploy(2, app.CreateDeployment{})
		w.pass(time.Minute)
		_, err := replay.Read(t.Context(), w.log, events.NewRegistry(), "01M80DAPAKVAQJMW71G7J7RG54")
		is.True(errors.Is(err, replay.ErrUnknown))
		r := w.read(id)
		for change, want := range map[string]string{
			"fast":             "want key=value",
			"max_in_flight=no": "Max in flight must be an integer greater than 0",
			"colour=red":       "Options has unsupported key(s): colour",
			"steps=50":         "Options canary are only valid for Canary deployments",
			"strategy=up":      "Strategy 'up' is not a supported deployment strategy",
		} {
			ask, err := r.With([]string{change})
			if err == nil {
				_, err = r.Simulate(ask)
			}
			is.True(err != nil)
			is.True(strings.Contains(err.Error(), want)) // says what to do
		}
	})
}
