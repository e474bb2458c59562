package name_test

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/name"
	"slipway/events"
)

func TestScopedNames(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	held := name.State{Holder: "o1", At: now.Add(-time.Second)}
	stale := name.State{Holder: "o1", At: now.Add(-name.Grace)}
	taken := []events.Event{events.NameTaken{Scope: events.ScopeOrganizations, Name: "acme", Holder: "o2", At: now}}
	for _, c := range []struct {
		name   string
		given  name.State
		holder name.Holder
		by     string
		want   []events.Event
		reason string
	}{
		{"free", name.State{}, name.Absent, "o2", taken, ""},
		{"its own", held, name.Absent, "o1", nil, ""},
		{"another's", held, name.Alive, "o2", nil, "Organization 'acme' already exists."},
		{"another's, long ago", stale, name.Alive, "o2", nil, "Organization 'acme' already exists."},
		{"about to be created", held, name.Absent, "o2", nil, "Organization 'acme' already exists."},
		{"never created", stale, name.Absent, "o2", taken, ""},
		{"deleted or renamed", held, name.Deleted, "o2", taken, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			got, err := name.TakeScoped(c.given, name.Taking{
				Scope: events.ScopeOrganizations, Name: "acme", ID: c.by, Now: now, Holder: c.holder, Taken: "Organization 'acme' already exists.",
			})
			is.Equal(got, c.want)
			is.Equal(err != nil, c.reason != "")
			if err != nil {
				is.Equal(err.Error(), c.reason)
			}
			state := c.given
			for _, e := range got {
				state = name.Evolve(state, e)
			}
			again, err := name.TakeScoped(state, name.Taking{ID: state.Holder})
			is.NoErr(err)
			is.Equal(again, nil) // who has it has it
		})
	}
	t.Run("freed by its holder only", func(t *testing.T) {
		is := is.New(t)
		is.Equal(name.FreeScoped(held, events.ScopeOrganizations, "acme", "o2"), nil)
		freed := name.FreeScoped(held, events.ScopeOrganizations, "acme", "o1")
		is.Equal(freed, []events.Event{events.NameFreed{Scope: events.ScopeOrganizations, Name: "acme", Holder: "o1"}})
		is.Equal(name.Evolve(held, freed[0]), name.State{})
	})
}
