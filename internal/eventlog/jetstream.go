package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
	nc         *nats.Conn
	js         jetstream.JetStream
	reg        *events.Registry
	cfg        Config
	replicated bool // a direct get may be answered by a server that lags behind
}

// Open opens the log on the stream [StreamEvents], which must have been set up. It refuses a stream whose settings could
// lose history.
func Open(ctx context.Context, nc *nats.Conn, reg *events.Registry, cfg Config) (*JetStream, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("open event log: %w", err)
	}
	j := &JetStream{nc: nc, js: js, reg: reg, cfg: cfg.withDefaults()}
	var settings jetstream.StreamConfig
	err = j.persist(ctx, "open event log", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, j.cfg.AckWait)
		defer cancel()
		stream, err := js.Stream(ctx, StreamEvents)
		if err == nil {
			settings = stream.CachedInfo().Config
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := checkSettings(settings); err != nil {
		return nil, fmt.Errorf("open event log: stream %s: %w", StreamEvents, err)
	}
	j.replicated = settings.Replicas > 1
	return j, nil
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

// pause waits before attempt n (from 1), growing from 1 ms to a fifth of a second. It fails when ctx ends first.
func pause(ctx context.Context, n int) error {
	return waitFor(ctx, nil, min(time.Millisecond<<min(n-1, 10), 200*time.Millisecond))
}

// persist calls try until it succeeds, fails for good, or the log's patience ends.
func (j *JetStream) persist(ctx context.Context, op string, try func(context.Context) error) error {
	patient, cancel := context.WithTimeout(ctx, j.cfg.Patience)
	defer cancel()
	for n := 1; ; n++ {
		err := try(patient)
		switch {
		case err == nil, errors.Is(err, ErrConflict):
			return err
		case !passing(err):
			return fmt.Errorf("%s: %w", op, err)
		}
		if pause(patient, n) != nil {
			return unavailable(op, errors.Join(ctx.Err(), err))
		}
	}
}

// request asks the server, for at most AckWait.
func (j *JetStream) request(ctx context.Context, m *nats.Msg) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, j.cfg.AckWait)
	defer cancel()
	return j.nc.RequestMsgWithContext(ctx, m)
}

// passing says whether err may be gone in a moment: no server answered, or the answer settled nothing.
func passing(err error) bool {
	return unanswered(err) || errors.Is(err, errInDoubt) || apiCode(err) == errCodeDuplicateInProcess
}

// unanswered says whether err means that no server answered, so that it is worth asking again.
func unanswered(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code >= 500 // no leader now, resources exhausted for the moment
	}
	return slices.ContainsFunc([]error{
		context.DeadlineExceeded, context.Canceled, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrConnectionClosed,
		nats.ErrDisconnected, nats.ErrReconnectBufExceeded, nats.ErrConnectionReconnecting, jetstream.ErrNoStreamResponse,
	}, func(known error) bool { return errors.Is(err, known) })
}

func apiCode(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return 0
	}
	return api.ErrorCode
}
