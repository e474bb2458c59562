package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
)

// workAhead is less than prefetch, to leave some work to other processes.
const workAhead = 100

// Work implements [Log], with a durable consumer of the worker's name.
func (j *JetStream) Work(ctx context.Context, w Worker, fn func(context.Context, events.Recorded) error) error {
	filters, err := checkFilters(w.Filters)
	if err != nil {
		return fmt.Errorf("work as %s: %w", w.Name, err)
	}
	if !events.ValidID(w.Name) {
		return fmt.Errorf("work: %q is no name for a consumer", w.Name)
	}
	shift := newShift(&j.link, w.config(filters, j.cfg.RedeliverAfter))
	err = shift.during(func() error { return w.run(ctx, j.reg, shift.next, fn) })
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("work as %s: %w", w.Name, err)
}

func (w Worker) config(filters []string, redeliver time.Duration) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: w.Name, FilterSubjects: filters, DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: redeliver, MaxDeliver: -1, MaxAckPending: maxHeld,
	}
}

// shift is one process's time at a worker's job.
type shift struct {
	link *link
	cfg  jetstream.ConsumerConfig
	s    *session // of the goroutine that calls next

	mu   sync.Mutex
	held map[events.Sequence]jetstream.Msg // handed to a lane, not acknowledged yet
}

func newShift(l *link, cfg jetstream.ConsumerConfig) *shift {
	return &shift{link: l, cfg: cfg, held: map[events.Sequence]jetstream.Msg{}}
}

// during does the work that takes what next gives.
func (sh *shift) during(work func() error) error {
	stop := sh.keepAlive()
	err := work()
	stop()
	sh.end()
	return err
}

// next gives the next message, through a new session wherever the last broke off.
func (sh *shift) next(ctx context.Context) (delivery, error) {
	for {
		if sh.s == nil {
			var err error
			if sh.s, err = sh.link.openSession(ctx, false, sh.cfg, workAhead); err != nil {
				return delivery{}, err
			}
		}
		m, err := sh.s.receive(ctx)
		if err == nil {
			return sh.hold(m)
		}
		if ctx.Err() != nil {
			return delivery{}, ctx.Err()
		}
		sh.link.cfg.Logger.Debug("a worker's session starts anew", "consumer", sh.cfg.Durable, "err", err)
		sh.s.stop()
		sh.s = nil
	}
}

// hold makes a delivery of a message, which is kept from others until it is acknowledged or given back.
func (sh *shift) hold(m jetstream.Msg) (delivery, error) {
	meta, err := m.Metadata()
	if err != nil {
		return delivery{}, err
	}
	raw := consumed(m, meta)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.held[raw.Sequence] = m
	return delivery{
		Raw: raw, attempt: int(meta.NumDelivered),
		done:  func() { sh.let(raw.Sequence, m, m.Ack) },
		again: func(after time.Duration) { sh.let(raw.Sequence, m, func() error { return m.NakWithDelay(after) }) },
	}, nil
}

// let releases a message. What is said to the server may get lost: then the commit comes again, which is what at least
// once means.
func (sh *shift) let(seq events.Sequence, m jetstream.Msg, say func() error) {
	sh.mu.Lock()
	if sh.held[seq] == m {
		delete(sh.held, seq)
	}
	sh.mu.Unlock()
	if err := say(); err != nil {
		sh.link.cfg.Logger.Debug("not acknowledged", "seq", seq, "err", err)
	}
}

// keepAlive tells the server, three times as often as it must, which messages are still being worked on, until stop is called.
func (sh *shift) keepAlive() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(sh.link.cfg.RedeliverAfter / 3)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				sh.inProgress()
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

func (sh *shift) inProgress() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for seq, m := range sh.held {
		if err := m.InProgress(); err != nil && !errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
			sh.link.cfg.Logger.Debug("still working, but the server was not told", "seq", seq, "err", err)
		}
	}
}

// end gives back what was not handled and waits until the server knows all that was said.
func (sh *shift) end() {
	if sh.s != nil {
		sh.s.stop()
	}
	if sh.link.nc.IsConnected() {
		_ = sh.link.nc.FlushTimeout(goodbye) // else it learns of it by silence
	}
}
