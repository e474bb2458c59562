package eventlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/internal/natsboot/streams"
)

// KVSnapshots is Snapshots in the key-value bucket [streams.Snapshots].
type KVSnapshots struct {
	kv jetstream.KeyValue
}

// OpenSnapshots opens the bucket, which must have been set up.
func OpenSnapshots(ctx context.Context, nc *nats.Conn) (*KVSnapshots, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("open snapshots: %w", err)
	}
	kv, err := js.KeyValue(ctx, streams.Snapshots)
	if err != nil {
		return nil, fmt.Errorf("open snapshots: bucket %s: %w", streams.Snapshots, err)
	}
	return &KVSnapshots{kv}, nil
}

// Get implements [Snapshots].
func (s *KVSnapshots) Get(ctx context.Context, key string) ([]byte, error) {
	entry, err := s.kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", key, err)
	}
	return entry.Value(), nil
}

// Put implements [Snapshots].
func (s *KVSnapshots) Put(ctx context.Context, key string, value []byte) error {
	if _, err := s.kv.Put(ctx, key, value); err != nil {
		return fmt.Errorf("snapshot %s: %w", key, err)
	}
	return nil
}
