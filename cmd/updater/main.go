// Command updater drives rollouts and asks their checks. Any number of them may run.
package main

import (
	"context"
	"fmt"
	"io"

	"slipway/internal/cli"
	"slipway/internal/service"
	"slipway/projections"
)

// Config is what the program needs to know.
type Config struct {
	service.Connection
	DB string `default:"data/views.db" env:"SLIPWAY_DB" help:"File of the read models, which a projector writes: what quotas have left."`
	cli.Logging
}

func main() { cli.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c Config
	return cli.Parse(ctx, &c, "updater", "Drives rollouts.", args, stdout, stderr, func() error {
		logger := c.Logger(stderr)
		backbone, err := c.Dial(ctx, "updater", logger)
		if err != nil {
			return err
		}
		defer backbone.Close()
		store, err := projections.Open(ctx, c.DB)
		if err != nil {
			return err
		}
		defer store.Close()
		fmt.Fprintf(stdout, "updater works on %s\n", c.NATS)
		return service.Run(ctx, logger, service.Groups(backbone, store, logger), service.Checks(backbone, logger), service.Notify(backbone, logger), service.Updater(backbone, store, logger))
	})
}
