package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"slipway/events"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/report"
	"slipway/internal/agent/router"
)

// Log is what the agent needs of the event log.
type Log interface {
	report.Log
	Read(ctx context.Context, s events.Subject, after, until events.Sequence, fn func(events.Recorded) error) error
}

// Defaults of a [Config].
const (
	DefaultDrain = 10 * time.Second // Cloud Foundry's time between leaving the router and SIGKILL is 10 s in all
	DefaultGrace = 10 * time.Second // enough for an app's own shutdown, short enough for a person to wait
)

// Limits of an agent.
const (
	// maxInstances bounds what one process may ask of one host, whatever its numbers say.
	maxInstances = 5_000
	// flushTimeout bounds how long the end of the agent waits for its last reports to be written.
	flushTimeout = 5 * time.Second
	// watchPause is how long a source that failed is left alone.
	watchPause = time.Second
)

// Config says what an agent works with. ID, Driver, Source and Log must be given.
type Config struct {
	ID      events.AgentID
	Driver  driver.Driver // the caller closes it after Run
	Source  Source
	Routes  RouteSource // nil: there are none, apps are reached by name
	Log     Log
	Traffic net.Listener  // where the router listens for HTTP; nil: nowhere, see [Agent.Handler]
	Logger  *slog.Logger  // nil: none
	Backoff Backoff       // zero fields: defaults
	Drain   time.Duration // how long requests may take that are on an instance when it is stopped
	Grace   time.Duration // from SIGTERM to SIGKILL
}

func (c Config) withDefaults() (Config, error) {
	if !events.ValidID(string(c.ID)) || c.Driver == nil || c.Source == nil || c.Log == nil {
		return c, errors.New("agent: id, driver, source and log are needed")
	}
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	c.Logger = c.Logger.With("agent", c.ID)
	c.Backoff = c.Backoff.withDefaults()
	c.Drain, c.Grace = cmp.Or(c.Drain, DefaultDrain), cmp.Or(c.Grace, DefaultGrace)
	return c, nil
}

// Agent runs instances.
type Agent struct {
	cfg     Config
	router  *router.Router
	routing *routing
	reports *report.Reporter
}

// New makes an agent; nothing happens before Run.
func New(c Config) (*Agent, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	rt := router.New(c.Logger)
	return &Agent{cfg: c, router: rt, routing: newRouting(rt), reports: report.New(c.ID, c.Log, c.Logger)}, nil
}

// Handler routes HTTP to the instances by host name.
func (a *Agent) Handler() http.Handler { return a.router }

// Run works until ctx ends. Then it takes no more traffic, stops every instance gracefully, reports that and returns: nil,
// unless something broke that it cannot work without. That takes at most twice the drain time, the grace time and a little.
// It is called once.
func (a *Agent) Run(ctx context.Context) error {
	found, err := a.cfg.Driver.Recover(ctx)
	if err != nil {
		return fmt.Errorf("agent: find what an earlier one left: %w", err)
	}
	s := newSupervisor(a.cfg, a.routing, a.reports)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	reporting, endReports := context.WithCancel(context.WithoutCancel(ctx))
	defer endReports()

	var background sync.WaitGroup
	background.Go(func() { a.reports.Run(reporting) })
	background.Go(func() { a.watch(ctx, s) })
	background.Go(func() { a.watchRoutes(ctx) })
	served := make(chan struct{})
	var serveErr error
	background.Go(func() {
		defer close(served)
		if serveErr = a.serve(ctx); serveErr != nil {
			cancel(serveErr)
		}
	})

	s.run(ctx, served, found)
	a.flush(ctx)
	endReports()
	background.Wait()
	return serveErr
}

// watch feeds the supervisor with what shall run. It begins once the routes are known: instances are told theirs.
func (a *Agent) watch(ctx context.Context, s *supervisor) {
	select {
	case <-a.routing.known:
	case <-ctx.Done():
		return
	}
	a.again(ctx, "lost sight of what shall run; instances stay as they are", func() error {
		return a.cfg.Source.Watch(ctx, func(u Update) { s.post(func() { s.apply(ctx, u) }) })
	})
}

// watchRoutes feeds the router with which host leads where.
func (a *Agent) watchRoutes(ctx context.Context) {
	if a.cfg.Routes == nil {
		a.routing.setRoutes(nil)
		return
	}
	a.again(ctx, "lost sight of the routes; they stay as they are", func() error {
		return a.cfg.Routes.Watch(ctx, a.routing.setRoutes)
	})
}

// again runs watch again and again as long as ctx lives.
func (a *Agent) again(ctx context.Context, lost string, watch func() error) {
	for {
		err := watch()
		if ctx.Err() != nil {
			return
		}
		a.cfg.Logger.Warn(lost, "err", err)
		t := time.NewTimer(watchPause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// serve takes traffic until ctx ends, then lets what is in flight finish. It begins once the routes are known: until then a
// client waits for a connection, which is better than to be told that there is no such app.
func (a *Agent) serve(ctx context.Context) error {
	if a.cfg.Traffic == nil {
		<-ctx.Done()
		return nil
	}
	select {
	case <-a.routing.known:
	case <-ctx.Done():
		return nil
	}
	server := router.NewServer(a.router)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(a.cfg.Traffic) }()
	select {
	case err := <-failed:
		return fmt.Errorf("agent: serve traffic: %w", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.Drain)
	defer cancel()
	if err := server.Shutdown(bounded); err != nil {
		a.cfg.Logger.Warn("cut off requests that took too long", "err", err)
		_ = server.Close() // it closes what Shutdown gave up on
	}
	<-failed // http.ErrServerClosed
	return nil
}

// flush gives the last reports some time to be written.
func (a *Agent) flush(ctx context.Context) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if n := a.reports.Flush(bounded); n > 0 {
		a.cfg.Logger.Warn("reports lost: the event log did not take them in time", "count", n)
	}
}
