package eventlog

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// MemoryTimers is Timers in this process's memory, for unit tests. It goes by the clock of package time, so a test with
// testing/synctest sees alarms ring to the nanosecond.
type MemoryTimers struct {
	mu       sync.Mutex
	standing map[string]Alarm
	rung     []memoryRetry // due, and not attended to yet
	changed  chan struct{} // closed, and replaced, when there is something new to see
}

// NewMemoryTimers makes timers with no alarm.
func NewMemoryTimers() *MemoryTimers {
	return &MemoryTimers{standing: map[string]Alarm{}, changed: make(chan struct{})}
}

// Set implements [Timers].
func (m *MemoryTimers) Set(ctx context.Context, a Alarm) error {
	a, err := a.checked(time.Now())
	if err != nil {
		return err
	}
	if err := unavailable("set the alarm of "+a.Key, ctx.Err()); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.standing[a.Key].suffices(a, time.Now()) {
		m.standing[a.Key] = a
		m.wake()
	}
	return nil
}

// Lose removes the alarm of a key that stands, as somebody with access to the stream could, and gives it; one without a
// time where there is none.
func (m *MemoryTimers) Lose(key string) Alarm {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer delete(m.standing, key)
	return m.standing[key]
}

// Inject lets a message come as if an alarm had rung, as somebody with access to the stream could.
func (m *MemoryTimers) Inject(raw Raw) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.retry(raw, 0, 0)
}

// Ring implements [Timers].
func (m *MemoryTimers) Ring(ctx context.Context, fn func(context.Context, Alarm) error) error {
	_ = ring(ctx, m.next, slog.New(slog.DiscardHandler), fn) // it ends with ctx only
	return nil
}

// next gives the next alarm that is due, waiting for one where there is none.
func (m *MemoryTimers) next(ctx context.Context) (delivery, error) {
	for {
		d, ok, wait, changed := m.take()
		if ok && ctx.Err() == nil {
			return d, nil
		}
		if ok {
			d.again(0)
		}
		if err := waitFor(ctx, changed, wait); err != nil {
			return delivery{}, err
		}
	}
}

// take gives what is due now. Where nothing is, it says how long until something will be (0: not known) and which channel
// closes on any change.
func (m *MemoryTimers) take() (d delivery, ok bool, wait time.Duration, changed <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, a := range m.standing {
		if time.Until(a.At) <= 0 {
			delete(m.standing, key)
			m.rung = append(m.rung, memoryRetry{raw: Raw{Message: a.message(subjectDue)}})
		} else {
			wait = sooner(wait, a.At)
		}
	}
	for i, r := range m.rung {
		if time.Until(r.due) <= 0 {
			m.rung = append(m.rung[:i:i], m.rung[i+1:]...)
			return m.deliver(r.raw, r.attempt+1), true, 0, nil
		}
		wait = sooner(wait, r.due)
	}
	return delivery{}, false, wait, m.changed
}

// sooner is how long until at, or wait (0: for ever) where that is less.
func sooner(wait time.Duration, at time.Time) time.Duration {
	if left := time.Until(at); wait == 0 || left < wait {
		return max(left, 1) // it may have come meanwhile
	}
	return wait
}

func (m *MemoryTimers) deliver(raw Raw, attempt int) delivery {
	return delivery{Raw: raw, attempt: attempt, done: func() {}, again: func(after time.Duration) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.retry(raw, attempt, after)
	}}
}

func (m *MemoryTimers) retry(raw Raw, attempt int, after time.Duration) {
	m.rung = append(m.rung, memoryRetry{raw, attempt, time.Now().Add(after)})
	m.wake()
}

// wake tells everybody who waits that there is something new to see.
func (m *MemoryTimers) wake() {
	close(m.changed)
	m.changed = make(chan struct{})
}
