package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
)

// Config of a JetStream log. The zero value is what production uses.
type Config struct {
	// AckWait is how long one request may take before its outcome counts as unknown and is looked up. 0 means 3 s: a
	// write with fsync takes milliseconds, a busy disk makes it a second.
	AckWait time.Duration
	// Patience is how long an operation goes on asking before it says ErrUnavailable. 0 means 15 s: a replicated stream
	// takes up to ten to choose a new leader.
	Patience time.Duration
	// RedeliverAfter is how long a commit stays with a process that has stopped saying that it works on it: how long a
	// rollout stands still when an updater is killed. 0 means 5 s: a loaded machine must not seem dead.
	RedeliverAfter time.Duration
	// Logger is told what heals by itself. nil: nobody is.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.AckWait <= 0 {
		c.AckWait = 3 * time.Second
	}
	if c.Patience <= 0 {
		c.Patience = 15 * time.Second
	}
	if c.RedeliverAfter <= 0 {
		c.RedeliverAfter = 5 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// JetStream is the Log on a JetStream stream.
type JetStream struct {
	link
	reg        *events.Registry
	replicated bool // a direct get may be answered by a server that lags behind
}

// Open opens the log on the stream [StreamEvents], which must have been set up. It refuses a stream whose settings could
// lose history.
func Open(ctx context.Context, nc *nats.Conn, reg *events.Registry, cfg Config) (*JetStream, error) {
	l, settings, err := dial(ctx, nc, StreamEvents, cfg)
	if err == nil {
		err = checkSettings(settings)
	}
	if err != nil {
		return nil, fmt.Errorf("open event log: stream %s: %w", StreamEvents, err)
	}
	return &JetStream{link: l, reg: reg, replicated: settings.Replicas > 1}, nil
}

// checkSettings refuses to write the truth into a stream that could forget it: whoever made it meant something else.
func checkSettings(s jetstream.StreamConfig) error {
	var faults []error
	refuse := func(bad bool, fault string) {
		if bad {
			faults = append(faults, errors.New(fault))
		}
	}
	refuse(s.Retention != jetstream.LimitsPolicy, "its retention deletes what was consumed")
	refuse(s.MaxAge > 0, "its messages age out (max_age)")
	refuse(s.MaxMsgsPerSubject > 0, "it keeps only the newest messages of a subject (max_msgs_per_subject)")
	refuse(s.Discard != jetstream.DiscardNew && (s.MaxMsgs > 0 || s.MaxBytes > 0), "it drops old messages when full")
	refuse(!s.DenyDelete || !s.DenyPurge, "its messages can be deleted (deny_delete, deny_purge)")
	refuse(!s.AllowDirect, "it cannot be read directly (allow_direct)")
	refuse(s.Storage != jetstream.FileStorage, "it is kept in memory")
	return errors.Join(faults...)
}
