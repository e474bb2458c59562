package service

import (
	"context"
	"log/slog"

	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/groups"
	"slipway/internal/resource"
	"slipway/projections"
)

// Groups is the part that drives groups of deployments. It goes with an [Updater], and asks the read models where deployments
// are.
func Groups(b *Backbone, store *projections.Store, logger *slog.Logger) Part {
	finder := resource.Finder{Reader: resource.Reader{Store: store}, Log: b.Log}
	handler := commands.NewHandler(b.Log, b.Snapshots, finder, bits{b.Droplets}, logger)
	manager := groups.New(b.Log, commands.Apps(b.Log, b.Snapshots), handler, logger)
	return Part{Name: "groups", Run: func(ctx context.Context) error {
		stop, err := eventlog.OnProjected(b.Conn, store.Notified)
		if err != nil {
			return err
		}
		defer func() { _ = stop() }() // it fails on a closed connection only
		return manager.Run(ctx)
	}}
}
