package service

import (
	"context"
	"log/slog"

	"slipway/aggregates/app"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/resource"
	"slipway/internal/updater"
	"slipway/projections"
)

// Updater is the part that drives rollouts. It asks the read models what quotas have left.
func Updater(b *Backbone, store *projections.Store, logger *slog.Logger) Part {
	quotas := commands.NewQuotas(b.Log, b.Snapshots, resource.Finder{Reader: resource.Reader{Store: store}, Log: b.Log})
	u := updater.New(b.Log, b.Timers, commands.Apps(b.Log, b.Snapshots), func(ctx context.Context, s app.State) (app.Quota, error) {
		return quotas.Of(ctx, s.Organization, s.Space)
	}, logger)
	return Part{Name: "updater", Run: func(ctx context.Context) error {
		stop, err := eventlog.OnProjected(b.Conn, store.Notified)
		if err != nil {
			return err
		}
		defer func() { _ = stop() }() // it fails on a closed connection only
		return u.Run(ctx)
	}}
}
