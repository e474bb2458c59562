package groups_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/eventlog/logtest"
	"slipway/internal/groups"
)

// flaky carries out commands over a flaky log: of these, too, one fails, before it is carried out or after.
type flaky struct {
	*commands.Handler
	log *logtest.Flaky
}

func (f flaky) Handle(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error) {
	if err := f.log.Answer(); err != nil {
		return commands.Result{}, err
	}
	result, err := f.Handler.Handle(ctx, c, by)
	return result, errors.Join(err, f.log.Answer())
}

// TestAnyAnswerMayFail: one of the answers that a manager needs for what follows from a cause fails, each in its turn. It follows all
// the same, once, and who operates it is warned.
func TestAnyAnswerMayFail(t *testing.T) {
	for _, c := range []struct {
		name string
		then func(w *world, group string) // what makes a group go on that pauses in its first wave
	}{
		{"a directive", func(w *world, id string) { w.direct(id, "continue") }},
		{"a member that goes on", func(w *world, id string) {
			w.must(200, "POST", "/v3/deployments/"+w.deployment(id, 0)+"/actions/continue", "")
		}},
		{"an app that is deleted", func(w *world, id string) {
			w.must(202, "DELETE", "/v3/apps/"+text(w.must(200, "GET", paths+"/"+id, ""), "members", 0, "app", "guid"), "")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				is := is.New(t)
				var told bytes.Buffer
				log := &logtest.Flaky{Log: w.log}
				w.begins(groups.New(log, commands.Apps(log, nil), flaky{w.handler, log}, slog.New(slog.NewTextHandler(&told, warnings))).Run)
				s, came := w.subjects("a", "b"), [][]events.Type{}
				for failed := true; failed; {
					told.Reset()
					id := w.group(s[0].member(canary), s[1].member(wave(2, "")))
					is.Equal(w.stands(id), "RUNNING: PAUSED PENDING")
					log.Fail(len(came) + 1)
					c.then(w, id)
					w.passes(time.Minute)
					failed = log.Failed()
					is.Equal(told.Len() > 0, failed) // nobody hides it
					came = append(came, slices.DeleteFunc(w.types(id), func(t events.Type) bool {
						return t == events.TypeGroupMemberDirected // who has ended is told nothing
					}))
					if w.call("GET", "/v3/apps/"+s[0].app, "").Code == 404 {
						s[0] = w.subjects("a")[0]
					}
				}
				is.True(len(came) > 5) // so many answers are needed
				for _, types := range came {
					is.Equal(types, came[len(came)-1]) // where none failed
				}
				is.True(w.created()[s[1].app] <= len(came)) // each once
			})
		})
	}
}

var warnings = &slog.HandlerOptions{Level: slog.LevelWarn}

// TestALostConsumer: what it never handed out is found at the start, though one of the first answers fails.
func TestALostConsumer(t *testing.T) {
	for n := range 4 {
		inWorld(t, func(t *testing.T, w *world) {
			id := w.group(w.subjects("a")[0].member(canary))
			log := &logtest.Flaky{Log: deaf{w.log}}
			log.Fail(n)
			w.begins(groups.New(log, commands.Apps(log, nil), flaky{w.handler, log}, quiet).Run)
			w.passes(time.Minute)
			is.New(t).Equal(w.stands(id), "RUNNING: PAUSED")
		})
	}
}

// deaf is a log that hands nothing out.
type deaf struct{ eventlog.Log }

func (deaf) Work(ctx context.Context, _ eventlog.Worker, _ func(context.Context, events.Recorded) error) error {
	<-ctx.Done()
	return nil
}
