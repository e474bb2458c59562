package service

import (
	"context"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"slipway/internal/eventlog"
	"slipway/internal/projector"
	"slipway/projections"
)

// Projector is the part that brings the log into the read models and into the feed.
func Projector(b *Backbone, store *projections.Store, logger *slog.Logger) Part {
	models := &projector.Runner{Log: b.Log, Store: store, Notify: eventlog.AnnounceProjected(b.Conn), Logger: logger}
	feed := &projector.Feed{Log: b.Log, Stream: b.Feed, Registry: b.Registry, Logger: logger}
	return Part{Name: "projector", Run: func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return models.Run(ctx) })
		group.Go(func() error { models.Renew(ctx, store); return nil })
		group.Go(func() error { return feed.Run(ctx) })
		return group.Wait()
	}}
}
