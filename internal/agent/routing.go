package agent

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"slipway/aggregates/route"
	"slipway/events"
	"slipway/internal/agent/router"
	"slipway/internal/eventlog"
)

// routes is which host name leads where.
type routes = map[string][]router.Target

// RouteSource says which host leads where.
type RouteSource interface {
	// Watch gives all routes first and again whenever they change, until ctx ends or it fails. It is called again after a
	// failure. What it gives is not changed afterwards.
	Watch(ctx context.Context, fn func(map[string][]router.Target)) error
}

// routing brings together what the router routes by: routes, and the names of apps that have none because they are of the
// time before there were routes. A route comes before a name.
type routing struct {
	router *router.Router
	known  chan struct{} // closed once the routes are known

	mu     sync.Mutex
	once   sync.Once
	names  routes
	routes routes
	all    routes // what the router was told
}

func newRouting(rt *router.Router) *routing {
	return &routing{router: rt, known: make(chan struct{})}
}

func (r *routing) setNames(names routes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names = names
	r.publish()
}

func (r *routing) setRoutes(routes routes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.routes = routes
	r.publish()
	r.once.Do(func() { close(r.known) })
}

func (r *routing) publish() {
	r.all = make(routes, len(r.names)+len(r.routes))
	maps.Copy(r.all, r.names)
	maps.Copy(r.all, r.routes)
	r.router.SetRoutes(r.all)
}

// hosts are the host names that lead to an app, sorted.
func (r *routing) hosts(app events.AppID) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for host, targets := range r.all {
		if slices.ContainsFunc(targets, func(t router.Target) bool { return t.App == app }) {
			all = append(all, host)
		}
	}
	slices.Sort(all)
	return all
}

// Routes is the [RouteSource] over the event log.
type Routes struct {
	Log    eventlog.Log
	Routes *eventlog.Repository[route.State]
	// Logger is told of routes whose history cannot be read; nil: nobody is.
	Logger *slog.Logger
}

// Watch implements [RouteSource]. A route whose history is corrupt stays as it was: the others go on.
func (s Routes) Watch(ctx context.Context, fn func(map[string][]router.Target)) error {
	newest, err := s.Log.Newest(ctx) // before the heads: a commit in between is seen twice, never missed
	if err != nil {
		return fmt.Errorf("watch routes: %w", err)
	}
	heads, err := s.Log.Heads(ctx, events.AllRouteSubjects)
	if err != nil {
		return fmt.Errorf("watch routes: %w", err)
	}
	known := map[string]route.State{}
	for _, h := range heads {
		if err := s.load(ctx, h.Subject, known); err != nil {
			return fmt.Errorf("watch routes: %w", err)
		}
	}
	fn(leading(known))
	err = s.Log.Follow(ctx, eventlog.Query{Filters: []string{events.AllRouteSubjects}, After: newest}, func(batch []events.Recorded) error {
		changed := map[events.Subject]bool{}
		for _, c := range batch {
			changed[c.Subject] = true
		}
		for subject := range changed {
			if err := s.load(ctx, subject, known); err != nil {
				return err
			}
		}
		fn(leading(known))
		return nil
	})
	if err != nil {
		return fmt.Errorf("watch routes: %w", err)
	}
	return nil
}

// load brings one route up to date.
func (s Routes) load(ctx context.Context, subject events.Subject, known map[string]route.State) error {
	_, id, _ := subject.Split()
	agg, err := s.Routes.Load(ctx, id)
	switch {
	case corrupt(err):
		if s.Logger != nil {
			s.Logger.Error("history of a route is corrupt; it is left as it is", "route", id, "err", err)
		}
	case err != nil:
		return err
	case agg.State.Exists():
		known[id] = agg.State
	default:
		delete(known, id)
	}
	return nil
}

// leading is where the routes lead.
func leading(known map[string]route.State) routes {
	to := make(routes, len(known))
	for _, s := range known {
		targets := make([]router.Target, 0, len(s.Destinations))
		for _, d := range s.Destinations {
			targets = append(targets, router.Target{App: d.App, Type: d.ProcessType})
		}
		to[s.URL] = targets
	}
	return to
}
