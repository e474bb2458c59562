package api

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
)

// TestATimeWithoutAFractionIsAllOfItsSecond: what an answer shows as created_at can be asked for.
func TestATimeWithoutAFractionIsAllOfItsSecond(t *testing.T) {
	made := events.Recorded{Commit: events.Commit{Time: time.Date(2026, 1, 31, 23, 59, 59, 400_000_000, time.UTC)}}
	for text, want := range map[string]bool{
		"2026-01-31T23:59:58Z": false, "2026-01-31T23:59:59Z": true, "2026-02-01T00:00:00Z": true,
		"2026-01-31T23:59:59.399Z": false, "2026-01-31T23:59:59.4Z": true, "2026-02-01T00:59:59+01:00": true,
	} {
		is := is.New(t)
		m, err := momentOf(text)
		is.NoErr(err)
		is.Equal(m.covers(made), want) // text
	}
}
