package projections

import (
	"context"
	"errors"
	"fmt"

	"slipway/events"
)

var (
	// ErrOrder: a batch was not in the order of the log. Applying it would lose commits, so none of it was applied.
	ErrOrder = errors.New("the batch is not in the order of the log")
	// ErrRewound: the read models stand before what this store has applied; they were replaced or restored. Begin again
	// from the checkpoint: what lies between would be missing for ever.
	ErrRewound = errors.New("the read models were set back")
)

// Apply brings a batch of commits and the checkpoint into the read models, in one transaction. Commits at or below the
// checkpoint are left out. The caller gives every commit of the log, in order, from the checkpoint on: subjects
// interleave, so a gap cannot be seen here. Errors: [ErrOrder], [ErrRewound], or the database's; then nothing was applied.
func (s *Store) Apply(ctx context.Context, batch []events.Recorded) error {
	if len(batch) == 0 {
		return nil
	}
	reached, err := s.apply(ctx, batch)
	if err != nil {
		return fmt.Errorf("apply %d commits from sequence %d: %w", len(batch), batch[0].Sequence, err)
	}
	s.applied.raise(reached)
	s.passed.advance(reached)
	return nil
}

func (s *Store) apply(ctx context.Context, batch []events.Recorded) (reached events.Sequence, err error) {
	if err := inOrder(batch); err != nil {
		return 0, err
	}
	tx, end, err := s.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	at, err := checkpoint(ctx, tx)
	if err != nil {
		return 0, err
	}
	if at < s.applied.load() {
		s.applied.Store(uint64(at))
		s.passed.rewind(at)
		return 0, ErrRewound
	}
	for len(batch) > 0 && batch[0].Sequence <= at {
		batch = batch[1:]
	}
	if len(batch) == 0 {
		return at, nil
	}
	if err := write(ctx, tx, batch); err != nil {
		return 0, err
	}
	reached = batch[len(batch)-1].Sequence
	if _, err := tx.ExecContext(ctx, "UPDATE checkpoint SET sequence = ? WHERE id = 1", reached); err != nil {
		return 0, err
	}
	return reached, tx.Commit()
}

func inOrder(batch []events.Recorded) error {
	for i := 1; i < len(batch); i++ {
		if batch[i].Sequence <= batch[i-1].Sequence {
			return fmt.Errorf("sequence %d after %d: %w", batch[i].Sequence, batch[i-1].Sequence, ErrOrder)
		}
	}
	return nil
}

// write folds the batch and writes the rows that it changed.
func write(ctx context.Context, tx writing, batch []events.Recorded) error {
	f := newFold()
	for _, c := range batch {
		for _, e := range c.Events {
			f.want(e)
		}
	}
	if err := f.load(ctx, tx); err != nil {
		return err
	}
	if err := f.loadRecorded(ctx, tx, batch); err != nil {
		return err
	}
	for _, c := range batch {
		f.commit(c)
	}
	for _, t := range append(f.tables(), &f.groups) {
		if err := t.store(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// load reads all rows that were asked for, and then the groups of deployments among them: those are known by the rows alone.
func (f *fold) load(ctx context.Context, tx writing) error {
	for _, t := range f.tables() {
		if err := t.load(ctx, tx); err != nil {
			return err
		}
	}
	f.wantGroups()
	return f.groups.load(ctx, tx)
}

// loadRecorded looks which reports of the batch the history has already. Only reports can stand in the log twice.
func (f *fold) loadRecorded(ctx context.Context, tx writing, batch []events.Recorded) error {
	for _, c := range batch {
		if c.Version != 0 {
			continue
		}
		for i, e := range c.Events {
			r := report{c.EventID(i), e.Type()}
			_, err := history.one(ctx, tx, history.sql.all+" WHERE event_id = ? AND type = ?", r.id, r.kind)
			switch {
			case err == nil:
				f.recorded[r] = true
			case !errors.Is(err, ErrNotFound):
				return err
			}
		}
	}
	return nil
}
