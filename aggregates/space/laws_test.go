package space_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"slipway/aggregates/space"
	"slipway/events"
)

// TestLaws decides at random about few spaces and quotas of few names and holds the invariants of the package after each.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := fold(events.OrganizationCreated{Organization: "o1", Name: "acme"})
		for range rapid.IntRange(1, 60).Draw(t, "decisions") {
			decide := draw(t)
			decided, err := decide(s)
			if err != nil {
				continue
			}
			for _, e := range decided {
				s = space.Evolve(s, e)
			}
			if again, err := decide(s); err == nil && len(again) > 0 {
				t.Fatalf("the same command decides %v the second time", again)
			}
			hold(t, s)
		}
	})
}

func draw(t *rapid.T) func(space.State) ([]events.Event, error) {
	id := rapid.IntRange(1, 4).Draw(t, "id")
	s, q := events.SpaceID(fmt.Sprint("s", id)), events.QuotaID(fmt.Sprint("q", rapid.IntRange(1, 3).Draw(t, "quota")))
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
	limits := events.QuotaLimits{Instances: new(id)}
	return rapid.SampledFrom([]func(space.State) ([]events.Event, error){
		func(o space.State) ([]events.Event, error) { return space.CreateSpace(o, s, name, events.Metadata{}) },
		func(o space.State) ([]events.Event, error) { return space.UpdateSpace(o, s, space.Change{Name: &name}) },
		func(o space.State) ([]events.Event, error) { return space.DeleteSpace(o, s), nil },
		func(o space.State) ([]events.Event, error) {
			return space.CreateSpaceQuota(o, space.SetQuota{Quota: q, Name: &name, Limits: &limits})
		},
		func(o space.State) ([]events.Event, error) {
			return space.UpdateSpaceQuota(o, space.SetQuota{Quota: q, Name: &name})
		},
		func(o space.State) ([]events.Event, error) { return space.DeleteSpaceQuota(o, q), nil },
		func(o space.State) ([]events.Event, error) { return space.ApplySpaceQuota(o, q, s) },
	}).Draw(t, "decision")
}

func hold(t *rapid.T, s space.State) {
	names := map[string]bool{}
	for _, p := range s.Spaces {
		if names["space "+p.Name] {
			t.Fatalf("two spaces are called %q", p.Name)
		}
		names["space "+p.Name] = true
		if _, known := s.SpaceQuota(p.Quota); p.Quota != "" && !known {
			t.Fatalf("space %s has quota %s, which the organization does not have", p.ID, p.Quota)
		}
	}
	for _, q := range s.Quotas {
		if names["quota "+q.Name] {
			t.Fatalf("two quotas are called %q", q.Name)
		}
		names["quota "+q.Name] = true
	}
}
