package groups

import (
	"context"
	"log/slog"

	"slipway/events"
	"slipway/internal/eventlog"
)

// sweep considers every group once, whatever was lost while nobody ran.
func (m *Manager) sweep(ctx context.Context) error {
	return eventlog.Sweep(ctx, m.log, events.AllGroupSubjects, func(id events.GroupID) error {
		return m.consider(ctx, id, events.Recorded{})
	}, func(id events.GroupID, err error) {
		m.logger.LogAttrs(ctx, level(err), "group not considered at start, will try again", slog.String("group", string(id)), slog.Any("err", err))
	})
}
