package eventlog

import (
	"context"
	"fmt"
	"time"
)

// Waits before what a sweep could not do is tried again. They double in between.
const (
	firstSweepAgain   = time.Second
	longestSweepAgain = 30 * time.Second
)

// Sweep considers every aggregate that a filter selects once, whatever was lost while nobody ran. What fails is told to failed and
// tried again until it succeeds or ctx ends; nil is returned then. Errors: those of [Log.Heads].
func Sweep[ID ~string](ctx context.Context, log Log, filter string, consider func(ID) error, failed func(ID, error)) error {
	left, err := IDs[ID](ctx, log, filter)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for wait := firstSweepAgain; ; wait = min(2*wait, longestSweepAgain) {
		left = failing(ctx, left, consider, failed)
		if len(left) == 0 {
			return nil
		}
		again := time.NewTimer(wait)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return nil
		}
	}
}

// failing gives those that could not be considered; none once ctx has ended.
func failing[ID ~string](ctx context.Context, ids []ID, consider func(ID) error, failed func(ID, error)) (left []ID) {
	for _, id := range ids {
		err := consider(id)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		left = append(left, id)
		failed(id, err)
	}
	return left
}

// IDs are those of all aggregates that a filter selects, the one that changed last at the end.
func IDs[ID ~string](ctx context.Context, log Log, filter string) (ids []ID, err error) {
	heads, err := log.Heads(ctx, filter)
	for _, head := range heads {
		if _, id, ok := head.Subject.Split(); ok {
			ids = append(ids, ID(id))
		}
	}
	return ids, err
}
