package doors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/aggregates"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot/streams"
)

// Consumer is the durable consumer of COMMANDS that all processes share.
const Consumer = "door"

const commandsPrefix = "commands."

// Limits of the durable door.
const (
	// defaultAckWait is how long the server waits before it gives a command to another process: how long the door stands
	// still when the process that holds one is killed.
	defaultAckWait = 5 * time.Second
	// firstDelay and longestDelay bound the wait before a command is tried again. It doubles in between.
	firstDelay   = 50 * time.Millisecond
	longestDelay = 30 * time.Second
	// maxFaults is how often a command may fail for a reason nobody knows before it counts as poison: it holds up those
	// behind it, for three seconds or so.
	maxFaults = 7
	// pullExpiry and pullHeartbeat: a pull that the server has forgotten is noticed within two heartbeats.
	pullExpiry    = 10 * time.Second
	pullHeartbeat = 2 * time.Second
	// reopenDelay is the wait before a broken consumer is opened again.
	reopenDelay = 500 * time.Millisecond
)

// durable is the durable door.
type durable struct {
	Config
	js     jetstream.JetStream
	faulty struct { // the command that last failed for no known reason, and how often here
		seq   uint64
		times int
	}
}

func openDurable(ctx context.Context, cfg Config) (*durable, error) {
	js, err := jetstream.New(cfg.NC)
	if err != nil {
		return nil, err
	}
	if cfg.ackWait == 0 {
		cfg.ackWait = defaultAckWait
	}
	d := &durable{Config: cfg, js: js}
	if err := EnsureDeadLetters(ctx, js); err != nil {
		return nil, err
	}
	_, err = d.consumer(ctx)
	return d, err
}

// consumer makes the consumer, or finds it. One command at a time is out, over all processes: that keeps the order.
func (d *durable) consumer(ctx context.Context) (jetstream.Consumer, error) {
	c, err := d.js.CreateOrUpdateConsumer(ctx, streams.Commands, jetstream.ConsumerConfig{
		Durable: Consumer, Description: "Carries out commands, one at a time and in order.",
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: d.ackWait, MaxAckPending: 1, MaxDeliver: -1,
	})
	if err != nil {
		return nil, fmt.Errorf("consumer %s of %s: %w", Consumer, streams.Commands, err)
	}
	return c, nil
}

// run carries out commands until ctx ends. Whatever the consumer breaks off with, it is opened again; only a connection
// that was closed ends it.
func (d *durable) run(ctx context.Context) error {
	for {
		err := d.consume(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if d.NC.IsClosed() {
			return fmt.Errorf("durable door: %w", nats.ErrConnectionClosed)
		}
		d.Logger.LogAttrs(ctx, slog.LevelWarn, "durable door broke off, opens again", slog.Any("err", err))
		if !pause(ctx, reopenDelay) {
			return nil
		}
	}
}

// pause waits; it says false where ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (d *durable) consume(ctx context.Context) error {
	c, err := d.consumer(ctx)
	if err != nil {
		return err
	}
	it, err := c.Messages(jetstream.PullMaxMessages(1), jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return err
	}
	defer giveBack(it)
	for {
		m, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		d.deliver(context.WithoutCancel(ctx), m) // what has begun is finished, and has its own deadline
	}
}

// giveBack ends an iterator and lets others have at once what it had fetched.
func giveBack(it jetstream.MessagesContext) {
	it.Drain()
	for {
		m, err := it.Next()
		if err != nil {
			return
		}
		_ = m.Nak() // without it the command comes again a little later
	}
}

// deliver carries out one message and tells the server what became of it. An acknowledgement that gets lost brings the
// command again, which changes nothing.
func (d *durable) deliver(ctx context.Context, m jetstream.Msg) {
	// The deadline lies before the server's: a command is never with two processes at once, unless one has stalled.
	ctx, cancel := context.WithTimeout(ctx, d.ackWait*4/5)
	defer cancel()
	meta, err := m.Metadata()
	if err != nil {
		d.Logger.LogAttrs(ctx, slog.LevelError, "a message that is none of a stream", slog.Any("err", err))
		return
	}
	o := readOrder(m.Subject(), m.Headers(), m.Data(), place{meta.Sequence.Stream, meta.Timestamp})
	if err := d.settle(ctx, o, m); err != nil {
		d.Logger.LogAttrs(ctx, slog.LevelWarn, "command not settled, will try again", slog.String("command", line(o.name)),
			slog.String("id", string(o.by.CommandID)), slog.Uint64("attempt", meta.NumDelivered), slog.Any("err", err))
		err = m.NakWithDelay(delayAfter(meta.NumDelivered))
		d.told(ctx, o, err)
		return
	}
	d.told(ctx, o, m.Ack())
}

func (d *durable) told(ctx context.Context, o order, err error) {
	if err != nil {
		d.Logger.LogAttrs(ctx, slog.LevelWarn, "command not acknowledged, will come again",
			slog.String("id", string(o.by.CommandID)), slog.Any("err", err))
	}
}

// settle carries out the command, or puts on record that it is not. An error means that neither could be done now.
func (d *durable) settle(ctx context.Context, o order, m jetstream.Msg) error {
	if refused, err := d.refusedBefore(ctx, o); refused || err != nil {
		return err
	}
	caller, err := d.identify(ctx, o.caller, m.Headers(), o.at.stored)
	o.by.Actor = actorOf(caller, err)
	if err == nil {
		err = o.fault
	}
	if err == nil {
		_, err = d.carryOut(ctx, caller, o.name, o.body, o.by)
	}
	if err == nil || d.again(o, err) {
		return err
	}
	if poison(o, err) {
		if err := d.bury(ctx, o, m, err); err != nil {
			return err
		}
	}
	return d.record(ctx, o, err)
}

// again says whether a command that failed shall be tried again: for ever where the reason will pass, some times where
// nobody knows it.
func (d *durable) again(o order, err error) bool {
	var rejected *aggregates.RejectedError
	var corrupt *eventlog.CorruptError
	switch {
	case errors.As(err, &rejected), errors.As(err, &corrupt), forbidden(err):
		return false // no attempt will change that
	case errors.Is(err, eventlog.ErrUnavailable), errors.Is(err, eventlog.ErrConflict),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return true
	}
	if d.faulty.seq != o.at.seq {
		d.faulty.seq, d.faulty.times = o.at.seq, 0
	}
	d.faulty.times++
	return d.faulty.times < maxFaults
}

// delayAfter is the wait after the n-th delivery.
func delayAfter(n uint64) time.Duration {
	delay := firstDelay
	for i := uint64(1); i < n && delay < longestDelay; i++ {
		delay *= 2
	}
	return min(delay, longestDelay)
}
