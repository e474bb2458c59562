package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/droplets"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot"
	"slipway/internal/natsboot/streams"
	"slipway/internal/notify"
)

// Backbone is what the parts need of NATS: the log, its caches, the feed and the droplets.
type Backbone struct {
	Registry  *events.Registry
	Log       *eventlog.JetStream
	Timers    *eventlog.JetStreamTimers
	Snapshots eventlog.Snapshots
	Feed      *eventlog.FeedStream
	Droplets  *droplets.ObjectStore
	Conn      *streams.Conn
	Secrets   notify.Secrets // that deliveries to subscribers are signed with
}

// Connection is the flags of a program that works on a NATS server.
type Connection struct {
	NATS     string `default:"nats://127.0.0.1:4222" env:"SLIPWAY_NATS" help:"URL of the NATS server; several, separated by commas, of a cluster."`
	Auth     string `default:"data/auth" env:"SLIPWAY_AUTH" help:"Directory of the logins: the secret of Slipway's own parts is there, for the api users and signing keys too." type:"path"`
	Replicas int    `default:"0" env:"SLIPWAY_REPLICAS" help:"Copies of every stream in a NATS cluster: 1, 3 or 5. 0 keeps what was set up, at first 1."`
}

// Dial connects to the NATS server, sets the streams up where they are not, and opens what the parts need. The connection
// heals by itself from then on.
func (c Connection) Dial(ctx context.Context, name string, logger *slog.Logger) (*Backbone, error) {
	secret, err := partsSecret(c.Auth)
	if err != nil {
		return nil, err
	}
	return attach(ctx, streams.Config{Replicas: c.Replicas}, secret, logger, func(user string) (*streams.Conn, error) {
		nc, err := streams.Connect(c.NATS, name, logger, streams.Login(user, secret))
		switch {
		case errors.Is(err, streams.ErrRefused):
			return nil, fmt.Errorf("%w (the secret in %s is not of the Slipway that runs there: name its directory with --auth)", err, c.Auth)
		case err != nil:
			return nil, fmt.Errorf("%w (start one with: slipway nats)", err)
		}
		return nc, nil
	})
}

// secretEnv names the variable of the environment with the secret of Slipway's parts, for machines that do not have the file.
const secretEnv = "SLIPWAY_SERVICE_SECRET"

// partsSecret is what Slipway's own parts show to NATS.
func partsSecret(dir string) (string, error) {
	if secret := os.Getenv(secretEnv); secret != "" {
		return secret, nil
	}
	secret, err := auth.ServiceSecret(dir)
	if err != nil {
		return "", fmt.Errorf("%w (the first start of `slipway serve` or `slipway nats` makes it: name its directory with --auth, or set %s)",
			err, secretEnv)
	}
	return secret, nil
}

// Embed starts a NATS server in this process, on a directory and an address, and connects to it without a socket, by the secret
// of Slipway's parts.
func Embed(ctx context.Context, cfg natsboot.Config, secret string, logger *slog.Logger) (*natsboot.Server, *Backbone, error) {
	server, err := natsboot.Start(ctx, cfg, logger)
	if err != nil {
		return nil, nil, err
	}
	b, err := attach(ctx, streams.Config{}, secret, logger, func(user string) (*streams.Conn, error) {
		return server.Connect("slipway", logger, streams.Login(user, secret))
	})
	if err != nil {
		_ = server.Shutdown() // the first failure is the one to tell
		return nil, nil, err
	}
	return server, b, nil
}

// attach connects as Slipway's parts, and for a moment as who keeps the copy of the feed.
func attach(
	ctx context.Context, cfg streams.Config, secret string, logger *slog.Logger, connect func(user string) (*streams.Conn, error),
) (*Backbone, error) {
	nc, err := connect(auth.ServiceUser)
	if err != nil {
		return nil, err
	}
	b, err := open(ctx, nc, cfg, logger)
	if err == nil {
		err = copyFeed(ctx, nc, connect)
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	b.Secrets = notify.NewSecrets(secret)
	return b, nil
}

func copyFeed(ctx context.Context, from *streams.Conn, connect func(user string) (*streams.Conn, error)) error {
	to, err := connect(auth.ServiceFeedUser)
	if err != nil {
		return err
	}
	defer to.Close()
	return streams.SetupCopy(ctx, from, to)
}

func open(ctx context.Context, nc *streams.Conn, cfg streams.Config, logger *slog.Logger) (*Backbone, error) {
	if err := streams.Setup(ctx, nc, cfg); err != nil {
		return nil, err
	}
	b := &Backbone{Registry: events.NewRegistry(), Conn: nc}
	var err error
	if b.Log, err = eventlog.Open(ctx, nc, b.Registry, eventlog.Config{Logger: logger}); err != nil {
		return nil, err
	}
	if b.Timers, err = eventlog.OpenTimers(ctx, nc, eventlog.Config{Logger: logger}); err != nil {
		return nil, err
	}
	if b.Snapshots, err = eventlog.OpenSnapshots(ctx, nc); err != nil {
		return nil, err
	}
	if b.Feed, err = eventlog.OpenFeed(ctx, nc); err != nil {
		return nil, err
	}
	if b.Droplets, err = droplets.Open(ctx, nc); err != nil {
		return nil, err
	}
	return b, nil
}

// Close closes the connection.
func (b *Backbone) Close() { b.Conn.Close() }
