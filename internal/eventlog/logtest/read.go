package logtest

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/eventlog"
)

var errEnough = errors.New("enough")

func reading(t *testing.T, f Fixture) {
	t.Run("between two sequences, in order", on(f, between))
	t.Run("a long history", on(f, aLongHistory))
	t.Run("nothing where there is no history", on(f, noHistory))
	t.Run("the reader's error ends it", on(f, aReaderThatStops))
	t.Run("what is no commit is an error, not skipped", on(f, noCommit))
	t.Run("last and newest follow each append", on(f, lastAndNewest))
	t.Run("heads", on(f, heads))
}

func between(t *testing.T, f Fixture) {
	a, b := newChain(f.Log), newChain(f.Log)
	var all []events.Sequence
	for range 6 {
		all = append(all, a.append(t).Sequence)
		b.append(t)
	}
	none := []events.Sequence{}
	a.reads(t, 0, 0, all)                       // only its own, all of them
	a.reads(t, all[1], 0, all[2:])              // after is exclusive
	a.reads(t, all[1], all[3], all[2:4])        // until is inclusive
	a.reads(t, all[1]+1, all[4]-1, all[2:4])    // bounds may be others' commits
	a.reads(t, all[5], 0, none)                 // nothing after the newest
	a.reads(t, all[3], all[2], none)            // an empty range
	a.reads(t, events.Sequence(1)<<62, 0, none) // far beyond the end
	a.reads(t, math.MaxUint64, 0, none)         // as far as it goes
	a.reads(t, 0, events.Sequence(1)<<62, all)  // a generous bound
}

func aLongHistory(t *testing.T, f Fixture) {
	c := newChain(f.Log)
	want := sequences(c.grow(t, 600)) // more than any batch
	c.reads(t, 0, 0, want)
	c.reads(t, want[299], 0, want[300:])
}

func noHistory(t *testing.T, f Fixture) {
	is := is.New(t)
	c := newChain(f.Log)
	is.Equal(len(c.read(t, 0, 0)), 0)
	last, err := f.Log.Last(t.Context(), c.subject())
	is.NoErr(err)
	is.Equal(last, events.Sequence(0))
}

func aReaderThatStops(t *testing.T, f Fixture) {
	is := is.New(t)
	c := newChain(f.Log)
	c.grow(t, 3)
	calls := 0
	err := f.Log.Read(t.Context(), c.subject(), 0, 0, func(events.Recorded) error { calls++; return errEnough })
	is.True(errors.Is(err, errEnough))
	is.Equal(calls, 1)
}

func noCommit(t *testing.T, f Fixture) {
	is := is.New(t)
	c := newChain(f.Log)
	c.append(t)
	f.Inject(t, c.garbage())
	var got []events.Recorded
	var err error
	for ctx := impatient(t); err == nil && ctx.Err() == nil; { // until every server knows of it
		got, err = readSubject(t, f.Log, c.subject(), 0, 0)
	}
	is.True(errors.Is(err, events.ErrMalformed))
	is.Equal(len(got), 1) // what stands before it was given
}

func lastAndNewest(t *testing.T, f Fixture) {
	is := is.New(t)
	c := newChain(f.Log)
	for range 3 {
		rec := c.append(t)
		is.Equal(newest(t, f.Log), rec.Sequence) // at once: the leader is asked
		of, err := f.Log.NewestOf(t.Context(), c.subject())
		is.NoErr(err)
		is.Equal(of, rec.Sequence) // and so
		var last events.Sequence
		for ctx := impatient(t); last < rec.Sequence && ctx.Err() == nil; {
			var err error
			last, err = f.Log.Last(t.Context(), c.subject())
			is.NoErr(err)
			is.True(last > 0) // it may lag behind, but never deny that there is an aggregate
		}
		is.Equal(last, rec.Sequence)
	}
}

func heads(t *testing.T, f Fixture) {
	is := is.New(t)
	var want []eventlog.Head
	for n := range 30 {
		c := newChain(f.Log)
		c.grow(t, 1+n%3)
		want = append(want, eventlog.Head{Subject: c.subject(), Sequence: c.last})
	}
	got, err := f.Log.Heads(t.Context(), events.AllAppSubjects)
	is.NoErr(err)
	is.Equal(got[len(got)-len(want):], want) // ordered by sequence, so ours are the newest
	is.True(slices.IsSortedFunc(got, func(a, b eventlog.Head) int { return int(a.Sequence) - int(b.Sequence) }))
	one, err := f.Log.Heads(t.Context(), string(want[3].Subject))
	is.NoErr(err)
	is.Equal(one, want[3:4])
	none, err := f.Log.Heads(t.Context(), string(newChain(f.Log).subject()))
	is.NoErr(err)
	is.Equal(len(none), 0)
}

