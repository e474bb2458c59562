package projector_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"slipway/events"
	"slipway/internal/eventlog"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// writer appends commits to a log.
type writer struct {
	tb    testing.TB
	log   eventlog.Log
	heads map[events.Subject]events.Recorded
}

func newWriter(tb testing.TB, log eventlog.Log) *writer {
	return &writer{tb: tb, log: log, heads: map[events.Subject]events.Recorded{}}
}

// add writes one commit and returns it.
func (w *writer) add(s events.Subject, facts ...events.Event) events.Recorded {
	w.tb.Helper()
	last := w.heads[s]
	rec, err := w.log.Append(context.Background(), events.Commit{
		Subject: s, CommandID: events.CommandID(events.NewID()), Version: last.Version + 1, Previous: last.Hash,
		Actor: "alice", Cause: "http", Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Events: facts,
	}, last.Sequence)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.heads[s] = rec
	return rec
}

// report writes a fact that is not versioned.
func (w *writer) report(s events.Subject, fact events.Event) events.Recorded {
	w.tb.Helper()
	rec, err := w.log.Report(context.Background(), events.Commit{
		Subject: s, CommandID: events.CommandID(events.NewID()), Actor: "agent/1", Cause: "process.created",
		Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Events: []events.Event{fact},
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	return rec
}

// history writes an app "pay ments" with a process, an instance, a droplet, and refused commands.
func (w *writer) history() {
	app := events.AppSubject("a1")
	w.add(events.NameSubject("default", "pay ments"), events.NameClaimed{Space: "default", Name: "pay ments", App: "a1"})
	w.add(app, events.AppCreated{App: "a1", Name: "pay ments", Space: "default", Organization: "default"})
	w.add(events.DropletSubject("d1"), events.DropletCreated{Droplet: "d1", App: "a1"})
	w.add(app,
		events.ProcessCreated{App: "a1", Process: "p1", ProcessType: "web", Instances: 1},
		events.AppDropletAssigned{App: "a1", Droplet: "d1"},
		events.AppStarted{App: "a1"},
	)
	w.report(events.InstanceSubject("p1"), events.InstanceRunning{
		InstanceRef: events.InstanceRef{App: "a1", Process: "p1", Index: 0, Instance: "i1"},
	})
	w.add(app, events.ProcessScaled{App: "a1", Process: "p1", ProcessType: "web", From: 1, Instances: 2, Deployment: "x1"})
	w.report(events.CommandSubject("c1"), events.CommandRejected{Command: "c1", Name: "app.start", App: "nobody", Code: "CF-X"})
	w.report(events.CommandSubject("c2"), events.CommandRejected{Command: "c2", Name: "app.start", App: "*.>", Code: "CF-X"})
}

// subjects are what history puts into the feed.
func subjects() []string {
	return []string{
		"rollouts.default.default.pay=20ments.app.created",
		"rollouts.default.default.pay=20ments.droplet.created",
		"rollouts.default.default.pay=20ments.process.created",
		"rollouts.default.default.pay=20ments.app.droplet-assigned",
		"rollouts.default.default.pay=20ments.app.started",
		"rollouts.default.default.pay=20ments.instance.running",
		"rollouts.default.default.pay=20ments.process.scaled",
		"rollouts.default.default.=.command.rejected",
		"rollouts.default.default.=.command.rejected",
	}
}
