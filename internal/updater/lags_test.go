package updater_test

import (
	"context"
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
)

// lagging is a log whose answers about one subject may be those of a replica that lags behind.
type lagging struct {
	eventlog.Log
	subject events.Subject
	old     events.Sequence // of the newest commit that late answers know
	answers atomic.Int32    // so many more are late
}

// lag makes the next answers about a subject late: they know what it has now, and nothing that comes.
func (l *lagging) lag(t testing.TB, s events.Subject) {
	t.Helper()
	old, err := l.Log.Last(t.Context(), s)
	is.New(t).NoErr(err)
	l.subject, l.old = s, old
	l.answers.Store(4)
}

// caughtUp says whether all late answers were given.
func (l *lagging) caughtUp() bool { return l.answers.Load() == 0 }

func (l *lagging) Last(ctx context.Context, s events.Subject) (events.Sequence, error) {
	if l.answers.Load() > 0 && s == l.subject && l.answers.Add(-1) >= 0 {
		return l.old, nil
	}
	return l.Log.Last(ctx, s)
}

// TestReadsBehindTheirCause: where a read does not show the very commit that it is made for, nothing else would come to make it
// again. It is made again all the same.
func TestReadsBehindTheirCause(t *testing.T) {
	told := func(s app.State) bool { return s.Deployment != nil && s.Deployment.Error != "" }
	for _, c := range []struct {
		name    string
		subject func(app.State) events.Subject
		cause   func(t *testing.T, elsewhere *rig)
		follows func(app.State) bool
	}{
		{
			"a halt", func(app.State) events.Subject { return events.HaltSubject },
			func(t *testing.T, r *rig) { r.halt(t, declaration(time.Time{})) }, halted,
		},
		{
			"a commit of the app", func(app.State) events.Subject { return events.AppSubject("hello") },
			func(t *testing.T, r *rig) { r.deploy(t, 3, nil) }, func(s app.State) bool { return len(s.Ended) > 1 && told(s) },
		},
		{
			"a report", func(s app.State) events.Subject { return events.InstanceSubject(s.Deployment.Process) },
			func(t *testing.T, r *rig) { start(t, r.agent(nil)) }, deployed,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				is := is.New(t)
				log := &lagging{Log: eventlog.NewMemory(events.NewRegistry())}
				r := newRigOn(t, log, eventlog.NewMemoryTimers(), 1)
				elsewhere := &rig{log: log.Log, apps: commands.Apps(log.Log, nil)}
				elsewhere.halt(t, halt.Declaration{Halt: "past", Reason: "drill", By: "user/ann", Now: time.Now().UTC()})
				elsewhere.lift(t, "past")
				stop := start(t, r.updater())
				r.deploy(t, 2, nil)
				s := r.await(t, "it misses its instance", told)
				<-time.After(time.Hour) // nothing is left to wait for: no alarm makes anybody look again
				log.lag(t, c.subject(s))
				c.cause(t, elsewhere)
				r.await(t, "what follows from it", c.follows)
				is.True(log.caughtUp())
				stop()
			})
		})
	}
}
