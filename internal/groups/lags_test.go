package groups_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/groups"
)

// lagging is a log whose answers about one subject may be those of a replica that lags behind.
type lagging struct {
	eventlog.Log
	subject atomic.Value // events.Subject
	late    atomic.Int32 // so many more answers about it know nothing new
}

func (l *lagging) Last(ctx context.Context, s events.Subject) (events.Sequence, error) {
	if s == l.subject.Load() && l.late.Add(-1) >= 0 {
		return 0, nil
	}
	return l.Log.Last(ctx, s)
}

func (l *lagging) lag(s events.Subject) {
	l.late.Store(3)
	l.subject.Store(s)
}

// TestReadsBehindTheirCause: where a read does not show the very commit that a group is considered for, nothing else would come to
// consider it again. It is considered again all the same.
func TestReadsBehindTheirCause(t *testing.T) {
	for _, c := range []struct {
		name    string
		subject func(group string, s subject) events.Subject
		cause   func(w *world, group string)
	}{
		{
			"a commit of the group", func(id string, _ subject) events.Subject { return events.GroupSubject(events.GroupID(id)) },
			func(w *world, id string) { w.direct(id, "finalize") },
		},
		{
			"a commit of a member", func(_ string, s subject) events.Subject { return events.AppSubject(events.AppID(s.app)) },
			func(w *world, id string) {
				w.must(200, "POST", "/v3/deployments/"+w.deployment(id, 0)+"/actions/continue", "")
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				is := is.New(t)
				log := &lagging{Log: w.log}
				w.begins(groups.New(log, commands.Apps(log, nil), w.handler, quiet).Run)
				s := w.subjects("a")[0]
				id := w.group(s.member(canary))
				is.Equal(w.stands(id), "RUNNING: PAUSED")
				w.passes(time.Minute) // nothing is left to do
				log.lag(c.subject(id, s))
				c.cause(w, id)
				w.passes(time.Minute)
				is.True(log.late.Load() < 0) // it had lagged behind
				is.Equal(w.stands(id), "FINALIZED: DEPLOYED")
			})
		})
	}
}

// broken is a log of which one part fails for good.
type broken struct {
	eventlog.Log
	lists, works error
}

func (b broken) Heads(context.Context, string) ([]eventlog.Head, error) { return nil, b.lists }

func (b broken) Work(ctx context.Context, w eventlog.Worker, fn func(context.Context, events.Recorded) error) error {
	if b.works != nil && w.Name == "groups" { // or what it has done would be done again
		return b.works
	}
	return b.Log.Work(ctx, w, fn)
}

// TestItEndsWhenAPartOfItDoes, with the reason, and without one when it is stopped.
func TestItEndsWhenAPartOfItDoes(t *testing.T) {
	for name, log := range map[string]broken{
		"no list": {lists: eventlog.ErrUnavailable}, "no work": {works: eventlog.ErrUnavailable}, "stopped": {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				is := is.New(t)
				log.Log = eventlog.NewMemory(events.NewRegistry())
				ctx, stop := context.WithTimeout(t.Context(), time.Hour)
				defer stop()
				err := groups.New(log, commands.Apps(log, nil), nil, quiet).Run(ctx)
				fails := log.lists != nil || log.works != nil
				is.Equal(errors.Is(err, eventlog.ErrUnavailable), fails)
				is.Equal(err != nil, fails)
				is.Equal(ctx.Err() == nil, fails) // at once
			})
		})
	}
}
