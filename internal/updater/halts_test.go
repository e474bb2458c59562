package updater_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/aggregates/halt"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/halts"
	"slipway/internal/natsboot/natstest"
)

// halt declares a halt until a time; the zero time is until it is lifted.
func (r *rig) halt(t testing.TB, c halt.Declaration) {
	t.Helper()
	r.decideHalt(t, func(s halt.State) ([]events.Event, error) { return halt.Declare(s, c) })
}

func (r *rig) lift(t testing.TB, id events.HaltID) {
	t.Helper()
	r.decideHalt(t, func(s halt.State) ([]events.Event, error) { return halt.Lift(s, id, "user/ann", time.Now().UTC()), nil })
}

func (r *rig) decideHalt(t testing.TB, decide func(halt.State) ([]events.Event, error)) {
	t.Helper()
	m := eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: "user/ann", Time: time.Now().UTC()}
	_, err := halts.New(r.log).Decide(t.Context(), m, decide)
	is.New(t).NoErr(err)
}

func declaration(until time.Time) halt.Declaration {
	return halt.Declaration{Halt: "h", Reason: "incident", By: "user/ann", Now: time.Now().UTC(), Until: until}
}

// unattended runs a test in a bubble of its own time with an agent and an updater at work.
func unattended(t *testing.T, test func(*testing.T, *is.I, *rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 4)
		stopAgent, stop := start(t, r.agent(nil)), start(t, r.updater())
		test(t, is.New(t), r)
		stop()
		stopAgent()
	})
}

func halted(s app.State) bool { return s.Deployment != nil && s.Deployment.Halt != "" }

// TestAHaltHoldsARollout: halted it stands still though its instances are healthy; lifted it goes on where it was.
func TestAHaltHoldsARollout(t *testing.T) {
	is := is.New(t)
	r := newRig(t, 4)
	start(t, r.updater())
	r.deploy(t, 2, nil)
	r.halt(t, declaration(time.Time{}))
	s := r.await(t, "it is halted", halted)
	is.Equal(s.Deployment.Error, "rollouts are halted by user/ann: incident")
	start(t, r.agent(nil))
	r.awaitReport(t, s.Deployment.Process)
	r.lift(t, "h")
	r.await(t, "it is deployed", deployed)
	is.Equal(r.between(t, events.TypeDeploymentHalted, events.TypeDeploymentResumed), []events.Type{events.TypeDeploymentErrorRecorded})
}

// TestAHaltHoldsThoughQuotasDoNotAnswer: it waits for nothing but the log.
func TestAHaltHoldsThoughQuotasDoNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 4)
		var away atomic.Bool
		r.quotas = func(context.Context, app.State) (app.Quota, error) {
			if away.Load() {
				return app.Quota{}, eventlog.ErrUnavailable
			}
			return app.Quota{}, nil
		}
		stop := start(t, r.updater())
		r.deploy(t, 2, nil)
		r.await(t, "it misses its instances", func(s app.State) bool { return s.Deployment != nil && s.Deployment.Error != "" })
		away.Store(true)
		r.halt(t, declaration(time.Time{}))
		r.await(t, "it is halted", halted)
		stop()
	})
}

// attentive is a log that knows which apps were looked at, in order.
type attentive struct {
	eventlog.Log
	mu   sync.Mutex
	apps []string
}

func (a *attentive) Last(ctx context.Context, s events.Subject) (events.Sequence, error) {
	if aggregate, id, _ := s.Split(); aggregate == events.AggregateApp {
		a.mu.Lock()
		a.apps = append(a.apps, id)
		a.mu.Unlock()
	}
	return a.Log.Last(ctx, s)
}

// TestAHaltComesFirstToWhatIsKnown: of all apps those first whose rollouts the updater knows, and each app once.
func TestAHaltComesFirstToWhatIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		log := &attentive{Log: eventlog.NewMemory(events.NewRegistry())}
		r := newRigOn(t, log, eventlog.NewMemoryTimers(), 2)
		for i := range 100 {
			r.create(t, events.AppID(fmt.Sprintf("idle-%d", i)))
		}
		for _, id := range []events.AppID{"b", "c", "a"} {
			r.roll(t, id)
		}
		stop := start(t, r.updater())
		<-time.After(time.Hour)
		synctest.Wait() // an alarm rings at this very moment
		log.apps = nil
		declared := time.Now()
		r.halt(t, declaration(time.Time{}))
		<-time.After(time.Hour)
		stop()
		last := slices.IndexFunc(log.apps, func(id string) bool { return len(id) > 1 })
		known := slices.Compact(slices.Sorted(slices.Values(log.apps[:last])))
		is.Equal(known, []string{"a", "b", "c"})
		for _, id := range known {
			is.NoErr(r.log.Read(t.Context(), events.AppSubject(events.AppID(id)), 0, 0, func(c events.Recorded) error {
				if c.Events[0].Type() == events.TypeDeploymentHalted {
					is.Equal(c.Time, declared.UTC()) // at once
				}
				return nil
			}))
		}
		idle := slices.DeleteFunc(log.apps, func(id string) bool { return slices.Contains(known, id) })
		is.Equal(len(idle), 101) // hello too
		is.Equal(r.told.at(slog.LevelWarn), nil)
	})
}

