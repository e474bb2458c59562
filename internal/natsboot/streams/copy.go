package streams

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// How the account of the copy reaches the feed: the subjects that the server's configuration of accounts imports.
const (
	mirrorAPIPrefix     = "SLIPWAY.JS.API"
	mirrorDeliverPrefix = "SLIPWAY.mirror"
)

// SetupCopy makes the copy of the feed that people read, under the same name, in another account: from is a connection to the
// account of the feed, which must be there, and to one to the account of the copy. It lives as long as the feed does, and the
// server keeps it up to date.
func SetupCopy(ctx context.Context, from, to *nats.Conn) error {
	feed, err := jetstream.New(from)
	if err != nil {
		return fmt.Errorf("set up the copy of the feed: %w", err)
	}
	cfg, err := standing(ctx, feed, Config{})
	if err != nil {
		return fmt.Errorf("set up the copy of the feed: %w", err)
	}
	js, err := jetstream.New(to)
	if err != nil {
		return fmt.Errorf("set up the copy of the feed: %w", err)
	}
	err = persist(ctx, func(ctx context.Context) error {
		_, err := js.CreateOrUpdateStream(ctx, copyConfig(cfg))
		return err
	})
	if err != nil {
		return fmt.Errorf("set up the copy of the feed: %w", err)
	}
	return nil
}

func copyConfig(cfg Config) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: Feed, Description: "Events for subscribers, under names people know. A copy.",
		Mirror: &jetstream.StreamSource{
			Name: Feed, External: &jetstream.ExternalStream{APIPrefix: mirrorAPIPrefix, DeliverPrefix: mirrorDeliverPrefix},
		},
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Replicas: cfg.Replicas,
		Discard: jetstream.DiscardOld, MaxAge: cfg.FeedMaxAge, DenyDelete: true, DenyPurge: true,
		AllowDirect: true, Compression: jetstream.S2Compression,
	}
}
