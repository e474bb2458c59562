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
	Droplets  droplets.Store
	Conn      *streams.Conn
}

// Dial connects to a NATS server, sets the streams up where they are not, and opens what the parts need. The connection
// heals by itself from then on.
func Dial(ctx context.Context, url, name string, logger *slog.Logger) (*Backbone, error) {
	nc, err := streams.Connect(url, name, logger)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w (start one with: nats-server -c nats.conf)", url, err)
	}
	return attach(ctx, nc, logger)
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
		if b, err = attach(ctx, nc, logger); err == nil {
			return server, b, nil
		}
	}
	_ = server.Shutdown() // the first failure is the one to tell
	return nil, nil, err
}

func attach(ctx context.Context, nc *streams.Conn, logger *slog.Logger) (*Backbone, error) {
	b, err := open(ctx, nc, logger)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return b, nil
}

func open(ctx context.Context, nc *streams.Conn, logger *slog.Logger) (*Backbone, error) {
	if err := streams.Setup(ctx, nc, streams.Config{}); err != nil {
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
