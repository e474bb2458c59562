package service

import (
	"context"
	"log/slog"

	"slipway/internal/checks"
	"slipway/internal/commands"
)

// Checks is the part that asks the checks of rollouts. It goes with an [Updater].
func Checks(b *Backbone, logger *slog.Logger) Part {
	web := checks.NewWeb()
	runner := checks.New(b.Log, commands.Apps(b.Log, b.Snapshots), web, logger)
	return Part{Name: "checks", Run: func(ctx context.Context) error {
		defer web.Close()
		return runner.Run(ctx)
	}}
}
