package eventlog_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/eventlog"
)

// BenchmarkTimers measures, on the embedded server, how long it takes to set an alarm, to set one where another suffices,
// and how much later than asked for alarms ring whose times are spread over a few seconds.
func BenchmarkTimers(b *testing.B) {
	for name, always := range map[string]bool{"default-fsync": false, "sync-always": true} {
		b.Run(name, func(b *testing.B) {
			timers := openTimers(b, benchServer(b, always))
			b.Run("set", func(b *testing.B) { setting(b, timers, events.NewID) })
			b.Run("stands", func(b *testing.B) { setting(b, timers, func() string { return "same" }) })
			b.Run("ring", func(b *testing.B) { ringLateness(b, timers) })
		})
	}
}

// setting reports how long it takes to set an alarm an hour ahead.
func setting(b *testing.B, timers eventlog.Timers, key func() string) {
	var took []time.Duration
	for b.Loop() {
		a, start := eventlog.Alarm{Key: key(), At: time.Now().Add(time.Hour)}, time.Now()
		if err := timers.Set(b.Context(), a); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	percentiles(b, "", took)
}

// ringLateness sets b.N alarms, due over the three seconds after, and reports how late they ring.
func ringLateness(b *testing.B, timers eventlog.Timers) {
	ctx, cancel := context.WithCancel(b.Context())
	late, done := make(chan time.Duration, 1024), make(chan error, 1)
	go func() {
		done <- timers.Ring(ctx, func(_ context.Context, a eventlog.Alarm) error { late <- time.Since(a.At); return nil })
	}()
	first := time.Now().Add(time.Duration(b.N)*time.Millisecond + time.Second)
	for i := range b.N {
		at := first.Add(time.Duration(i) * 3 * time.Second / time.Duration(b.N))
		is.New(b).NoErr(timers.Set(ctx, eventlog.Alarm{Key: events.NewID(), At: at}))
	}
	var all []time.Duration
	for range b.N {
		all = append(all, <-late)
	}
	cancel()
	is.New(b).NoErr(<-done)
	percentiles(b, "late-", all)
}

func percentiles(b *testing.B, prefix string, all []time.Duration) {
	b.Helper()
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), prefix+"p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), prefix+"p99-µs")
}
