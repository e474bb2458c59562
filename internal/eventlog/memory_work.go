package eventlog

import (
	"context"
	"time"

	"slipway/events"
)

// memoryWorker is what a durable consumer remembers.
type memoryWorker struct {
	after events.Sequence // everything up to here was handed out
	again []memoryRetry   // given back
}

type memoryRetry struct {
	raw     Raw
	attempt int
	due     time.Time
}

// Work implements [Log].
func (m *Memory) Work(ctx context.Context, w Worker, fn func(context.Context, events.Recorded) error) error {
	filters, err := checkFilters(w.Filters)
	if err != nil {
		return err
	}
	err = w.run(ctx, m.reg, func(ctx context.Context) (delivery, error) { return m.next(ctx, w.Name, filters) }, fn)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// next hands out the oldest commit that is due, waiting for one where there is none.
func (m *Memory) next(ctx context.Context, name string, filters []string) (delivery, error) {
	for {
		d, ok, wait, grown := m.take(name, filters)
		if ok && ctx.Err() == nil {
			return d, nil
		}
		if ok {
			d.again(0)
		}
		if err := waitFor(ctx, grown, wait); err != nil {
			return delivery{}, err
		}
	}
}

// waitFor waits for a signal, at most so long (0: for ever).
func waitFor(ctx context.Context, signal <-chan struct{}, atMost time.Duration) error {
	var timeout <-chan time.Time
	if atMost > 0 {
		t := time.NewTimer(atMost)
		defer t.Stop()
		timeout = t.C
	}
	select {
	case <-signal:
		return ctx.Err()
	case <-timeout:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take hands out what is due now. Where nothing is, it says how long until something will be (0: not known) and which
// channel closes on anything new.
func (m *Memory) take(name string, filters []string) (d delivery, ok bool, wait time.Duration, grown <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.workers[name]
	if w == nil {
		w = &memoryWorker{}
		m.workers[name] = w
	}
	for i, r := range w.again {
		left := time.Until(r.due)
		if left <= 0 {
			w.again = append(w.again[:i:i], w.again[i+1:]...)
			return m.deliver(w, r.raw, r.attempt+1), true, 0, nil
		}
		if wait == 0 || left < wait {
			wait = left
		}
	}
	for int(w.after) < len(m.raws) {
		raw := m.raws[w.after]
		w.after++
		if matchesAny(filters, raw.Subject) {
			return m.deliver(w, raw, 1), true, 0, nil
		}
	}
	return delivery{}, false, wait, m.grown
}

func (m *Memory) deliver(w *memoryWorker, raw Raw, attempt int) delivery {
	return delivery{Raw: raw, attempt: attempt, done: func() {}, again: func(after time.Duration) {
		m.mu.Lock()
		defer m.mu.Unlock()
		w.again = append(w.again, memoryRetry{raw, attempt, time.Now().Add(after)})
		m.wake()
	}}
}
