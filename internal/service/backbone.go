package service

import (
	"context"
	"fmt"
	"log/slog"

	"slipway/events"
	"slipway/internal/droplets"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot"
	"slipway/internal/natsboot/streams"
)

// Backbone is what the parts need of NATS: the log, its caches, the feed and the droplets.
type Backbone struct {
	Registry  *events.Registry
	Log       *eventlog.JetStream
	Snapshots eventlog.Snapshots
	Feed      *eventlog.FeedStream
	Droplets  *droplets.ObjectStore
	Conn      *streams.Conn
}

// Connection is the flags of a program that works on a NATS server.
type Connection struct {
	NATS     string `default:"nats://127.0.0.1:4222" env:"SLIPWAY_NATS" help:"URL of the NATS server; several, separated by commas, of a cluster."`
	Replicas int    `default:"0" env:"SLIPWAY_REPLICAS" help:"Copies of every stream in a NATS cluster: 1, 3 or 5. 0 keeps what was set up, at first 1."`
}

// Dial connects to the NATS server, sets the streams up where they are not, and opens what the parts need. The connection
// heals by itself from then on.
func (c Connection) Dial(ctx context.Context, name string, logger *slog.Logger) (*Backbone, error) {
	nc, err := streams.Connect(c.NATS, name, logger)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w (start one with: nats-server -c nats.conf)", c.NATS, err)
	}
	return attach(ctx, nc, streams.Config{Replicas: c.Replicas}, logger)
}

// Embed starts a NATS server in this process, on a directory and an address, and connects to it without a socket.
func Embed(ctx context.Context, cfg natsboot.Config, logger *slog.Logger) (*natsboot.Server, *Backbone, error) {
	server, err := natsboot.Start(ctx, cfg, logger)
	if err != nil {
		return nil, nil, err
	}
	nc, err := server.Connect("slipway", logger)
	if err == nil {
		var b *Backbone
		if b, err = attach(ctx, nc, streams.Config{}, logger); err == nil {
			return server, b, nil
		}
	}
	_ = server.Shutdown() // the first failure is the one to tell
	return nil, nil, err
}

func attach(ctx context.Context, nc *streams.Conn, cfg streams.Config, logger *slog.Logger) (*Backbone, error) {
	b, err := open(ctx, nc, cfg, logger)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return b, nil
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
