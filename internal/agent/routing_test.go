package agent

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/route"
	"slipway/events"
	"slipway/internal/agent/router"
	"slipway/internal/eventlog"
)

func TestRoutesAreWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		log := eventlog.NewMemory(events.NewRegistry())
		repository := eventlog.NewRepository(log, events.AggregateRoute, route.Evolve, nil, 0)
		decide := func(id events.RouteID, decided ...events.Event) {
			meta := eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: "test", Time: time.Now()}
			_, err := repository.Decide(t.Context(), string(id), meta, func(route.State) ([]events.Event, error) { return decided, nil })
			is.NoErr(err)
		}
		to := func(id events.RouteID, apps ...events.AppID) events.RouteDestinationsSet {
			e := events.RouteDestinationsSet{Route: id}
			for _, a := range apps {
				e.Destinations = append(e.Destinations, events.Destination{App: a, ProcessType: "web"})
			}
			return e
		}
		decide("r1", events.RouteCreated{Route: "r1", URL: "hello.localhost"}, to("r1", "a1"))
		decide("r2", events.RouteCreated{Route: "r2", URL: "gone.localhost"}, events.RouteDeleted{Route: "r2"})

		seen := make(chan routes, 10)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		source := Routes{Log: log, Routes: eventlog.NewRepository(log, events.AggregateRoute, route.Evolve, nil, 0)}
		go func() { ended <- source.Watch(ctx, func(r map[string][]router.Target) { seen <- r }) }()
		is.Equal(<-seen, routes{"hello.localhost": {{App: "a1", Type: "web"}}})
		decide("r1", to("r1", "a1", "a2"))
		is.Equal(len((<-seen)["hello.localhost"]), 2) // both apps
		decide("r1", to("r1"))
		is.Equal(<-seen, routes{"hello.localhost": {}}) // it is there and leads nowhere
		decide("r1", events.RouteDeleted{Route: "r1"})
		is.Equal(<-seen, routes{})
		decide("r2", events.RouteCreated{Route: "r2", URL: "again.localhost"})
		is.Equal(<-seen, routes{"again.localhost": {}})
		cancel()
		is.NoErr(<-ended)
	})
}

func TestARouteComesBeforeAName(t *testing.T) {
	is := is.New(t)
	rt := router.New(quietLogger)
	r := newRouting(rt)
	named, routed := router.Target{App: "a1", Type: "web"}, router.Target{App: "a2", Type: "api"}
	rt.Add(router.Endpoint{Target: named, Process: "p1", Instance: "i1", Address: "127.0.0.1:1"})
	select {
	case <-r.known:
		t.Fatal("known before they were said")
	default:
	}
	r.setNames(routes{"hello.localhost": {named}})
	r.setRoutes(routes{"hello.localhost": {routed}})
	r.setRoutes(routes{"hello.localhost": {routed}}) // again, as after a failure
	<-r.known
	is.Equal(r.hosts("a2"), []string{"hello.localhost"})
	is.Equal(r.hosts("a1"), nil)                   // its name leads elsewhere
	is.Equal(statusOf(rt, "hello.localhost"), 503) // the route counts, and its app has no instance
	r.setRoutes(nil)
	is.Equal(statusOf(rt, "hello.localhost"), 502) // now the name does, whose instance does not listen
}

var quietLogger = slog.New(slog.DiscardHandler)

func statusOf(rt *router.Router, host string) int {
	req := httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil)
	w := httptest.NewRecorder()
	rt.ServeHTTP(w, req)
	return w.Code
}
