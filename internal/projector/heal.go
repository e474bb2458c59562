package projector

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"slipway/internal/eventlog"
)

// Pauses between attempts: short enough that a restart of the server is hardly noticed, long enough that an error that
// stays does not flood the log.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 10 * time.Second
)

// lasting is after how many failures in a row, some three seconds, a person should look.
const lasting = 5

// heal runs work until ctx ends. Where work fails it is run again after a pause, which doubles as long as work fails
// without having called progress. It returns nil: only the end of ctx ends it.
func heal(ctx context.Context, logger *slog.Logger, name string, work func(ctx context.Context, progress func()) error) error {
	failures := 0
	for {
		err := work(ctx, func() { failures = 0 })
		if ctx.Err() != nil {
			return nil
		}
		failures++
		pause := pauseAfter(failures)
		logger.Log(ctx, severity(err, failures), "projection interrupted", "projection", name, "attempt", failures,
			"retry_in", pause, "err", err)
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

func pauseAfter(failures int) time.Duration {
	pause := firstPause
	for i := 1; i < failures && pause < maxPause; i++ {
		pause *= 2
	}
	return min(pause, maxPause)
}

// severity of a failure. A conflict only means that another feed writer was faster.
func severity(err error, failures int) slog.Level {
	switch {
	case failures >= lasting:
		return slog.LevelError
	case errors.Is(err, eventlog.ErrConflict):
		return slog.LevelDebug
	default:
		return slog.LevelWarn
	}
}
