package main

import (
	"context"
	"errors"
	"fmt"

	"slipway/internal/cli"
	"slipway/internal/natsboot"
	"slipway/internal/service"
	"slipway/projections"
)

// NATS runs the NATS server of an installation whose parts are processes of their own: nats-server, with Slipway to say who
// connects.
type NATS struct {
	Conf string `default:"nats.conf" help:"Configuration in nats-server's format." type:"path"`
	Auth string `default:"data/auth" env:"SLIPWAY_AUTH" help:"Directory of the logins." type:"path"`
	DB   string `default:"data/views.db" env:"SLIPWAY_DB" help:"File of the read models, which a projector writes: what spaces are called."`
	cli.Logging
}

// Run serves until ctx ends.
func (n NATS) Run(ctx context.Context, streams cli.Streams) (err error) {
	logger := n.Logger(streams.Err)
	logins, err := service.Logins(n.Auth, streams.Out, logger)
	if err != nil {
		return err
	}
	store, err := projections.Open(ctx, n.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	server, err := natsboot.Start(ctx, natsboot.Config{File: n.Conf, Logins: logins, Places: service.Places(store)}, logger)
	if err != nil {
		return err
	}
	fmt.Fprintf(streams.Out, "NATS listens on %s\n", server.ClientURL())
	<-ctx.Done()
	return server.Shutdown()
}
