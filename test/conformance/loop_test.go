package conformance_test

import (
	"time"

	"slipway/events"
	"slipway/internal/eventlog"
)

// loop are the cases of 4.12: what the updater works on.
var loop = []row{
	{260, do(started(2), passes(time.Hour)), nil, decided(0)},
	{261, deployed, nil, decided(1)},
	{261, do(deployed, passes(time.Hour)), nil, decided(1)}, // never again
	{261, paused, nil, decided(1)},
	{261, do(paused, passes(time.Hour)), nil, decided(1)},
	{261, do(canceling, moves), nil, decided(1)},
	{261, do(canceling, moves, passes(time.Hour)), nil, decided(1)},
}

// decided expects how often the updater has decided something.
func decided(want int) act {
	return func(w *world) {
		got := 0
		w.is.NoErr(w.log.Replay(w.t.Context(), eventlog.Query{Filters: []string{events.AllAppSubjects}}, func(c events.Recorded) error {
			if c.Actor == events.ActorUpdater {
				got++
			}
			return nil
		}))
		w.is.Equal(got, want) // decisions of the updater
	}
}
