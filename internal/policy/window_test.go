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

// TestTheLastOpeningWhenTheClockGoesBack: UNTIL is a moment (RFC 5545, 3.3.10), and the opening that it ends with may be in the hour that
// the clock shows twice: then the first of the two counts, as it does for the opening itself.
func TestTheLastOpeningWhenTheClockGoesBack(t *testing.T) {
	for name, c := range map[string]struct{ zone, rule, last string }{
		"east: at the opening":             {"Europe/Berlin", "FREQ=DAILY;BYHOUR=2;BYMINUTE=30;UNTIL=20261025T003000Z", "2026-10-25T00:30:00Z"},
		"east: in between":                 {"Europe/Berlin", "FREQ=DAILY;BYHOUR=2;BYMINUTE=30;UNTIL=20261025T010000Z", "2026-10-25T00:30:00Z"},
		"east: the second time":            {"Europe/Berlin", "FREQ=DAILY;BYHOUR=2;BYMINUTE=30;UNTIL=20261025T013000Z", "2026-10-25T00:30:00Z"},
		"east: a second before":            {"Europe/Berlin", "FREQ=DAILY;BYHOUR=2;BYMINUTE=30;UNTIL=20261025T002959Z", "2026-10-24T00:30:00Z"},
		"west: at the opening":             {"America/New_York", "FREQ=DAILY;BYHOUR=1;BYMINUTE=30;UNTIL=20261101T053000Z", "2026-11-01T05:30:00Z"},
		"west: in between":                 {"America/New_York", "FREQ=DAILY;BYHOUR=1;BYMINUTE=30;UNTIL=20261101T060000Z", "2026-11-01T05:30:00Z"},
		"west: a second before":            {"America/New_York", "FREQ=DAILY;BYHOUR=1;BYMINUTE=30;UNTIL=20261101T052959Z", "2026-10-31T05:30:00Z"},
		"by half an hour":                  {"Australia/Lord_Howe", "FREQ=DAILY;BYHOUR=1;BYMINUTE=45;UNTIL=20260404T144500Z", "2026-04-04T14:45:00Z"},
		"by half an hour: a second before": {"Australia/Lord_Howe", "FREQ=DAILY;BYHOUR=1;BYMINUTE=45;UNTIL=20260404T144459Z", "2026-04-03T14:45:00Z"},
		"by position":                      {"Europe/Berlin", "FREQ=DAILY;BYHOUR=2;BYMINUTE=0,30;BYSETPOS=-1;UNTIL=20261025T003000Z", "2026-10-25T00:30:00Z"},
		"on another day":                   {"Europe/Berlin", "FREQ=DAILY;BYHOUR=2;BYMINUTE=30;UNTIL=20260710T003000Z", "2026-07-10T00:30:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			w, err := parseWindow(&events.PolicyWindow{Rule: c.rule, Start: "2026-01-01T00:00:00", Seconds: 60, Zone: c.zone})
			is.NoErr(err)
			last, err := time.Parse(time.RFC3339, c.last)
			is.NoErr(err)
			is.Equal(w.opened(last.AddDate(1, 0, 0)).UTC(), last)
			is.True(w.stretch(last).open)
			is.True(w.opens(last).IsZero()) // it is the last one
		})
	}
}
