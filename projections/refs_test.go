package projections_test

import (
	"encoding/json"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/projections"
)

// TestEveryEventIsKnown fails for an event that was added to the registry and forgotten here.
func TestEveryEventIsKnown(t *testing.T) {
	registry := events.NewRegistry()
	data := json.RawMessage(`{"app":"a1","process":"p1","deployment":"x1","droplet":"d1","revision":"r1","instance":"i1",
		"organization":"o1","space":"s1","quota":"q1","domain":"d1","route":"u1","strategy":"s1","halt":"h1","policy":"l1","group":"g1","subscription":"w1",
		"scope":"organizations","holder":"o1"}`)
	l := &log{} // one log of all: a store for each would take a minute
	for _, kind := range registry.Types() {
		t.Run(string(kind), func(t *testing.T) {
			is := is.New(t)
			e, err := registry.Decode(kind, registry.Version(kind), data)
			is.NoErr(err)
			is.True(projections.RefsOf(e) != (projections.Refs{})) // refs.go says what it is about
			l.app(e)
		})
	}
	is := is.New(t)
	found, err := applied(t, l).Anomalies(t.Context(), projections.Page{})
	is.NoErr(err)
	for _, a := range found.Rows {
		is.True(a.Problem != "no view knows this type") // fold.go has a case for it
	}
}
