// Package halts says which halts are in force.
//
// What it guarantees: an answer takes every halt into account that was declared or lifted before it was asked, as the log has
// them then. What it keeps in memory is a cache; that it is current costs one look at the newest commit.
package halts

import (
	"context"
	"fmt"
	"time"

	"slipway/aggregates/app"
	"slipway/aggregates/halt"
	"slipway/events"
	"slipway/internal/eventlog"
)

// Halts is all halts together.
type Halts struct {
	all *eventlog.Repository[halt.State]
	id  string
}

// New makes one over the event log.
func New(log eventlog.Log) *Halts {
	_, id, _ := events.HaltSubject.Split()
	return &Halts{eventlog.NewRepository(log, events.AggregateHalt, halt.Evolve, nil, 0), id}
}

// Load gives them as they stand now.
func (h *Halts) Load(ctx context.Context) (eventlog.Aggregate[halt.State], error) {
	agg, err := h.all.Load(ctx, h.id)
	if err != nil {
		return agg, fmt.Errorf("halts: %w", err)
	}
	return agg, nil
}

// For is the halt in force in a space; the zero Halt is none.
func (h *Halts) For(ctx context.Context, o events.OrganizationID, s events.SpaceID, now time.Time) (app.Halt, error) {
	agg, err := h.Load(ctx)
	return agg.State.For(o, s, now), err
}

// Decide lets decide choose what to declare or lift, and appends it. That there is nothing to do is said of no state that others have
// changed meanwhile.
func (h *Halts) Decide(
	ctx context.Context, m eventlog.Meta, decide func(halt.State) ([]events.Event, error),
) (eventlog.Outcome[halt.State], error) {
	if _, err := h.all.LoadNewest(ctx, h.id); err != nil {
		return eventlog.Outcome[halt.State]{}, fmt.Errorf("halts: %w", err)
	}
	return h.all.Decide(ctx, h.id, m, decide)
}
