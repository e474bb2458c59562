package projector

import (
	"context"
	"io"
	"log/slog"

	"slipway/events"
	"slipway/projections"
)

// Renewable are read models that a migration can make outdated: [projections.Store].
type Renewable interface {
	Outdated(ctx context.Context) (bool, error)
	Rebuild(ctx context.Context, from projections.Source, progress io.Writer) (events.Sequence, error)
}

// Renew makes the read models anew beside the old ones where a migration says that they must be, while [Runner.Run] follows the log.
// What fails is told, and tried again at the next start: until then the old ones serve.
func (r *Runner) Renew(ctx context.Context, store Renewable) {
	outdated, err := store.Outdated(ctx)
	if err == nil && !outdated {
		return
	}
	var at events.Sequence
	if err == nil {
		_, err = startAt(ctx, r.Log, r.Store.Checkpoint) // a log that has been lost must not take the read models with it
	}
	if err == nil {
		r.Logger.LogAttrs(ctx, slog.LevelInfo, "read models are of an earlier version and are made anew; the old ones serve meanwhile")
		at, err = store.Rebuild(ctx, Source{Log: r.Log}, io.Discard)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.Logger.LogAttrs(ctx, slog.LevelError, "read models not made anew: projector rebuild does", slog.Any("err", err))
	default:
		r.Logger.LogAttrs(ctx, slog.LevelInfo, "read models made anew", slog.Uint64("seq", uint64(at)))
		if r.Notify != nil {
			r.Notify(at)
		}
	}
}
