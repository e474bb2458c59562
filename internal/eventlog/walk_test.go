package eventlog_test

import (
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot/natstest"
)

// TestReadingWhatStandsFarApart reads histories with so much between their commits that they are walked back, dense ones
// that are read forward, and such as the walk has to give up on.
func TestReadingWhatStandsFarApart(t *testing.T) {
	nc := natstest.Connect(t)
	log := open(t, nc, eventlog.Config{})
	fill(t, nc, 1) // so that "until the one before the first" is not 0, which means no bound
	commit := func(s *events.Recorded) {
		s.Commit.CommandID = events.CommandID(events.NewID())
		s.Commit.Version++
		s.Commit.Previous = s.Hash
		rec, err := log.Append(t.Context(), s.Commit, s.Sequence)
		is.New(t).NoErr(err)
		*s = rec
	}
	for name, between := range map[string][]int{
		"dense":          {0, 1, 0, 2, 0},
		"far apart":      {600, 600, 600},
		"burst and gap":  {0, 0, 0, 2500, 0, 0, 0},
		"longer than it": {900, 0, 0, 0, 0, 0, 0, 0, 0, 0, 900},
	} {
		t.Run(name, func(t *testing.T) {
			rec := events.Recorded{Commit: started()}
			rec.Version = 0
			var want []events.Sequence
			for _, gap := range append(between, 0) {
				commit(&rec)
				want = append(want, rec.Sequence)
				fill(t, nc, gap)
			}
			readsEveryRange(t, log, rec.Subject, want)
		})
	}
	t.Run("with a message that names nothing before it", func(t *testing.T) {
		rec := events.Recorded{Commit: started()}
		rec.Version = 0
		commit(&rec)
		want := []events.Sequence{rec.Sequence}
		fill(t, nc, 600)
		report := rec.Commit
		report.CommandID, report.Version, report.Previous = events.CommandID(events.NewID()), 0, ""
		rec, err := log.Report(t.Context(), report)
		is.New(t).NoErr(err)
		want = append(want, rec.Sequence)
		fill(t, nc, 600)
		readsEveryRange(t, log, rec.Subject, want)
	})
}

// readsEveryRange reads between each two commits, and compares with what was written.
func readsEveryRange(t *testing.T, log eventlog.Log, s events.Subject, want []events.Sequence) {
	t.Helper()
	for from := range len(want) + 1 {
		for to := from; to <= len(want); to++ {
			after, until := events.Sequence(0), events.Sequence(0)
			if from > 0 {
				after = want[from-1]
			}
			if to < len(want) {
				until = want[to] - 1
			}
			var got []events.Sequence
			err := log.Read(t.Context(), s, after, until, func(r events.Recorded) error {
				got = append(got, r.Sequence)
				return nil
			})
			is := is.New(t)
			is.NoErr(err)
			is.Equal(append([]events.Sequence{}, got...), append([]events.Sequence{}, want[from:to]...))
		}
	}
}

// fill writes messages on other subjects.
func fill(t testing.TB, nc *nats.Conn, n int) {
	t.Helper()
	is := is.New(t)
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(500))
	is.NoErr(err)
	for range n {
		_, err := js.PublishAsync(string(events.DropletSubject(events.DropletID(events.NewID()))), []byte("{}"),
			jetstream.WithStallWait(10*time.Second))
		is.NoErr(err)
	}
	<-js.PublishAsyncComplete()
}
