package updater

import (
	"context"
	"log/slog"

	"slipway/events"
	"slipway/internal/eventlog"
)

// sweep considers every app once, whatever consumer or alarm of it was lost while no updater ran.
func (u *Updater) sweep(ctx context.Context) error {
	return eventlog.Sweep(ctx, u.log, events.AllAppSubjects, func(id events.AppID) error {
		return u.consider(ctx, id, trigger{cause: "sweep"})
	}, func(id events.AppID, err error) {
		u.logger.LogAttrs(ctx, level(err), "app not considered at start, will try again", slog.String("app", string(id)), slog.Any("err", err))
	})
}
