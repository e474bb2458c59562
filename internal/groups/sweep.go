package groups

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"slipway/events"
)

// Waits before the groups are considered again that a sweep could not. They double in between.
const (
	firstSweepAgain   = time.Second
	longestSweepAgain = 30 * time.Second
)

// sweep considers every group once, whatever was lost while nobody ran.
func (m *Manager) sweep(ctx context.Context) error {
	heads, err := m.log.Heads(ctx, events.AllGroupSubjects)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	var left []events.GroupID
	for _, head := range heads {
		if _, id, ok := head.Subject.Split(); ok {
			left = append(left, events.GroupID(id))
		}
	}
	for wait := firstSweepAgain; ; wait = min(2*wait, longestSweepAgain) {
		if left = m.sweepOnce(ctx, left); len(left) == 0 {
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

// sweepOnce gives the groups that could not be considered.
func (m *Manager) sweepOnce(ctx context.Context, all []events.GroupID) (left []events.GroupID) {
	for _, id := range all {
		err := m.consider(ctx, id, events.Recorded{})
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		left = append(left, id)
		m.logger.LogAttrs(ctx, level(err), "group not considered at start, will try again", slog.String("group", string(id)), slog.Any("err", err))
	}
	return left
}
