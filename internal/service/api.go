package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/aggregates"
	"slipway/aggregates/plan"
	"slipway/events"
	"slipway/internal/access"
	"slipway/internal/api"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/doors"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot"
	"slipway/internal/resource"
	"slipway/internal/staging"
	"slipway/projections"
)

// httpDrain is how long requests in flight may take when the API is stopped: longer than a command's deadline.
const httpDrain = 25 * time.Second

// leftAfter is how old a piece of an upload must be to count as left behind by a process that was killed.
const leftAfter = 24 * time.Hour

// ErrNotLoopback: an address that others could reach. There is no TLS yet, so passwords would travel as they are.
var ErrNotLoopback = errors.New("not a loopback address: there is no TLS yet, so only this machine may connect")

// Listen listens on a loopback address "host:port"; port 0 takes a free one.
func Listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", addr, err)
	}
	if !natsboot.Loopback(host) {
		return nil, fmt.Errorf("listen on %q: %w (use 127.0.0.1)", addr, ErrNotLoopback)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w (is Slipway running already? choose another port)", addr, err)
	}
	return l, nil
}

// Growth is the flag about growth curves; embed it in a program's flags.
type Growth struct {
	GrowthSchedule plan.Schedule `default:"first-step-now" enum:"first-step-now,first-step-later,one-interval-around" env:"SLIPWAY_GROWTH_SCHEDULE" help:"When the steps of a deployment strategy begin: first-step-now (at once), first-step-later (one interval after the start) or one-interval-around (an interval before the first and after the last one)."`
}

// API is the part that takes commands, by HTTP and by both NATS doors, stages builds, and answers queries. It owns the listener.
func API(b *Backbone, store *projections.Store, logins *auth.Authority, listener net.Listener, growth Growth, logger *slog.Logger) Part {
	base := "http://" + listener.Addr().String()
	reader := resource.Reader{Store: store, UserIDs: logins.UserID, Secrets: b.Secrets.Of}
	finder := resource.Finder{Reader: reader, Log: b.Log}
	gate := access.New(finder)
	handler := commands.NewHandler(b.Log, b.Snapshots, finder, bits{b.Droplets}, logger)
	handler.Grow(growth.GrowthSchedule)
	face := api.New(api.Config{
		Commands: handler, Packages: handler, Store: store, Log: b.Log, Apps: commands.Apps(b.Log, b.Snapshots), Logger: logger,
		Auth: logins, Keys: logins, Clients: logins, Login: logins.Handler(), UserIDs: logins.UserID,
		Secrets: b.Secrets.Of,
	})
	stager := staging.New(b.Log, commands.Apps(b.Log, b.Snapshots), bits{b.Droplets}, logger, nil)
	ready := make(chan struct{})
	return Part{Name: "api", Ready: ready, Run: func(ctx context.Context) error {
		if err := handler.Bootstrap(ctx); err != nil {
			return err
		}
		stop, err := eventlog.OnProjected(b.Conn, store.Notified)
		if err != nil {
			return err
		}
		defer func() { _ = stop() }() // it fails on a closed connection only
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return serve(ctx, face.Server(), listener, httpDrain) })
		group.Go(func() error { return stager.Run(ctx) })
		group.Go(func() error { tidy(ctx, b, logger); return nil })
		group.Go(func() error { handler.KeepTidy(ctx); return nil })
		group.Go(func() error {
			return doors.Run(ctx, doors.Config{
				NC: b.Conn, Handler: handler, Callers: logins, Allow: gate.Allow, Roles: gate.RolesOf, Log: b.Log, Logger: logger, Ready: func() { close(ready) },
				Present: presenting(reader, resource.Base(base), gate),
				Answer: func(ctx context.Context, q commands.Question, by commands.Caller) (any, events.Sequence, error) {
					return resource.Ask(ctx, handler, q, by)
				},
			})
		})
		return group.Wait()
	}}
}

// presenting gives what a command was about, as far as its caller may read it. It asks once more whether they may: under the
// id of somebody else's command it is theirs. What is gone has nothing to show.
func presenting(reader resource.Reader, base resource.Base, gate *access.Gate) func(context.Context, auth.Identity, commands.Result) (any, error) {
	return func(ctx context.Context, i auth.Identity, r commands.Result) (any, error) {
		v, err := reader.Load(ctx, base, r)
		if err != nil || v == nil {
			return nil, err
		}
		about := access.Thing{Kind: r.Kind, ID: r.ID}
		err = gate.Check(ctx, i, access.Demand{Action: auth.Read, On: about, Discreet: true, Hidden: aggregates.NotFound(string(r.Kind))})
		if err != nil {
			return nil, err
		}
		if secretive, ok := v.(resource.Secretive); ok {
			verdict, err := gate.Judge(ctx, i, access.Demand{Action: auth.ReadSecrets, On: about})
			if err != nil || verdict != auth.Allowed {
				return secretive.WithoutSecrets(), err
			}
		}
		return v, nil
	}
}

// tidy removes what interrupted uploads left in the droplet store. It is no fault of anybody's if it cannot: the next start
// tries again.
func tidy(ctx context.Context, b *Backbone, logger *slog.Logger) {
	removed, err := b.Droplets.Sweep(ctx, leftAfter)
	if err != nil && ctx.Err() == nil {
		logger.LogAttrs(ctx, slog.LevelWarn, "droplet store not tidied, will try at the next start", slog.Any("err", err))
	}
	if removed > 0 {
		logger.LogAttrs(ctx, slog.LevelInfo, "droplet store tidied", slog.Int("uploads", removed))
	}
}

// serve serves until ctx ends, then lets requests in flight finish for as long as drain, and cuts off what is left.
func serve(ctx context.Context, server *http.Server, listener net.Listener, drain time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := server.Shutdown(bounded)
	if err != nil {
		err = fmt.Errorf("requests were cut off that took longer than %v: %w", drain, errors.Join(err, server.Close()))
	}
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
