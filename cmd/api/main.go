// Command api takes commands by HTTP and by both NATS doors, and answers queries from the read models.
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
	DB   string `default:"data/views.db" env:"SLIPWAY_DB" help:"File of the read models, which a projector writes."`
	HTTP string `default:"127.0.0.1:8080" env:"SLIPWAY_HTTP" help:"Loopback address to listen on; port 0 takes a free one."`
	service.Growth
	cli.Logging
}

func main() { cli.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c Config
	return cli.Parse(ctx, &c, "api", "Takes commands and answers queries.", args, stdout, stderr, func() error {
		logger := c.Logger(stderr)
		listener, err := service.Listen(c.HTTP)
		if err != nil {
			return err
		}
		defer listener.Close()
		logins, err := service.Logins(c.Auth, stdout, logger)
		if err != nil {
			return err
		}
		backbone, err := c.Dial(ctx, "api", logger)
		if err != nil {
			return err
		}
		defer backbone.Close()
		store, err := projections.Open(ctx, c.DB)
		if err != nil {
			return err
		}
		defer store.Close()
		fmt.Fprintf(stdout, "api listens on http://%s\n", listener.Addr())
		return service.Run(ctx, logger, service.API(backbone, store, logins, listener, c.Growth, logger))
	})
}
