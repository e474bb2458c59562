package projector

import (
	"context"
	"time"

	"slipway/events"
)

// The mark counts only when all of the feed has aged out, so it may be late: markDelay gathers what comes meanwhile into
// one write. finalMark bounds the last one, when the feed is being stopped.
const (
	markDelay = time.Second
	finalMark = 2 * time.Second
)

// marker notes how far the feed is, some time after the fact.
type marker struct {
	newest chan events.Sequence // holds at most one: the newest not yet marked
}

func newMarker() marker { return marker{make(chan events.Sequence, 1)} }

// set asks for a mark. It never waits; only one goroutine may call it.
func (m marker) set(seq events.Sequence) {
	select {
	case <-m.newest:
	default:
	}
	m.newest <- seq
}

// run writes marks until ctx ends, and then the last one.
func (m marker) run(ctx context.Context, mark func(context.Context, events.Sequence) error) error {
	for {
		t := time.NewTimer(markDelay)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return m.flush(ctx, mark)
		}
		select {
		case seq := <-m.newest:
			if err := mark(ctx, seq); err != nil {
				return err
			}
		case <-ctx.Done():
			return m.flush(ctx, mark)
		}
	}
}

func (m marker) flush(ctx context.Context, mark func(context.Context, events.Sequence) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalMark)
	defer cancel()
	select {
	case seq := <-m.newest:
		return mark(ctx, seq)
	default:
		return nil
	}
}
