package projections_test

import (
	"errors"
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/events"
	"slipway/projections"
)

// strategies are facts about few deployment strategies; the first brings one forth.
func strategies(t *rapid.T, n int, tags map[string]string) []events.Event {
	strategy := id[events.StrategyID](t, "g")
	growth := events.Growth{GrowthType: events.GrowthLinear, GrowthFactor: float64(n) + 0.3}
	return []events.Event{
		events.StrategyCreated{Strategy: strategy, Name: "careful", Growth: growth, ReplicateTo: events.ReplicateToNone, Tags: tags},
		events.StrategyUpdated{Strategy: strategy, Description: "slower", Growth: growth},
		events.StrategyDeleted{Strategy: strategy},
	}
}

// stored is four strategies g1 to g4 in order of creation.
func stored() *log {
	l := &log{actor: "ann"}
	for _, id := range []events.StrategyID{"g1", "g2", "g3", "g4"} {
		l.add(events.StrategySubject(id), events.StrategyCreated{
			Strategy: id, Name: "careful", Description: "a third", ReplicateTo: events.ReplicateToSSMDocument, Tags: map[string]string{"team": "pay"},
			Growth: events.Growth{GrowthType: events.GrowthExponential, GrowthFactor: 33.3, DeploymentDurationMinutes: 15, FinalBakeMinutes: 3},
		})
	}
	return l
}

func TestAStrategyIsAsItsEventsSay(t *testing.T) {
	is := is.New(t)
	l := stored()
	faster := events.Growth{GrowthType: events.GrowthLinear, GrowthFactor: 50, DeploymentDurationMinutes: 1}
	l.add(events.StrategySubject("g1"), events.StrategyUpdated{Strategy: "g1", Description: "a half", Growth: faster})
	l.add(events.StrategySubject("g2"), events.StrategyDeleted{Strategy: "g2"})
	s := applied(t, l)
	got, err := s.Strategy(t.Context(), "g1")
	is.NoErr(err)
	is.Equal(got, projections.Strategy{
		GUID: "g1", Name: "careful", Description: "a half", Growth: faster, ReplicateTo: events.ReplicateToSSMDocument,
		Tags:  map[string]string{"team": "pay"},
		Stamp: projections.Stamp{CreatedAt: at(1), UpdatedAt: at(5), Created: projections.Place{Sequence: 1}, Sequence: 5},
	})
	other, err := s.Strategy(t.Context(), "g3")
	is.NoErr(err)
	is.Equal(other.Growth.GrowthFactor, 33.3) // no digit is lost
	_, err = s.Strategy(t.Context(), "g2")
	is.True(errors.Is(err, projections.ErrNotFound)) // a deleted one is gone
}

// TestPagesOfStrategies: what is created or deleted between two pages neither doubles nor hides another.
func TestPagesOfStrategies(t *testing.T) {
	is := is.New(t)
	l := stored()
	s := applied(t, l)
	first, err := s.Strategies(t.Context(), projections.Place{}, 2)
	is.NoErr(err)
	is.Equal(first.Total, 4)
	is.Equal([]events.StrategyID{first.Rows[0].GUID, first.Rows[1].GUID}, []events.StrategyID{"g1", "g2"})
	deleted := l.add(events.StrategySubject("g2"), events.StrategyDeleted{Strategy: "g2"})
	is.NoErr(s.Apply(t.Context(), []events.Recorded{deleted}))
	second, err := s.Strategies(t.Context(), first.Rows[1].Created, 2)
	is.NoErr(err)
	is.Equal([]events.StrategyID{second.Rows[0].GUID, second.Rows[1].GUID}, []events.StrategyID{"g3", "g4"})
	third, err := s.Strategies(t.Context(), second.Rows[1].Created, 2)
	is.NoErr(err)
	is.Equal(len(third.Rows), 0)
}
