package projections

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"slipway/events"
)

// progressEvery is how often a progress bar is drawn anew at most.
const progressEvery = 100 * time.Millisecond

// Source gives the log to rebuild from.
type Source interface {
	// Newest is the sequence of the newest commit, 0 for an empty log.
	Newest(ctx context.Context) (events.Sequence, error)
	// Batches gives every commit with after < sequence <= until, in order, in batches. It stops at fn's first error.
	Batches(ctx context.Context, after, until events.Sequence, fn func([]events.Recorded) error) error
}

// Rebuild makes all views anew from the log, beside the live ones, and then puts them in their place in one transaction.
// Until then readers see the old rows, after it the new ones, and never anything else; a crash at any line leaves the
// old ones. Other processes may read and write the store all the while. Progress is drawn to progress. It returns the
// checkpoint of the new views.
func (s *Store) Rebuild(ctx context.Context, from Source, progress io.Writer) (at events.Sequence, err error) {
	scratch, drop, err := s.scratch(ctx, progress)
	if err != nil {
		return 0, fmt.Errorf("rebuild: %w", err)
	}
	defer func() { err = errors.Join(err, drop()) }()
	newest, err := from.Newest(ctx)
	if err != nil {
		return 0, fmt.Errorf("rebuild: %w", err)
	}
	if err := scratch.fill(ctx, from, newest, progress); err != nil {
		return 0, fmt.Errorf("rebuild: %w", err)
	}
	at, err = s.switchTo(ctx, scratch, func(live events.Sequence) error {
		return scratch.fill(ctx, from, live, io.Discard)
	})
	if err != nil {
		return 0, fmt.Errorf("rebuild: switch: %w", err)
	}
	s.passed.advance(at)
	return at, nil
}

// Outdated says whether a migration changed what views say of events that they hold already: then only a rebuild tells it.
func (s *Store) Outdated(ctx context.Context) (outdated bool, err error) {
	if err := s.readers.QueryRowContext(ctx, "SELECT EXISTS (SELECT * FROM outdated)").Scan(&outdated); err != nil {
		return false, fmt.Errorf("read what is outdated: %w", err)
	}
	return outdated, nil
}

// Check compares the views with what the log gives and returns the first difference; nil where there is none. Nobody can
// write to the store while it compares; a projector waits or tries again.
func (s *Store) Check(ctx context.Context, from Source, progress io.Writer) (found *Difference, err error) {
	scratch, drop, err := s.scratch(ctx, progress)
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	defer func() { err = errors.Join(err, drop()) }()
	live, err := s.Checkpoint(ctx)
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	if err := scratch.fill(ctx, from, live, progress); err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	err = s.frozen(ctx, func(live events.Sequence) error {
		if err := scratch.fill(ctx, from, live, io.Discard); err != nil {
			return err
		}
		found, err = Verify(ctx, s, scratch)
		return err
	})
	return found, err
}

// scratch opens an empty store beside the live one. drop closes and deletes it. A store that a crashed rebuild left
// behind is deleted first; a rebuild that is going on is waited for, and progress is told so.
func (s *Store) scratch(ctx context.Context, progress io.Writer) (scratch *Store, drop func() error, err error) {
	path := s.path + ".rebuild"
	unlock, err := lock(ctx, s.path+".rebuild-lock", progress)
	if err != nil {
		return nil, nil, err
	}
	if err := removeFiles(path); err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	// OFF: nobody needs a scratch file that has lived through a crash.
	if scratch, err = open(ctx, path, "OFF"); err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	return scratch, func() error { return errors.Join(scratch.Close(), removeFiles(path), unlock()) }, nil
}

func removeFiles(path string) error {
	var all []error
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// fill catches up with the log to a sequence.
func (s *Store) fill(ctx context.Context, from Source, until events.Sequence, progress io.Writer) error {
	at, err := s.Checkpoint(ctx)
	if err != nil || at >= until {
		return err
	}
	bar := progressbar.NewOptions64(int64(until), progressbar.OptionSetWriter(progress),
		progressbar.OptionSetDescription("rebuilding read models"), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionThrottle(progressEvery), progressbar.OptionOnCompletion(func() { fmt.Fprintln(progress) }))
	return from.Batches(ctx, at, until, func(batch []events.Recorded) error {
		if err := s.Apply(ctx, batch); err != nil {
			return err
		}
		_ = bar.Set64(int64(batch[len(batch)-1].Sequence)) // a bar that cannot be drawn stops nothing
		return nil
	})
}
