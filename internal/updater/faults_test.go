package updater_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/eventlog/logtest"
)

// unsteady is a rig whose updater has a flaky log, and flaky quotas; others do what they do on a steady one.
type unsteady struct {
	*rig
	flaky  *logtest.Flaky
	others *rig
	stop   func() // its updater
}

func newUnsteady(t *testing.T) *unsteady {
	t.Helper()
	log := &logtest.Flaky{Log: eventlog.NewMemory(events.NewRegistry()), Lists: true}
	u := &unsteady{rig: newRigOn(t, log, eventlog.NewMemoryTimers(), 1), flaky: log}
	u.others = &rig{log: log.Log, timers: u.timers, apps: commands.Apps(log.Log, nil)}
	u.quotas = func(context.Context, app.State) (app.Quota, error) { return app.Quota{}, log.Answer() }
	u.stop = start(t, u.updater())
	return u
}

// TestAnyAnswerMayFail: one of the answers that an updater needs for what follows from a cause fails, each in its turn. It follows all
// the same, once, and who operates it is warned.
func TestAnyAnswerMayFail(t *testing.T) {
	missed := func(s app.State) bool { return s.Deployment != nil && s.Deployment.Error != "" }
	for name, c := range map[string]struct {
		given   func(*testing.T, *unsteady)
		cause   func(*testing.T, *unsteady)
		follows func(app.State) bool
	}{
		"a halt": {
			func(t *testing.T, u *unsteady) {
				u.others.deploy(t, 2, nil)
				u.await(t, "it misses its instance", missed)
			},
			func(t *testing.T, u *unsteady) { u.others.halt(t, declaration(time.Time{})) }, halted,
		},
		"a commit": {
			func(t *testing.T, u *unsteady) {
				u.others.deploy(t, 2, nil)
				u.await(t, "it misses its instance", missed)
			},
			func(t *testing.T, u *unsteady) { u.others.deploy(t, 3, nil) }, func(s app.State) bool { return len(s.Ended) > 1 && missed(s) },
		},
		"a report": {
			func(t *testing.T, u *unsteady) {
				u.others.deploy(t, 2, nil)
				u.await(t, "it misses its instance", missed)
			},
			func(t *testing.T, u *unsteady) { start(t, u.others.agent(nil)) }, deployed,
		},
		"an approval in a freeze": {
			func(t *testing.T, u *unsteady) {
				start(t, u.others.agent(nil))
				u.others.deployAs(t, 3, app.CreateDeployment{Strategy: events.StrategyCanary})
				u.await(t, "another pauses", paused)
				u.others.freeze(t, "freeze", time.Now(), 300*time.Hour)
				u.others.requestApproval(t)
			},
			func(t *testing.T, u *unsteady) { u.others.approve(t) }, held,
		},
		"a freeze that is lifted": {
			func(t *testing.T, u *unsteady) {
				start(t, u.others.agent(nil))
				u.others.freeze(t, "freeze", time.Now(), 300*time.Hour)
				u.others.requestApproval(t)
				u.others.approve(t)
				u.await(t, "it is held", held)
			},
			func(t *testing.T, u *unsteady) { u.others.thaw(t, "freeze") }, deployed,
		},
		"an alarm": {
			func(t *testing.T, u *unsteady) {
				start(t, u.others.agent(nil))
				u.others.deployAs(t, 2, canary(2*time.Hour, 0))
				u.await(t, "it pauses", paused)
			},
			func(t *testing.T, u *unsteady) { <-time.After(2 * time.Hour) }, deployed,
		},
		"a start": {
			func(t *testing.T, u *unsteady) {
				start(t, u.others.agent(nil))
				u.others.deployAs(t, 2, canary(2*time.Hour, 0))
				u.await(t, "it pauses", paused)
				u.stop()
				u.timers.(*eventlog.MemoryTimers).Lose("hello")
				<-time.After(2 * time.Hour)
			},
			func(t *testing.T, u *unsteady) {
				u.flaky.Lists = false // without a list it does not start at all
				u.stop = start(t, u.updater())
			}, deployed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			answers, came := 0, [][]events.Type{}
			for failed := true; failed; {
				synctest.Test(t, func(t *testing.T) {
					is := is.New(t)
					u := newUnsteady(t)
					c.given(t, u)
					<-time.After(time.Hour) // all is done that was to be done
					answers++
					u.flaky.Fail(answers)
					c.cause(t, u)
					u.awaitFor(t, 3*time.Hour, "what follows from it", c.follows)
					<-time.After(time.Hour)
					failed = u.flaky.Failed()
					is.Equal(len(u.told.at(slog.LevelWarn)) > 0, failed) // nobody hides it
					is.Equal(len(u.told.at(slog.LevelError)), 0)         // it heals
					came = append(came, u.others.types(t))
				})
			}
			is := is.New(t)
			is.True(answers > 5) // so many are needed
			for _, types := range came {
				is.Equal(types, came[len(came)-1]) // where none failed
			}
		})
	}
}

// TestWhatNobodyMendsIsAnError: where history is corrupt, somebody should look; nothing is decided on top of it.
func TestWhatNobodyMendsIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		log := eventlog.NewMemory(events.NewRegistry())
		r := newRigOn(t, log, eventlog.NewMemoryTimers(), 2)
		stop := start(t, r.updater())
		r.deployAs(t, 2, canary(time.Hour, 0))
		<-time.After(time.Minute)
		var last events.Message
		is.NoErr(log.Scan(t.Context(), eventlog.Query{Filters: []string{string(events.AppSubject("hello"))}}, func(raw eventlog.Raw) error {
			last = raw.Message
			return nil
		}))
		newest := log.Inject(last) // once more, which is no next version
		<-time.After(time.Minute)
		is.True(slices.Contains(r.told.at(slog.LevelError), "app not considered, will try again"))
		stop()
		stop = start(t, r.updater())
		<-time.After(time.Minute)
		is.True(slices.Contains(r.told.at(slog.LevelError), "app not considered at start, will try again"))
		is.NoErr(r.timers.Set(t.Context(), eventlog.Alarm{Key: "hello", At: time.Now()}))
		<-time.After(time.Minute)
		is.True(slices.Contains(r.told.at(slog.LevelError), "app not considered in time, will try again"))
		is.Equal(len(r.told.at(slog.LevelWarn)), 0)
		end, err := log.Newest(t.Context())
		is.NoErr(err)
		is.Equal(end, newest)
		stop()
	})
}
