package projections

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"slipway/events"
)

// broadcast tells all who wait that something may have changed.
type broadcast struct {
	mu      sync.Mutex
	known   events.Sequence // a checkpoint that was seen; the real one is this or later
	changed chan struct{}   // closed at the next change
}

// advance notes a checkpoint that was seen and wakes all who wait.
func (b *broadcast) advance(seq events.Sequence) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if seq > b.known {
		b.known = seq
		b.wake()
	}
}

// rewind forgets what was seen beyond seq.
func (b *broadcast) rewind(seq events.Sequence) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known = min(b.known, seq)
}

// hint wakes all who wait, so that they look for themselves.
func (b *broadcast) hint() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake()
}

func (b *broadcast) wake() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

func (b *broadcast) watch() (events.Sequence, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.known, b.changed
}

// Notified says that another process may have applied commits up to seq. Whoever waits for one of them looks at the
// checkpoint; a wrong or lost notification does no harm but a later answer.
func (s *Store) Notified(seq events.Sequence) {
	if known, _ := s.passed.watch(); seq > known {
		s.passed.hint()
	}
}

// lastLook bounds the look of who has run out of time: all connections may be at work.
const lastLook = time.Second

// Wait returns once the read models hold the commit with this sequence. It wakes on [Store.Apply] in this process and on
// [Store.Notified], and looks a last time when ctx ends; then it returns the context's error. Give it a deadline.
func (s *Store) Wait(ctx context.Context, seq events.Sequence) error {
	for {
		// Watch before looking: what comes between the two wakes us.
		known, changed := s.passed.watch()
		if known >= seq {
			return nil
		}
		at, err := s.look(ctx)
		switch ended := ctx.Err(); {
		case err == nil && at >= seq:
			return nil
		case err == nil && ended != nil:
			return fmt.Errorf("wait for sequence %d, read models stand at %d: %w", seq, at, ended)
		case err != nil:
			return fmt.Errorf("wait for sequence %d: %w", seq, errors.Join(ended, err))
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// look reads the checkpoint, a last time where ctx has ended.
func (s *Store) look(ctx context.Context) (events.Sequence, error) {
	at, err := s.Checkpoint(ctx)
	if ctx.Err() == nil {
		return at, err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	return s.Checkpoint(last)
}

// mark is a sequence that only rises.
type mark struct{ atomic.Uint64 }

func (m *mark) load() events.Sequence { return events.Sequence(m.Load()) }

func (m *mark) raise(to events.Sequence) {
	for {
		from := m.Load()
		if from >= uint64(to) || m.CompareAndSwap(from, uint64(to)) {
			return
		}
	}
}
