package updater_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot/natstest"
)

// canary pauses at its first step for so long and then goes on by itself; all new, it bakes for so long.
func canary(pause, bake time.Duration) app.CreateDeployment {
	return app.CreateDeployment{Strategy: events.StrategyCanary, Options: events.DeploymentOptions{
		MaxInFlight: 2, Bake: int(bake / time.Second),
		CanaryPauses: []events.Pause{{Seconds: int(pause / time.Second), Then: events.ThenContinue}},
	}}
}

func paused(s app.State) bool { return s.Deployment != nil && s.Deployment.AtPause }
func baking(s app.State) bool { return s.Deployment != nil && !s.Deployment.BakeUntil.IsZero() }

// when gives the times of the commits that hold an event of a type, oldest first.
func (r *rig) when(t testing.TB, what events.Type) (times []time.Time) {
	t.Helper()
	is.New(t).NoErr(r.log.Read(t.Context(), events.AppSubject("hello"), 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			if e.Type() == what {
				times = append(times, c.Time)
			}
		}
		return nil
	}))
	return times
}

// TestWaitsAreExact: by the clock of the test a pause and a bake end when they should, to the nanosecond, with one updater or
// several, and the next thing is decided once.
func TestWaitsAreExact(t *testing.T) {
	for name, updaters := range map[string]int{"one updater": 1, "several": 3} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				is := is.New(t)
				r := newRig(t, 4)
				stop := start(t, r.agent(nil))
				for range updaters {
					defer start(t, r.updater())()
				}
				r.deployAs(t, 2, canary(10*time.Second, 20*time.Second))
				pause := r.await(t, "it pauses", paused).Deployment.PausedUntil
				bake := r.await(t, "it bakes", baking).Deployment.BakeUntil
				r.await(t, "it is deployed", deployed)
				is.Equal(r.when(t, events.TypeDeploymentContinued), []time.Time{pause})
				is.Equal(r.when(t, events.TypeDeploymentBakeStarted), []time.Time{bake.Add(-20 * time.Second)})
				is.Equal(r.when(t, events.TypeDeploymentDeployed)[1:], []time.Time{bake}) // the first one was the start of the app
				stop()
			})
		})
	}
}

// TestAWaitSurvivesItsUpdater: an updater sets the alarm and dies, the alarm is lost, and another updater starts before the
// pause is over, or after.
func TestAWaitSurvivesItsUpdater(t *testing.T) {
	const pause = 20 * time.Second
	for name, away := range map[string]time.Duration{"back in time": pause / 2, "back too late": 2 * pause} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				is := is.New(t)
				r := newRig(t, 4)
				stopAgent, stopUpdater := start(t, r.agent(nil)), start(t, r.updater())
				r.deployAs(t, 2, canary(pause, 0))
				until := r.await(t, "it pauses", paused).Deployment.PausedUntil
				<-time.After(time.Second) // lost races are over, and all that there is to do now is done
				stopUpdater()
				alarm := r.timers.(*eventlog.MemoryTimers).Lose("hello")
				is.True(!alarm.At.IsZero() && !alarm.At.After(until))
				<-time.After(away)
				back := time.Now()
				stopUpdater = start(t, r.updater())
				r.await(t, "it is deployed", deployed)
				is.True(r.when(t, events.TypeDeploymentContinued)[0].Equal(latest(until, back)))
				stopUpdater()
				stopAgent()
			})
		})
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// TestMissingInstancesAreToldAfterARestart: what is waited for before somebody is told does not begin anew with a new updater,
// and what was told is not taken back by it.
func TestMissingInstancesAreToldAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t, 2)
		began := time.Now()
		r.deploy(t, 2, nil)
		for range 3 { // for 4, 8 and 12 seconds there is no agent
			stop := start(t, r.updater())
			<-time.After(4 * time.Second)
			stop()
		}
		told := r.when(t, events.TypeDeploymentErrorRecorded)
		is.Equal(len(told), 1)
		is.Equal(told[0].Sub(began), 10*time.Second)
		stop := start(t, r.updater())
		<-time.After(time.Hour)
		stop()
		is.Equal(len(r.when(t, events.TypeDeploymentErrorRecorded)), 1)
	})
}

// TestWhatWaitedForRoomIsMissingFromItsGrowthOn: instances that come long after everything else, because a quota had no room
// for them, are given their time like others.
func TestWhatWaitedForRoomIsMissingFromItsGrowthOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t, 4)
		var full atomic.Bool
		none := 0
		r.quotas = func(context.Context, app.State) (q app.Quota, err error) {
			if full.Load() {
				q.Space.Limits.Instances = &none
			}
			return q, nil
		}
		full.Store(true)
		stopAgent, stop := start(t, r.agent(nil)), start(t, r.updater())
		r.deploy(t, 2, nil)
		r.await(t, "it waits for room", func(s app.State) bool { return s.Deployment != nil && s.Deployment.Error != "" })
		stopAgent()
		<-time.After(time.Minute)
		full.Store(false)
		<-time.After(time.Minute)
		stop()
		grown, told := r.when(t, events.TypeProcessScaled), r.when(t, events.TypeDeploymentErrorRecorded)
		is.Equal(len(told), 2) // no room; then, that they are missing
		is.Equal(told[1].Sub(grown[len(grown)-1]), 10*time.Second)
	})
}

// TestADeadlineBeforeInstancesAreMissed: of several moments at which time alone decides, the earliest counts.
func TestADeadlineBeforeInstancesAreMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		r := newRig(t, 2)
		stop := start(t, r.updater())
		began := time.Now().UTC()
		r.deployAs(t, 2, deploys("", events.DeploymentOptions{Guard: events.Guard{OnFailure: events.ThenCancel, ProgressDeadline: 4}}))
		r.await(t, "it is canceled", deployed)
		is.Equal(r.when(t, events.TypeDeploymentCanceling), []time.Time{began.Add(4 * time.Second)})
		stop()
	})
}

