package checks_test

import (
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
	"slipway/aggregates/check"
	"slipway/events"
	"slipway/internal/checks"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
)

var (
	good    = check.Finding{Verdict: events.VerdictPass, Value: "0", Threshold: "< 1", Message: "0 is < 1"}
	bad     = check.Finding{Verdict: events.VerdictFail, Value: "7", Threshold: "< 1", Message: "7 is not < 1"}
	nothing = check.NotAsked("nobody there")
)

// oracle answers questions with what the test says, and notes when each was asked.
type oracle struct {
	answer func(ctx context.Context, q checks.Question) check.Finding

	mu    sync.Mutex
	asked []question
}

type question struct {
	name string
	at   time.Duration // after its rollout began
}

func (o *oracle) Ask(ctx context.Context, q checks.Question) check.Finding {
	o.mu.Lock()
	o.asked = append(o.asked, question{q.Name, time.Since(q.Started)})
	o.mu.Unlock()
	return o.answer(ctx, q)
}

// heard is when a check was asked.
func (o *oracle) heard(name string) (at []time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range o.asked {
		if q.name == name {
			at = append(at, q.at)
		}
	}
	return at
}

func always(f check.Finding) *oracle {
	return &oracle{answer: func(context.Context, checks.Question) check.Finding { return f }}
}

// rig is a log with one running app, and one rollout of it that checks watch. Nothing moves it.
type rig struct {
	t    *testing.T
	log  eventlog.Log
	apps *eventlog.Repository[app.State]
	ids  int
}

func newRig(t *testing.T, watched ...events.Check) *rig {
	t.Helper()
	log := eventlog.NewMemory(events.NewRegistry())
	r := &rig{t: t, log: log, apps: commands.Apps(log, nil)}
	r.decide(func(s app.State) ([]events.Event, error) {
		return app.CreateApp(s, app.Create{ID: "hello", Name: "hello", Space: "default"})
	})
	r.deploy()
	if len(watched) > 0 {
		r.deploy(watched...)
	}
	return r
}

func (r *rig) decide(fn func(app.State) ([]events.Event, error)) app.State {
	r.t.Helper()
	r.ids++
	out, err := r.apps.Decide(r.t.Context(), "hello", eventlog.Meta{
		CommandID: events.CommandID(fmt.Sprintf("c-%d", r.ids)), Actor: "tester", Time: time.Now().UTC(),
	}, fn)
	if err != nil {
		r.t.Fatal(err)
	}
	return out.State
}

func (r *rig) deploy(watched ...events.Check) app.State {
	r.t.Helper()
	id := events.CommandID(fmt.Sprintf("deploy-%d", r.ids))
	return r.decide(func(s app.State) ([]events.Event, error) {
		return app.DeployApp(s, app.CreateDeployment{
			ID: id, Now: time.Now().UTC(),
			Droplet: &app.Droplet{
				ID: events.DropletID(fmt.Sprintf("d-%d", r.ids)), App: "hello", Staged: true, ProcessTypes: map[string]string{"web": "./web"},
			},
			Options: events.DeploymentOptions{Guard: events.Guard{Checks: watched}},
		})
	})
}

// steer does something to the rollout going on.
func (r *rig) steer(do func(app.State, app.Steer) ([]events.Event, error)) {
	r.t.Helper()
	r.decide(func(s app.State) ([]events.Event, error) {
		return do(s, app.Steer{Deployment: s.Deployment.ID(), By: "tester", Now: time.Now().UTC()})
	})
}

