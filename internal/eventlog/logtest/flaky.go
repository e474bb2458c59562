package logtest

import (
	"context"
	"errors"
	"sync/atomic"

	"slipway/events"
	"slipway/internal/eventlog"
)

// Flaky is a log of which one answer is a failure, for tests of who reads and appends. An append that fails has been written: its
// acknowledgement is lost.
type Flaky struct {
	eventlog.Log
	Lists bool // lists of aggregates count as answers

	left atomic.Int64 // until the answer that fails; not above 0: none does any more
}

// Fail lets the n-th answer from now on fail.
func (f *Flaky) Fail(n int) { f.left.Store(int64(n)) }

// Failed says whether that answer was given.
func (f *Flaky) Failed() bool { return f.left.Load() <= 0 }

// Answer counts as one, for what else may fail. It gives [eventlog.ErrUnavailable] where it is the one that does.
func (f *Flaky) Answer() error {
	if f.left.Add(-1) == 0 {
		return eventlog.ErrUnavailable
	}
	return nil
}

// Last implements [eventlog.Log].
func (f *Flaky) Last(ctx context.Context, s events.Subject) (events.Sequence, error) {
	if err := f.Answer(); err != nil {
		return 0, err
	}
	return f.Log.Last(ctx, s)
}

// Read implements [eventlog.Log].
func (f *Flaky) Read(ctx context.Context, s events.Subject, after, until events.Sequence, fn func(events.Recorded) error) error {
	if err := f.Answer(); err != nil {
		return err
	}
	return f.Log.Read(ctx, s, after, until, fn)
}

// Heads implements [eventlog.Log].
func (f *Flaky) Heads(ctx context.Context, filter string) ([]eventlog.Head, error) {
	if f.Lists {
		if err := f.Answer(); err != nil {
			return nil, err
		}
	}
	return f.Log.Heads(ctx, filter)
}

// Append implements [eventlog.Log].
func (f *Flaky) Append(ctx context.Context, c events.Commit, last events.Sequence) (events.Recorded, error) {
	recorded, err := f.Log.Append(ctx, c, last)
	return recorded, errors.Join(err, f.Answer())
}
