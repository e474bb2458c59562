package policy

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
)

// TestWindowsWhenTheClockGoesBack: what the clock shows twice counts the first time, and no second time.
func TestWindowsWhenTheClockGoesBack(t *testing.T) {
	for name, c := range map[string]struct {
		zone, rule, from string
		want             []string // the next openings
	}{
		"east of Greenwich": {
			"Europe/Berlin", "FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "2026-10-24T12:00:00Z", []string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		},
		"west of it": {
			"America/New_York", "FREQ=DAILY;BYHOUR=1;BYMINUTE=30", "2026-10-31T12:00:00Z", []string{"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"},
		},
		"by half an hour": {
			"Australia/Lord_Howe", "FREQ=DAILY;BYHOUR=1;BYMINUTE=45", "2026-04-04T12:00:00Z", []string{"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"},
		},
		"around it": {
			"Europe/Berlin", "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,58", "2026-10-24T23:30:00Z",
			[]string{"2026-10-24T23:58:00Z", "2026-10-25T00:00:00Z", "2026-10-25T00:58:00Z", "2026-10-25T02:00:00Z"},
		},
		"forward there is no such time": {
			"Europe/Berlin", "FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "2026-03-28T12:00:00Z", []string{"2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"},
		},
		"without changes": {"UTC", "FREQ=DAILY;BYHOUR=2", "2026-10-25T00:00:00Z", []string{"2026-10-25T02:00:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			w, err := parseWindow(&events.PolicyWindow{Rule: c.rule, Start: "2026-01-01T00:00:00", Seconds: 60, Zone: c.zone})
			is.NoErr(err)
			at, err := time.Parse(time.RFC3339, c.from)
			is.NoErr(err)
			for _, want := range c.want {
				next := w.stretch(at).to
				is.Equal(next.UTC().Format(time.RFC3339), want) // opens then, and not before
				is.True(w.stretch(next).open)                   // is open when it opens
				is.Equal(w.stretch(next).to, next.Add(time.Minute))
				at = next.Add(time.Minute)
			}
		})
	}
}
