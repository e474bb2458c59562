package service

import (
	"log/slog"

	"slipway/internal/commands"
	"slipway/internal/updater"
)

// Updater is the part that drives rollouts.
func Updater(b *Backbone, logger *slog.Logger) Part {
	return Part{Name: "updater", Run: updater.New(b.Log, commands.Apps(b.Log, b.Snapshots), nil, logger).Run}
}
