package projections

import (
	"context"
	"errors"

	"slipway/events"
)

// Strategy is a stored deployment strategy that exists.
type Strategy struct {
	GUID        events.StrategyID
	Name        string
	Description string
	Growth      events.Growth
	ReplicateTo string
	Tags        map[string]string
	Stamp
}

var strategies = view[events.StrategyID, Strategy]{
	table: "strategies", kind: "strategy",
	key:   func(s *Strategy) events.StrategyID { return s.GUID },
	stamp: func(s *Strategy) *Stamp { return &s.Stamp },
	columns: func(s *Strategy) []column {
		return []column{
			{"guid", &s.GUID}, {"name", &s.Name}, {"description", &s.Description}, {"growth", asJSON(&s.Growth)},
			{"replicate_to", &s.ReplicateTo}, {"tags", asJSON(&s.Tags)},
		}
	},
}.ready()

// strategy folds an event about a strategy, the last of which a view could know.
func (f *fold) strategy(m moment, e events.Event) error {
	switch e := e.(type) {
	case events.StrategyCreated:
		return f.strategies.add(Strategy{
			GUID: e.Strategy, Name: e.Name, Description: e.Description, Growth: e.Growth, ReplicateTo: e.ReplicateTo, Tags: e.Tags,
			Stamp: m.stamp(),
		})
	case events.StrategyUpdated:
		return f.strategies.change(m, e.Strategy, func(s *Strategy) { s.Description, s.Growth = e.Description, e.Growth })
	case events.StrategyDeleted:
		return f.strategies.drop(e.Strategy)
	}
	return errors.New("no view knows this type")
}

// Strategy reads one strategy, or gives [ErrNotFound].
func (s *Store) Strategy(ctx context.Context, id events.StrategyID) (Strategy, error) {
	return strategies.get(ctx, s.readers, id)
}

// Strategies lists strategies in the order of their creation: the first n of those created after a place (the zero Place: all
// of them). What is created or deleted between two pages neither doubles nor hides another. It reads by strategies_by_place.
func (s *Store) Strategies(ctx context.Context, after Place, n int) (List[Strategy], error) {
	var w where
	w.add("(created_sequence, created_index) > (?, ?)", after.Sequence, after.Index)
	return list(ctx, s, strategies, w, Order{}.sql(), Page{Number: 1, PerPage: n})
}