// run starts runners that ask somebody. stop ends them and waits for that.
func (r *rig) run(runners int, asker checks.Asker) (stop func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	var wg sync.WaitGroup
	for range runners {
		wg.Go(func() {
			if err := checks.New(r.log, commands.Apps(r.log, nil), asker, slog.New(slog.DiscardHandler)).Run(ctx); err != nil {
				r.t.Errorf("the runner ended: %v", err)
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// recorded are the verdicts on record.
func (r *rig) recorded() (all []events.DeploymentCheckRecorded) {
	r.t.Helper()
	r.each(func(e events.Event) {
		if e, ok := e.(events.DeploymentCheckRecorded); ok {
			all = append(all, e)
		}
	})
	return all
}

func (r *rig) each(fn func(events.Event)) {
	r.t.Helper()
	err := r.log.Read(r.t.Context(), events.AppSubject("hello"), 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			fn(e)
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) state() app.State {
	r.t.Helper()
	agg, err := r.apps.Load(r.t.Context(), "hello")
	if err != nil {
		r.t.Fatal(err)
	}
	return agg.State
}

// pass lets time go by, and what is to happen in it.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// probe is a check that is asked each so many seconds.
func probe(name string, interval int) events.Check {
	return events.Check{Name: name, Kind: events.CheckHTTP, URL: "http://hello.localhost/", Interval: interval}
}

func seconds(n ...int) (all []time.Duration) {
	for _, n := range n {
		all = append(all, time.Duration(n)*time.Second)
	}
	return all
}

func TestAskedAtWholeIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t, probe("often", 3), probe("seldom", 10))
		pass(1700 * time.Millisecond) // when a runner starts does not matter
		o := always(good)
		stop := r.run(1, o)
		pass(29 * time.Second)
		stop()
		is.Equal(o.heard("often"), seconds(3, 6, 9, 12, 15, 18, 21, 24, 27, 30))
		is.Equal(o.heard("seldom"), seconds(10, 20, 30))
		started := r.state().Deployment.StartedAt
		for _, e := range r.recorded() {
			is.Equal(e.At.Sub(started)%(3*time.Second) == 0 || e.At.Sub(started)%(10*time.Second) == 0, true) // the moment itself
			is.Equal(e.Verdict, events.VerdictPass)
			is.Equal([]string{e.Value, e.Threshold, e.Message}, []string{"0", "< 1", "0 is < 1"})
		}
		is.Equal(len(r.recorded()), 13)
	})
}

func TestBegunWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t)
		o := always(good)
		stop := r.run(1, o)
		pass(500 * time.Millisecond)
		r.deploy(probe("a", 2))
		pass(3 * time.Second)
		r.deploy(probe("b", 2)) // supersedes it
		pass(5 * time.Second)
		r.deploy() // has no checks
		pass(9 * time.Second)
		stop()
		is.Equal(o.heard("a"), seconds(2))
		is.Equal(o.heard("b"), seconds(2, 4))
	})
}

// TestManyRunnersCountOnce: several runners ask the same; each moment counts once, so the limit holds.
func TestManyRunnersCountOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		c := probe("a", 2)
		c.FailureLimit = 2
		r := newRig(t, c)
		o := always(bad)
		stop := r.run(4, o)
		defer stop()
		pass(5 * time.Second)
		is.Equal(len(o.heard("a")), 8) // four runners, two moments
		is.Equal(len(r.recorded()), 2) // two verdicts
		is.True(r.state().Asked())     // which are borne
		pass(time.Second)              // the third one is not
		is.True(!r.state().Asked())    // it goes back
		is.Equal(len(r.recorded()), 3) // and nobody asks any more
		pass(20 * time.Second)
		is.Equal(len(r.recorded()), 3)
	})
}

// TestStartedAnewAtAnyMoment: a runner is ended and started again every few milliseconds, in the midst of questions too.
func TestStartedAnewAtAnyMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		c := probe("a", 1)
		c.FailureLimit = 1000
		r := newRig(t, c)
		o := &oracle{answer: func(ctx context.Context, _ checks.Question) check.Finding {
			wait := time.NewTimer(400 * time.Millisecond)
			defer wait.Stop()
			select {
			case <-wait.C:
				return bad
			case <-ctx.Done():
				return nothing
			}
		}}
		for lives := range 60 {
			stop := r.run(1, o)
			pass(time.Duration(137+lives*29) * time.Millisecond)
			stop()
		}
		at := map[time.Time]bool{}
		for _, e := range r.recorded() {
			is.Equal(e.Verdict, events.VerdictFail) // what was given up is no verdict
			is.True(!at[e.At])                      // of a moment counts one
			at[e.At] = true
		}
		is.Equal(r.state().Deployment.Checks["a"].Failures, len(at))
		is.True(len(at) > 5)
	})
}

func TestASlowAnswerLeavesMomentsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		c := probe("a", 2)
		c.Timeout = 2
		r := newRig(t, c)
		o := &oracle{answer: func(ctx context.Context, _ checks.Question) check.Finding {
			<-ctx.Done() // it ends by its timeout
			return nothing
		}}
		stop := r.run(1, o)
		pass(11 * time.Second)
		stop()
		is.Equal(o.heard("a"), seconds(2, 6, 10))
		is.Equal(len(r.recorded()), 2) // the third was on its way when the runner was ended
	})
}

// TestNotAskedAnyMore: who goes back, has stopped or is over is not asked; a question on its way is given up.
func TestNotAskedAnyMore(t *testing.T) {
	cancel := func(r *rig) { r.steer(app.CancelDeployment) }
	for name, tt := range map[string]struct {
		end   func(*rig)
		again func(*rig)
	}{
		"canceled":    {end: cancel},
		"rolled back": {end: func(r *rig) { r.steer(app.RollBackDeployment) }},
		"deleted":     {end: func(r *rig) { r.decide(app.DeleteApp) }},
		"stopped": {
			end: func(r *rig) { r.decide(app.StopApp) },
			again: func(r *rig) {
				r.decide(func(s app.State) ([]events.Event, error) {
					return app.StartApp(s, "start", app.Quota{}, time.Now().UTC())
				})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				is := is.New(t)
				r := newRig(t, probe("a", 10))
				gaveUp := make(chan bool, 10)
				o := &oracle{answer: func(ctx context.Context, _ checks.Question) check.Finding {
					<-ctx.Done()
					gaveUp <- ctx.Err() == context.Canceled
					return bad
				}}
				stop := r.run(1, o)
				defer stop()
				pass(11 * time.Second) // a question is on its way
				tt.end(r)
				synctest.Wait()
				is.True(<-gaveUp)
				pass(time.Minute)
				is.Equal(o.heard("a"), seconds(10))
				is.Equal(len(r.recorded()), 0) // no verdict came of it
				if tt.again != nil {
					tt.again(r)
					pass(10 * time.Second)
					is.Equal(o.heard("a"), seconds(10, 80))
				}
			})
		})
	}
}

func TestAskedWhilePausedAndHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t)
		held := probe("a", 2)
		r.decide(func(s app.State) ([]events.Event, error) {
			return app.DeployApp(s, app.CreateDeployment{ID: "held", Now: time.Now().UTC(), Options: events.DeploymentOptions{
				Guard: events.Guard{OnFailure: events.ThenHold, Checks: []events.Check{held}},
			}})
		})
		o := always(bad)
		stop := r.run(1, o)
		defer stop()
		pass(7 * time.Second)
		is.Equal(r.state().Deployment.Phase(), app.Paused) // held since the first failure
		is.Equal(len(r.recorded()), 3)                     // and still watched
		breaches := 0
		r.each(func(e events.Event) {
			if _, ok := e.(events.DeploymentBreached); ok {
				breaches++
			}
		})
		is.Equal(breaches, 1) // it fails once
		r.steer(app.ContinueDeployment)
		pass(2 * time.Second)
		is.Equal(r.state().Deployment.Held, true) // what failed was forgiven, what fails now is not
	})
}

func TestAFailureFailsTheRolloutInOneCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t, probe("errors", 2))
		stop := r.run(1, always(bad))
		pass(2 * time.Second)
		stop()
		var types []events.Type
		is.NoErr(r.log.Read(t.Context(), events.AppSubject("hello"), 0, 0, func(c events.Recorded) error {
			if c.Actor == events.ActorChecks {
				for _, e := range c.Events {
					types = append(types, e.Type())
				}
				is.Equal(c.Cause, "check errors")
			}
			return nil
		}))
		is.Equal(types, []events.Type{
			events.TypeDeploymentCheckRecorded, events.TypeDeploymentBreached, events.TypeAppDropletAssigned, events.TypeDeploymentRollingBack,
		})
		is.Equal(r.state().Deployment.BackReason, "check errors failed: 7 is not < 1")
	})
}

func TestADryRunIsOnlyRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		c := probe("a", 2)
		c.DryRun = true
		r := newRig(t, c)
		stop := r.run(1, always(bad))
		pass(7 * time.Second)
		stop()
		is.True(r.state().Asked()) // it goes on
		is.Equal(len(r.recorded()), 3)
		is.True(r.recorded()[0].DryRun)
	})
}

// TestInconclusiveFailsNothing: while the monitor is down nothing fails, and nothing passes.
func TestInconclusiveFailsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t, probe("a", 2))
		stop := r.run(1, always(nothing))
		pass(time.Minute)
		stop()
		d := r.state().Deployment
		is.True(r.state().Asked())
		is.Equal(d.Checks["a"].Failures, 0)
		is.Equal(d.Checks["a"].Verdict, events.VerdictInconclusive)
		is.Equal(d.Checks["a"].Message, "nobody there")
	})
}

func TestQuestionsUnderWayAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t)
		var many []events.Check
		for i := range check.MaxChecks {
			many = append(many, probe(fmt.Sprintf("c%d", i), 60))
		}
		for i := range 3 { // three apps, sixty checks
			id := events.AppID(strings.Repeat("x", i+1))
			for n, options := range []events.DeploymentOptions{{}, {Guard: events.Guard{Checks: many}}} {
				_, err := r.apps.Decide(t.Context(), string(id), eventlog.Meta{
					CommandID: events.CommandID(fmt.Sprintf("%s-%d", id, n)), Actor: "tester", Time: time.Now().UTC(),
				}, func(s app.State) ([]events.Event, error) {
					var created []events.Event
					if !s.Exists() {
						created, _ = app.CreateApp(s, app.Create{ID: id, Name: string(id), Space: "default"})
						for _, e := range created {
							s = app.Evolve(s, e)
						}
					}
					deployed, err := app.DeployApp(s, app.CreateDeployment{
						ID: events.CommandID(fmt.Sprintf("d%s%d", id, n)), Now: time.Now().UTC(), Options: options,
						Droplet: &app.Droplet{
							ID: events.DropletID(fmt.Sprintf("d%s%d", id, n)), App: id, Staged: true, ProcessTypes: map[string]string{"web": "./web"},
						},
					})
					return append(created, deployed...), err
				})
				is.NoErr(err)
			}
		}
		var mu sync.Mutex
		under, most := 0, 0
		o := &oracle{answer: func(ctx context.Context, _ checks.Question) check.Finding {
			mu.Lock()
			under++
			most = max(most, under)
			mu.Unlock()
			<-ctx.Done()
			mu.Lock()
			under--
			mu.Unlock()
			return nothing
		}}
		stop := r.run(1, o)
		pass(69 * time.Second)
		stop()
		is.Equal(most, 32)
		asked := 0
		for _, c := range many {
			asked += len(o.heard(c.Name))
		}
		is.Equal(asked, 60) // those that waited had their turn
	})
}

// blind is a log that cannot list apps.
type blind struct{ eventlog.Log }

func (blind) Heads(context.Context, string) ([]eventlog.Head, error) {
	return nil, eventlog.ErrUnavailable
}

// TestItEndsWhenAPartOfItDoes with the reason.
func TestItEndsWhenAPartOfItDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		err := checks.New(blind{r.log}, r.apps, always(good), slog.New(slog.DiscardHandler)).Run(t.Context())
		is.New(t).True(errors.Is(err, eventlog.ErrUnavailable))
	})
}