// awaitReport waits for the first report on a process.
func (r *rig) awaitReport(t testing.TB, id events.ProcessID) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	reported := false
	err := r.log.Follow(ctx, eventlog.Query{Filters: []string{string(events.InstanceSubject(id))}}, func([]events.Recorded) error {
		reported = true
		cancel()
		return nil
	})
	if err != nil || !reported {
		t.Fatalf("waited in vain for a report on %s: %v", id, err)
	}
}

// between gives the types of the events after the first of one type and before the first of another.
func (r *rig) between(t testing.TB, from, to events.Type) []events.Type {
	t.Helper()
	all := r.types(t)
	return all[slices.Index(all, from)+1 : slices.Index(all, to)]
}

// types gives those of all events of the app.
func (r *rig) types(t testing.TB) (all []events.Type) {
	t.Helper()
	is.New(t).NoErr(r.log.Read(t.Context(), events.AppSubject("hello"), 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			all = append(all, e.Type())
		}
		return nil
	}))
	return all
}

// TestAHaltElsewhere holds nothing here.
func TestAHaltElsewhere(t *testing.T) {
	is := is.New(t)
	r := newRig(t, 4)
	start(t, r.updater(), r.agent(nil))
	c := declaration(time.Time{})
	c.Space = "elsewhere"
	r.halt(t, c)
	r.deploy(t, 2, nil)
	r.await(t, "it is deployed", deployed)
	is.Equal(len(r.when(t, events.TypeDeploymentHalted)), 0)
}

// TestAHaltEndsByItself at its time, to the nanosecond, whether its updater lives or another one starts meanwhile or later.
func TestAHaltEndsByItself(t *testing.T) {
	for name, away := range map[string]time.Duration{"watched": 0, "back in time": 30 * time.Minute, "back too late": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				is := is.New(t)
				r := newRig(t, 4)
				stopAgent, stop := start(t, r.agent(nil)), start(t, r.updater())
				until := time.Now().UTC().Add(time.Hour)
				r.halt(t, declaration(until))
				r.deploy(t, 2, nil)
				r.await(t, "it is halted", halted)
				if away > 0 {
					stop()
					time.Sleep(away)
					r.timers = eventlog.NewMemoryTimers()
					stop = start(t, r.updater())
				}
				r.awaitFor(t, 3*time.Hour, "it is deployed", deployed)
				want := until
				if away > time.Hour {
					want = until.Add(away - time.Hour)
				}
				is.Equal(r.when(t, events.TypeDeploymentResumed), []time.Time{want})
				stop()
				stopAgent()
			})
		})
	}
}

// request asks for the n-th droplet, about which the policies have something to say.
func (r *rig) request(t testing.TB, n int, verdicts ...events.PolicyVerdict) {
	t.Helper()
	r.deployAs(t, n, app.CreateDeployment{By: "user/ann", Judgement: &app.Judgement{Verdicts: verdicts}})
}

// TestAWindowOpens: a deployment that waits for a window begins by itself when it opens, though the app has no rollout.
func TestAWindowOpens(t *testing.T) {
	unattended(t, func(t *testing.T, is *is.I, r *rig) {
		opens := time.Now().UTC().Add(7 * time.Hour)
		r.requestHeld(t, "night", opens)
		r.awaitFor(t, 8*time.Hour, "it is deployed", deployed)
		is.Equal(r.when(t, events.TypeDeploymentCreated)[1:], []time.Time{opens})
		is.Equal(len(r.when(t, events.TypeDeploymentHeld)), 0) // the request has said it
	})
}