func scanning(t *testing.T, f Fixture) {
	t.Run("it ends though nothing at the tail is selected", on(f, tails))
	t.Run("nothing is selected at all", on(f, nothingSelected))
	t.Run("no filter selects everything", on(f, everythingSelected))
	t.Run("what is written meanwhile is not waited for", on(f, writtenMeanwhile))
	t.Run("scan gives what does not decode, replay fails on it", on(f, undecodable))
	t.Run("the reader's error ends it", on(f, aReplayThatStops))
	t.Run("overlapping filters are refused", on(f, overlappingFilters))
}

// scan gives what a query selects.
func scan(t testing.TB, f Fixture, q eventlog.Query) []events.Sequence {
	t.Helper()
	var seqs []events.Sequence
	err := f.Log.Scan(impatient(t), q, func(r eventlog.Raw) error {
		seqs = append(seqs, r.Sequence)
		return nil
	})
	is.New(t).NoErr(err)
	return seqs
}

func tails(t *testing.T, f Fixture) {
	is := is.New(t)
	a, b, other := newChain(f.Log), newChain(f.Log), newChain(f.Log)
	start := newest(t, f.Log)
	want := []events.Sequence{a.append(t).Sequence, b.append(t).Sequence, a.append(t).Sequence}
	other.grow(t, 10)
	both := []string{string(a.subject()), string(b.subject())}
	is.Equal(scan(t, f, eventlog.Query{Filters: both}), want)
	is.Equal(scan(t, f, eventlog.Query{Filters: both, After: start}), want)
	is.Equal(scan(t, f, eventlog.Query{Filters: both, After: want[0]}), want[1:])
	is.Equal(scan(t, f, eventlog.Query{Filters: both, Until: want[1]}), want[:2])
	is.Equal(len(scan(t, f, eventlog.Query{Filters: both, After: want[2]})), 0)             // all is before it
	is.Equal(len(scan(t, f, eventlog.Query{Filters: both, After: start, Until: start})), 0) // an empty range
}

func nothingSelected(t *testing.T, f Fixture) {
	is := is.New(t)
	is.Equal(len(scan(t, f, eventlog.Query{Filters: []string{"events.nothing.*", "events.naught.*"}})), 0)
	is.Equal(len(scan(t, f, eventlog.Query{After: newest(t, f.Log)})), 0)
	is.Equal(len(scan(t, f, eventlog.Query{After: newest(t, f.Log) + 1000})), 0)
}

func everythingSelected(t *testing.T, f Fixture) {
	is := is.New(t)
	start := newest(t, f.Log)
	c := newChain(f.Log)
	want := sequences(c.grow(t, 3))
	is.Equal(scan(t, f, eventlog.Query{After: start}), want)
	all := scan(t, f, eventlog.Query{})
	is.Equal(len(all), int(want[2])) // sequences are contiguous: nothing is ever deleted
}

func writtenMeanwhile(t *testing.T, f Fixture) {
	is := is.New(t)
	a, b := newChain(f.Log), newChain(f.Log)
	start := newest(t, f.Log)
	a.grow(t, 3)
	seen := 0
	err := f.Log.Scan(impatient(t), eventlog.Query{After: start}, func(eventlog.Raw) error {
		seen++
		b.append(t) // a scan that chased these would never end
		return nil
	})
	is.NoErr(err)
	is.Equal(seen, 3)
}

func undecodable(t *testing.T, f Fixture) {
	is := is.New(t)
	c := newChain(f.Log)
	start := newest(t, f.Log)
	c.append(t)
	f.Inject(t, c.garbage())
	is.Equal(len(scan(t, f, eventlog.Query{After: start})), 2)
	err := f.Log.Replay(impatient(t), eventlog.Query{After: start}, func(events.Recorded) error { return nil })
	is.True(errors.Is(err, events.ErrMalformed))
}

func aReplayThatStops(t *testing.T, f Fixture) {
	c := newChain(f.Log)
	start := newest(t, f.Log)
	c.grow(t, 3)
	err := f.Log.Replay(impatient(t), eventlog.Query{After: start}, func(events.Recorded) error { return errEnough })
	is.New(t).True(errors.Is(err, errEnough))
}

func overlappingFilters(t *testing.T, f Fixture) {
	q := eventlog.Query{Filters: []string{"events.app.*", "events.app.a"}}
	is.New(t).True(f.Log.Scan(impatient(t), q, func(eventlog.Raw) error { return nil }) != nil)
}
