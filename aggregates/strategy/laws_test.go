package strategy_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"slipway/aggregates/strategy"
	"slipway/events"
)

// TestLaws decides at random, about numbers of which many are out of range, and holds the invariants of the package.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s strategy.State
		for range rapid.IntRange(1, 30).Draw(t, "decisions") {
			decide := draw(t)
			decided, err := decide(s)
			if err != nil && decided != nil {
				t.Fatalf("refused and decided %v", decided)
			}
			before := s
			for _, e := range decided {
				s = strategy.Evolve(s, e)
			}
			if again, err := decide(s); err == nil && len(again) > 0 {
				t.Fatalf("the same command decides %v the second time", again)
			}
			hold(t, before, s)
		}
	})
}

func draw(t *rapid.T) func(strategy.State) ([]events.Event, error) {
	n := strategy.Numbers{
		GrowthType:                given(t, "type", rapid.SampledFrom([]string{"LINEAR", "EXPONENTIAL", "CUBIC", ""})),
		GrowthFactor:              given(t, "factor", rapid.Float64Range(-1, 150)),
		DeploymentDurationMinutes: given(t, "duration", rapid.IntRange(-10, 1500)),
		FinalBakeMinutes:          given(t, "bake", rapid.IntRange(-10, 1500)),
	}
	text := given(t, "text", rapid.StringN(0, 70, -1))
	return rapid.SampledFrom([]func(strategy.State) ([]events.Event, error){
		func(s strategy.State) ([]events.Event, error) {
			return strategy.Create(s, strategy.Creation{Strategy: "1225qzk", Name: text, Numbers: n})
		},
		func(s strategy.State) ([]events.Event, error) {
			return strategy.Update(s, strategy.Change{Strategy: "1225qzk", Description: text, Numbers: n})
		},
		func(s strategy.State) ([]events.Event, error) { return strategy.Delete(s, "1225qzk") },
	}).Draw(t, "decision")
}

func given[V any](t *rapid.T, what string, values *rapid.Generator[V]) *V {
	return rapid.Ptr(values, true).Draw(t, what)
}

func hold(t *rapid.T, before, s strategy.State) {
	if before.Deleted && s != before {
		t.Fatalf("%v was deleted and is now %v", before, s)
	}
	if s.ID == "" {
		return
	}
	g := s.Growth
	switch {
	case g.GrowthType != events.GrowthLinear && g.GrowthType != events.GrowthExponential:
		t.Fatalf("growth type %q", g.GrowthType)
	case g.GrowthFactor < 1 || g.GrowthFactor > 100:
		t.Fatalf("growth factor %v", g.GrowthFactor)
	case min(g.DeploymentDurationMinutes, g.FinalBakeMinutes) < 0 || max(g.DeploymentDurationMinutes, g.FinalBakeMinutes) > 1440:
		t.Fatalf("minutes out of range in %v", g)
	case s.Name == "":
		t.Fatal("a strategy without a name")
	}
}

// TestIDs holds that an id made of any command's is one that AppConfig's clients take, and that it is the same each time.
func TestIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		command := events.CommandID(rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "command"))
		id, other := strategy.IDOf(command, 0), strategy.IDOf(command, 1)
		if err := strategy.CheckID(id); err != nil || len(id) != 7 {
			t.Fatalf("%q: %v", id, err)
		}
		if id != strategy.IDOf(command, 0) || id == other {
			t.Fatal(fmt.Sprint("ids of one command: ", id, other))
		}
	})
}
