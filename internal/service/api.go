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

// ErrNotLoopback: an address that others could reach. NATS knows no logins yet, and HTTP no TLS, so nothing may listen there.
var ErrNotLoopback = errors.New("not a loopback address: logins over NATS and TLS are not there yet, so only this machine may connect")

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

// API is the part that takes commands, by HTTP and by both NATS doors, stages builds, and answers queries. It owns the listener.
func API(b *Backbone, store *projections.Store, logins *auth.Authority, listener net.Listener, logger *slog.Logger) Part {
	base := "http://" + listener.Addr().String()
	handler := commands.NewHandler(b.Log, b.Snapshots, resource.Finder{Reader: resource.Reader{Store: store}, Log: b.Log}, bits{b.Droplets}, logger)
	face := api.New(api.Config{
		Commands: handler, Packages: handler, Store: store, Log: b.Log, Apps: commands.Apps(b.Log, b.Snapshots), Logger: logger,
		Auth: logins, Login: logins.Handler(), UserIDs: logins.UserID,
	})
	stager := staging.New(b.Log, commands.Apps(b.Log, b.Snapshots), bits{b.Droplets}, logger, nil)
	reader := resource.Reader{Store: store, UserIDs: logins.UserID}
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
		group.Go(func() error { return serve(ctx, face.Server(), listener) })
		group.Go(func() error { return stager.Run(ctx) })
		group.Go(func() error { tidy(ctx, b, logger); return nil })
		group.Go(func() error {
			return doors.Run(ctx, doors.Config{
				NC: b.Conn, Handler: handler, Log: b.Log, Logger: logger, Ready: func() { close(ready) },
				Present: func(ctx context.Context, r commands.Result) (any, error) {
					return reader.Load(ctx, resource.Base(base), r)
				},
			})
		})
		return group.Wait()
	}}
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

// serve serves until ctx ends, then lets requests in flight finish.
func serve(ctx context.Context, server *http.Server, listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), httpDrain)
	defer cancel()
	err := server.Shutdown(drain)
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