// TestAWindowOpensInAHalt: what waits for a window begins when the halt that outlasts it is over.
func TestAWindowOpensInAHalt(t *testing.T) {
	unattended(t, func(t *testing.T, is *is.I, r *rig) {
		opens, ends := time.Now().UTC().Add(time.Hour), time.Now().UTC().Add(2*time.Hour)
		r.requestHeld(t, "night", opens)
		r.halt(t, declaration(ends))
		r.awaitFor(t, 8*time.Hour, "it is deployed", deployed)
		is.Equal(r.when(t, events.TypeDeploymentCreated)[1:], []time.Time{ends})
	})
}

// TestNobodyAnswers: a request is taken back at the moment from which no answer would count.
func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t, 4)
		stop := start(t, r.updater())
		expires := time.Now().UTC().Add(time.Hour)
		r.request(t, 2, events.PolicyVerdict{
			Policy: "p", Name: "four eyes", Outcome: events.OutcomeApproval, Needed: 1, Approvers: []string{"user/bob"}, Expires: expires,
		})
		r.awaitFor(t, 2*time.Hour, "it is taken back", func(s app.State) bool { return len(s.Requests) == 0 && len(s.Ended) > 1 })
		is.Equal(r.when(t, events.TypeDeploymentWithdrawn), []time.Time{expires})
		stop()
	})
}

// BenchmarkHalt measures on the embedded server how long a halt takes to hold 200 rollouts: from its acknowledgement to the
// moment the last of their deployment.halted is in the log and seen.
func BenchmarkHalt(b *testing.B) {
	const rollouts = 200
	nc := natstest.Connect(b)
	log, err := eventlog.Open(b.Context(), nc, events.NewRegistry(), eventlog.Config{})
	if err != nil {
		b.Fatal(err)
	}
	timers, err := eventlog.OpenTimers(b.Context(), nc, eventlog.Config{})
	if err != nil {
		b.Fatal(err)
	}
	r := &rig{log: log, timers: timers, apps: commands.Apps(log, nil)}
	for i := range rollouts {
		r.roll(b, events.AppID(fmt.Sprintf("app-%d", i)))
	}
	changed := make(chan events.Type, 4*rollouts)
	start(b, r.updater(), func(ctx context.Context) error {
		return log.Follow(ctx, eventlog.Query{Filters: []string{events.AllAppSubjects}}, func(batch []events.Recorded) error {
			for _, c := range batch {
				changed <- c.Events[0].Type()
			}
			return nil
		})
	})
	await := func(n int, what events.Type) {
		for n > 0 {
			if <-changed == what {
				n--
			}
		}
	}
	await(rollouts, events.TypeDeploymentErrorRecorded) // it misses their instances: the updater knows all of them now
	var held []time.Duration
	for b.Loop() {
		d := declaration(time.Time{})
		d.Halt = events.HaltID(events.NewID()) // one that is over never holds again
		r.halt(b, d)
		began := time.Now()
		await(rollouts, events.TypeDeploymentHalted)
		held = append(held, time.Since(began))
		r.lift(b, d.Halt)
		await(rollouts, events.TypeDeploymentResumed)
	}
	slices.Sort(held)
	b.ReportMetric(float64(held[len(held)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(held[len(held)-1].Microseconds())/1000, "worst-ms")
}

// create makes a further app.
func (r *rig) create(t testing.TB, id events.AppID) {
	t.Helper()
	r.decideOn(t, id, func(s app.State, _ events.CommandID) ([]events.Event, error) {
		return app.CreateApp(s, app.Create{ID: id, Name: string(id), Space: "default"})
	})
}

// roll begins a rollout of a further app, which waits for its instances.
func (r *rig) roll(t testing.TB, id events.AppID) {
	t.Helper()
	r.create(t, id)
	for _, d := range []events.DropletID{"d-1", "d-2"} {
		r.decideOn(t, id, func(s app.State, c events.CommandID) ([]events.Event, error) {
			return app.DeployApp(s, rollout(id, c, d))
		})
	}
}

func (r *rig) decideOn(t testing.TB, id events.AppID, decide func(app.State, events.CommandID) ([]events.Event, error)) {
	t.Helper()
	m := eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: "tester", Time: time.Now().UTC()}
	_, err := r.apps.Decide(t.Context(), string(id), m, func(s app.State) ([]events.Event, error) { return decide(s, m.CommandID) })
	is.New(t).NoErr(err)
}

func rollout(id events.AppID, c events.CommandID, d events.DropletID) app.CreateDeployment {
	return app.CreateDeployment{ID: c, Now: time.Now().UTC(), Droplet: &app.Droplet{
		ID: d, App: id, Staged: true, ProcessTypes: map[string]string{"web": "./web"},
	}}
}
