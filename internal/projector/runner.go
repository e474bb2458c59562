package projector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/projections"
)

// ErrLogBehind: what was projected goes further than the log. The log was replaced or restored from a backup; following it
// would leave out all commits up to the checkpoint. A rebuild heals the read models.
var ErrLogBehind = errors.New("the log ends before the checkpoint")

// Progress is told after each batch.
type Progress struct {
	Sequence events.Sequence // the checkpoint now
	Commits  int             // of the batch
	Delay    time.Duration   // since the newest commit of the batch was decided
}

// Store is where the read models are kept: [projections.Store].
type Store interface {
	Checkpoint(ctx context.Context) (events.Sequence, error)
	Apply(ctx context.Context, batch []events.Recorded) error
}

// Runner brings the log into the read models.
type Runner struct {
	Log     eventlog.Log
	Store   Store
	Notify  func(events.Sequence) // tells other processes how far the read models are; may be nil
	Observe func(Progress)        // for metrics; may be nil
	Logger  *slog.Logger
}

// Run follows the log from the checkpoint until ctx ends; then it returns nil.
func (r *Runner) Run(ctx context.Context) error {
	return heal(ctx, r.Logger, "read models", r.follow)
}

func (r *Runner) follow(ctx context.Context, progress func()) error {
	at, err := startAt(ctx, r.Log, r.Store.Checkpoint)
	if err != nil {
		return err
	}
	return r.Log.Follow(ctx, eventlog.Query{After: at}, func(batch []events.Recorded) error {
		if err := r.Store.Apply(ctx, batch); err != nil {
			return err
		}
		progress()
		r.tell(batch)
		return nil
	})
}

func (r *Runner) tell(batch []events.Recorded) {
	if r.Notify != nil {
		r.Notify(batch[len(batch)-1].Sequence)
	}
	if r.Observe != nil {
		r.Observe(progressOf(batch))
	}
}

func progressOf(batch []events.Recorded) Progress {
	newest := batch[len(batch)-1]
	return Progress{Sequence: newest.Sequence, Commits: len(batch), Delay: time.Since(newest.Time)}
}

// startAt reads a checkpoint and makes sure that the log goes at least so far.
func startAt(ctx context.Context, log eventlog.Log, checkpoint func(context.Context) (events.Sequence, error)) (events.Sequence, error) {
	at, err := checkpoint(ctx)
	if err != nil {
		return 0, err
	}
	newest, err := log.Newest(ctx)
	if err != nil {
		return 0, err
	}
	if newest < at {
		return 0, fmt.Errorf("checkpoint %d, newest commit %d: %w", at, newest, ErrLogBehind)
	}
	return at, nil
}

// rebuildBatch is how many commits a rebuild applies in one transaction.
const rebuildBatch = 1000

// Source is the log as a rebuild of the read models reads it.
type Source struct{ Log eventlog.Log }

var _ projections.Source = Source{}

// Newest implements [projections.Source].
func (s Source) Newest(ctx context.Context) (events.Sequence, error) { return s.Log.Newest(ctx) }

// Batches implements [projections.Source].
func (s Source) Batches(ctx context.Context, after, until events.Sequence, fn func([]events.Recorded) error) error {
	var batch []events.Recorded
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := fn(batch)
		batch = nil
		return err
	}
	err := s.Log.Replay(ctx, eventlog.Query{After: after, Until: until}, func(c events.Recorded) error {
		if batch = append(batch, c); len(batch) < rebuildBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