// TestNothingIsPolled: where only an event helps, no alarm stands.
func TestNothingIsPolled(t *testing.T) {
	missed := func(s app.State) bool { return s.Deployment != nil && s.Deployment.Error != "" }
	for name, c := range map[string]struct {
		full  bool // there is no room
		given func(*testing.T, *rig)
		until func(app.State) bool
	}{
		"no agent": {false, func(t *testing.T, r *rig) { r.deploy(t, 2, nil) }, missed},
		"a pause without an end": {false, func(t *testing.T, r *rig) {
			start(t, r.agent(nil))
			r.deployAs(t, 2, app.CreateDeployment{Strategy: events.StrategyCanary})
		}, paused},
		"a halt without an end, and no room": {true, func(t *testing.T, r *rig) {
			r.deploy(t, 2, nil)
			r.await(t, "it waits for room", missed)
			r.halt(t, declaration(time.Time{}))
		}, halted},
		"nothing to do": {false, func(t *testing.T, r *rig) {
			start(t, r.agent(nil))
			r.deploy(t, 2, nil)
		}, deployed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				is := is.New(t)
				r := newRig(t, 4)
				r.quotas = func(context.Context, app.State) (q app.Quota, err error) {
					if none := 0; c.full {
						q.Space.Limits.Instances = &none
					}
					return q, nil
				}
				start(t, r.updater())
				c.given(t, r)
				r.await(t, name, c.until)
				<-time.After(time.Hour)
				is.True(r.timers.(*eventlog.MemoryTimers).Lose("hello").At.IsZero())
				is.Equal(r.told.at(slog.LevelWarn), nil)
			})
		})
	}
}

// forgetful cannot set an alarm while it is told so.
type forgetful struct {
	eventlog.Timers
	away atomic.Bool
}

func (f *forgetful) Set(ctx context.Context, a eventlog.Alarm) error {
	if f.away.Load() {
		return eventlog.ErrUnavailable
	}
	return f.Timers.Set(ctx, a)
}

// TestAnAlarmThatCannotBeSetIsSetLater: what an app was considered for is not done before the alarm is set.
func TestAnAlarmThatCannotBeSetIsSetLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		timers := &forgetful{Timers: eventlog.NewMemoryTimers()}
		r := newRigOn(t, eventlog.NewMemory(events.NewRegistry()), timers, 1)
		stop := start(t, r.updater(), r.agent(nil))
		timers.away.Store(true)
		r.deployAs(t, 2, canary(20*time.Second, 0))
		until := r.await(t, "it pauses", paused).Deployment.PausedUntil
		<-time.After(5 * time.Second)
		timers.away.Store(false)
		r.await(t, "it is deployed", deployed)
		is.Equal(r.when(t, events.TypeDeploymentContinued), []time.Time{until})
		stop()
	})
}

// TestAWaitOnAServer does on a real one what TestAWaitSurvivesItsUpdater does by the clock of a test: the updater is killed
// between setting the alarm and its ring, the message of the alarm is deleted, and another updater heals it.
func TestAWaitOnAServer(t *testing.T) {
	is := is.New(t)
	for pause := 2 * time.Second; ; pause *= 2 { // longer where the machine is too slow to do all that during a pause
		nc := natstest.Connect(t)
		log, err := eventlog.Open(t.Context(), nc, events.NewRegistry(), eventlog.Config{})
		is.NoErr(err)
		timers, err := eventlog.OpenTimers(t.Context(), nc, eventlog.Config{})
		is.NoErr(err)
		r := newRigOn(t, log, timers, 4)
		start(t, r.agent(nil))
		kill := start(t, r.updater())
		r.deployAs(t, 2, canary(pause, 0))
		until := r.await(t, "it pauses", paused).Deployment.PausedUntil
		awaitAlarm(t, nc, until)
		kill()
		if !lose(t, nc) {
			is.True(pause < patience)
			continue
		}
		start(t, r.updater())
		r.await(t, "it is deployed", deployed)
		continued := r.when(t, events.TypeDeploymentContinued)
		is.Equal(len(continued), 1)
		is.True(!continued[0].Before(until)) // not early
		return
	}
}

const alarmOfHello = "timers.set.hello"

// awaitAlarm waits until an alarm of the app stands in the stream that rings at a time or before, or until that time.
func awaitAlarm(t testing.TB, nc *nats.Conn, due time.Time) {
	t.Helper()
	for time.Now().Before(due) {
		m, err := timersStream(t, nc).GetLastMsgForSubject(t.Context(), alarmOfHello)
		if err == nil {
			at, err := time.Parse(time.RFC3339Nano, m.Header.Get("Slipway-At"))
			if err == nil && !at.After(due) {
				return
			}
		}
	}
}

// lose deletes the alarm of the app, and says whether there was one.
func lose(t testing.TB, nc *nats.Conn) bool {
	t.Helper()
	is := is.New(t)
	m, err := timersStream(t, nc).GetLastMsgForSubject(t.Context(), alarmOfHello)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false
	}
	is.NoErr(err)
	is.NoErr(timersStream(t, nc).DeleteMsg(t.Context(), m.Sequence))
	return true
}

func timersStream(t testing.TB, nc *nats.Conn) jetstream.Stream {
	t.Helper()
	js, err := jetstream.New(nc)
	is.New(t).NoErr(err)
	stream, err := js.Stream(t.Context(), eventlog.StreamTimers)
	is.New(t).NoErr(err)
	return stream
}
