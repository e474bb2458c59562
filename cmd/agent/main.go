// Command agent runs instances as processes of this host, watches their health, and routes HTTP traffic to them by host name.
package main

import (
	"context"
	"fmt"
	"io"

	"slipway/internal/cli"
	"slipway/internal/service"
)

// Config is what the program needs to know.
type Config struct {
	service.Connection
	Apps string `default:"127.0.0.1:8081" env:"SLIPWAY_APPS" help:"Loopback address of the router to the apps; port 0 takes a free one."`
	Data string `default:"data/agent" env:"SLIPWAY_DATA" help:"The agent's own directory." type:"path"`
	cli.Logging
}

func main() { cli.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c Config
	return cli.Parse(ctx, &c, "agent", "Runs instances and routes traffic to them.", args, stdout, stderr, func() error {
		logger := c.Logger(stderr)
		traffic, err := service.Listen(c.Apps)
		if err != nil {
			return err
		}
		defer traffic.Close()
		backbone, err := c.Dial(ctx, "agent", logger)
		if err != nil {
			return err
		}
		defer backbone.Close()
		part, err := service.Agent(backbone, service.AgentConfig{Dir: c.Data, Traffic: traffic}, logger)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "agent routes apps on http://%s\n", traffic.Addr())
		return service.Run(ctx, logger, part)
	})
}
