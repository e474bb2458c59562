package projections

import (
	"context"

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
	table: "strategies", keys: 1,
	key:   func(s *Strategy) events.StrategyID { return s.GUID },
	where: func(id events.StrategyID) []any { return []any{id} },
	columns: func(s *Strategy) []column {
		return append([]column{
			{"guid", &s.GUID}, {"name", &s.Name}, {"description", &s.Description}, {"growth", asJSON(&s.Growth)},
			{"replicate_to", &s.ReplicateTo}, {"tags", asJSON(&s.Tags)},
		}, s.Stamp.columns()...)
	},
}.ready()

// strategy folds an event about a deployment strategy.
func (f *fold) strategy(m moment, e events.Event) {
	switch e := e.(type) {
	case events.StrategyCreated:
		f.strategyCreated(m, e)
	case events.StrategyUpdated:
		f.strategyUpdated(m, e)
	case events.StrategyDeleted:
		if f.strategies.get(e.Strategy) == nil {
			f.anomaly(m, e, "strategy %s is unknown", e.Strategy)
		}
		f.strategies.remove(e.Strategy)
	default:
		f.anomaly(m, e, "no view knows this type")
	}
}

func (f *fold) strategyCreated(m moment, e events.StrategyCreated) {
	if f.strategies.get(e.Strategy) != nil {
		f.anomaly(m, e, "strategy %s exists already", e.Strategy)
		return
	}
	f.strategies.put(Strategy{
		GUID: e.Strategy, Name: e.Name, Description: e.Description, Growth: e.Growth, ReplicateTo: e.ReplicateTo, Tags: e.Tags,
		Stamp: m.stamp(),
	})
}

func (f *fold) strategyUpdated(m moment, e events.StrategyUpdated) {
	s := f.strategies.edit(e.Strategy)
	if s == nil {
		f.anomaly(m, e, "strategy %s is unknown", e.Strategy)
		return
	}
	s.Description, s.Growth = e.Description, e.Growth
	s.touch(m)
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
