package agent

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
)

// history writes apps into a log in memory.
type history struct {
	t    *testing.T
	log  *eventlog.Memory
	apps *eventlog.Repository[app.State]
}

func newHistory(t *testing.T) history {
	log := eventlog.NewMemory(events.NewRegistry())
	return history{t, log, eventlog.NewRepository(log, events.AggregateApp, app.Evolve, nil, 1)}
}

func (h history) decide(id events.AppID, decided ...events.Event) {
	h.t.Helper()
	meta := eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: "test", Time: time.Now()}
	_, err := h.apps.Decide(h.t.Context(), string(id), meta, func(app.State) ([]events.Event, error) { return decided, nil })
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h history) create(id events.AppID) {
	h.decide(id, events.AppCreated{App: id, Name: "name-" + string(id), Environment: map[string]string{"COLOR": "blue"}},
		events.ProcessCreated{App: id, Process: events.ProcessID(id) + "-web", ProcessType: "web", Instances: 2, Command: "./run",
			Droplet: "d1", MemoryMB: 64, DiskMB: 128, HealthCheck: events.HealthCheck{Kind: "http", Endpoint: "/healthz"}},
		events.AppStarted{App: id})
}

func TestAppsAreWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		h := newHistory(t)
		h.create("a1")
		h.create("a2")
		updates := make(chan Update, 10)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		source := Apps{Log: h.log, Apps: h.apps}
		go func() { ended <- source.Watch(ctx, func(u Update) { updates <- u }) }()

		first := <-updates
		is.True(first.Complete)
		is.Equal(len(first.Apps), 2) // both
		is.Equal(first.Apps["a1"], []ProcessSpec{{
			App: "a1", AppName: "name-a1", Process: "a1-web", Type: "web", Droplet: "d1", Command: "./run",
			Environment: map[string]string{"COLOR": "blue"}, Instances: 2, MemoryMB: 64, DiskMB: 128,
			HealthCheck: events.HealthCheck{Kind: "http", Endpoint: "/healthz"},
		}})

		h.decide("a1", events.ProcessScaled{App: "a1", Process: "a1-web", ProcessType: "web", From: 2, Instances: 5})
		u := <-updates
		is.True(!u.Complete)
		is.Equal(len(u.Apps), 1) // only the one that changed
		is.Equal(u.Apps["a1"][0].Instances, 5)

		h.decide("a1", events.AppStopped{App: "a1"})
		is.Equal((<-updates).Apps["a1"][0].Instances, 0) // known, and empty
		h.decide("a1", events.AppDeleted{App: "a1"})
		is.Equal(len((<-updates).Apps["a1"]), 0) // nothing of it
		cancel()
		is.NoErr(<-ended)
	})
}

// TestACorruptAppIsLeftAlone: its history was changed by somebody, so nothing is concluded from it, and the other apps go on.
func TestACorruptAppIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.want(1, 0)
		b.die()
		b.start()
		b.tell(Update{Complete: true, Unknown: []events.AppID{"app-1"}})
		b.is.Equal(len(b.driver.Alive()), 1) // kept, although not wanted by anybody
		b.want(0, 0)
		b.is.Equal(len(b.driver.Alive()), 0) // until it is known
	})
}

func TestACorruptAppDoesNotHideTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		h := newHistory(t)
		h.create("a1")
		h.create("a2")
		forged, err := events.NewRegistry().Encode(events.Commit{
			Subject: events.AppSubject("a1"), CommandID: "forged", Actor: "intruder", Version: 9, Time: time.Now(),
			Previous: "0000000000000000000000000000000000000000000000000000000000000000",
			Events:   []events.Event{events.AppStopped{App: "a1"}},
		})
		is.NoErr(err)
		h.log.Inject(forged)
		u, err := Apps{Log: h.log, Apps: newHistoryOn(h.log)}.load(t.Context(), map[events.AppID]bool{"a1": true, "a2": true})
		is.NoErr(err)
		is.Equal(u.Unknown, []events.AppID{"a1"})
		is.Equal(len(u.Apps["a2"]), 1)
	})
}

// newHistoryOn reads a log without having cached anything of it.
func newHistoryOn(log eventlog.Log) *eventlog.Repository[app.State] {
	return eventlog.NewRepository(log, events.AggregateApp, app.Evolve, nil, 1)
}
