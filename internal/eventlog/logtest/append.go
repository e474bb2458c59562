package logtest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/eventlog"
)

func appending(t *testing.T, f Fixture) {
	t.Run("a commit is read back as it was written", on(f, readBack))
	t.Run("only one of two writers at the same position wins", on(f, twoWriters))
	t.Run("of many writers at once at the same position one wins", on(f, manyWriters))
	t.Run("a position that never was is a conflict", on(f, aPositionThatNeverWas))
	t.Run("the same commit again succeeds with the same result", on(f, appendingAgain))
	t.Run("a command that writes to two aggregates writes to both", on(f, twoAggregates))
	t.Run("a report needs no position", on(f, reporting))
	t.Run("what could not be read back is refused", on(f, refusing))
	t.Run("an ended context leaves the outcome open", on(f, anEndedContext))
}

func readBack(t *testing.T, f Fixture) {
	is := is.New(t)
	c := newChain(f.Log)
	want := c.commit()
	rec := must(t)(f.Log.Append(t.Context(), want, 0))
	c.reads(t, 0, 0, []events.Sequence{rec.Sequence}) // one commit, one message
	got := c.read(t, 0, 0)
	is.Equal(got[0].Commit, want) // nothing is lost on the way
	is.Equal(rec.Commit, want)
	is.Equal(got[0].Sequence, rec.Sequence)
	is.Equal(got[0].Hash, rec.Hash) // a chain can be continued from either
}

func twoWriters(t *testing.T, f Fixture) {
	is := is.New(t)
	c := newChain(f.Log)
	c.grow(t, 2)
	late := c.commit()
	c.append(t)
	_, err := f.Log.Append(t.Context(), late, c.last-1)
	is.True(errors.Is(err, eventlog.ErrConflict)) // where nothing of the aggregate stands
	first := newChain(f.Log)
	first.append(t)
	other := newChain(f.Log)
	other.app = first.app
	_, err = f.Log.Append(t.Context(), other.commit(), 0)
	is.True(errors.Is(err, eventlog.ErrConflict)) // a second creation
	first.reads(t, 0, 0, []events.Sequence{first.last})
}

func manyWriters(t *testing.T, f Fixture) {
	is := is.New(t)
	c := newChain(f.Log)
	c.append(t)
	errs := atOnce(func(int) error {
		_, err := f.Log.Append(t.Context(), c.commit(), c.last)
		return err
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			is.True(errors.Is(err, eventlog.ErrConflict)) // also while the winner is still on its way
		}
	}
	is.Equal(won, 1)
	is.Equal(newest(t, f.Log), c.last+1)
}

func aPositionThatNeverWas(t *testing.T, f Fixture) {
	is := is.New(t)
	c := newChain(f.Log)
	c.append(t)
	_, err := f.Log.Append(t.Context(), c.commit(), c.last+1_000_000)
	is.True(errors.Is(err, eventlog.ErrConflict))
	is.Equal(newest(t, f.Log), c.last) // nothing was written
}

func twoAggregates(t *testing.T, f Fixture) {
	is := is.New(t)
	a, b := newChain(f.Log), newChain(f.Log)
	first, second := a.commit(), b.commit()
	second.CommandID = first.CommandID // the server's duplicates window sees only the id
	ra := must(t)(f.Log.Append(t.Context(), first, 0))
	rb := must(t)(f.Log.Append(t.Context(), second, 0))
	is.True(ra.Sequence != rb.Sequence)
	b.reads(t, 0, 0, []events.Sequence{rb.Sequence})
}

func anEndedContext(t *testing.T, f Fixture) {
	is := is.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Log.Append(ctx, newChain(f.Log).commit(), 0)
	is.True(errors.Is(err, eventlog.ErrUnavailable))
	is.True(errors.Is(err, context.Canceled))
}

func appendingAgain(t *testing.T, f Fixture) {
	t.Run("at once", func(t *testing.T) {
		is := is.New(t)
		c := newChain(f.Log)
		c.append(t)
		commit, last := c.commit(), c.last
		want := must(t)(f.Log.Append(t.Context(), commit, last))
		got := must(t)(f.Log.Append(t.Context(), commit, last))
		is.Equal(got, want)
		is.Equal(newest(t, f.Log), want.Sequence) // it stands once
	})
	t.Run("by many at once", func(t *testing.T) {
		is := is.New(t)
		c := newChain(f.Log)
		c.append(t)
		commit := c.commit()
		var got [racers]events.Recorded
		errs := atOnce(func(n int) (err error) {
			got[n], err = f.Log.Append(t.Context(), commit, c.last)
			return err
		})
		for n, err := range errs {
			is.NoErr(err) // none can tell that it is not the only one
			is.Equal(got[n], got[0])
		}
		is.Equal(newest(t, f.Log), got[0].Sequence) // it stands once
	})
	t.Run("after others followed", func(t *testing.T) {
		is := is.New(t)
		c := newChain(f.Log)
		first := c.commit()
		want := c.appendThis(t, first)
		c.grow(t, 5)
		got := must(t)(f.Log.Append(t.Context(), first, 0))
		is.Equal(got, want)
		is.Equal(newest(t, f.Log), c.last) // nothing was written
	})
	t.Run("but not where it says something else", func(t *testing.T) {
		is := is.New(t)
		c := newChain(f.Log)
		commit := c.commit()
		must(t)(f.Log.Append(t.Context(), commit, 0))
		commit.Events = commit.Events[:1]
		_, err := f.Log.Append(t.Context(), commit, 0)
		is.True(errors.Is(err, eventlog.ErrConflict)) // same command id, other decision
	})
}

// racers is how many writers a scenario lets loose.
const racers = 8

// atOnce runs fn in as many goroutines and gives their errors.
func atOnce(fn func(n int) error) []error {
	errs := make([]error, racers)
	var wg sync.WaitGroup
	for n := range racers {
		wg.Go(func() { errs[n] = fn(n) })
	}
	wg.Wait()
	return errs
}

// appendThis writes a given commit as the next.
func (c *chain) appendThis(t testing.TB, commit events.Commit) events.Recorded {
	t.Helper()
	rec := must(t)(c.log.Append(t.Context(), commit, c.last))
	c.last, c.version, c.hash = rec.Sequence, rec.Version, rec.Hash
	return rec
}

func reporting(t *testing.T, f Fixture) {
	is := is.New(t)
	process := events.ProcessID(events.NewID())
	report := func() events.Commit {
		return events.Commit{
			Subject: events.InstanceSubject(process), CommandID: events.CommandID(events.NewID()), Actor: "agent/a1",
			Time:   time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			Events: []events.Event{events.InstanceRunning{InstanceRef: events.InstanceRef{Process: process, Instance: "i1"}}},
		}
	}
	first := must(t)(f.Log.Report(t.Context(), report()))
	second := must(t)(f.Log.Report(t.Context(), report()))
	is.True(second.Sequence > first.Sequence)
	is.True(first.Hash != "")
	var got []events.Recorded
	for ctx := impatient(t); len(got) < 2 && ctx.Err() == nil; { // until every server knows of both
		var err error
		got, err = readSubject(t, f.Log, events.InstanceSubject(process), 0, 0)
		is.NoErr(err)
	}
	is.Equal(sequences(got), []events.Sequence{first.Sequence, second.Sequence})
	versioned := report()
	versioned.Version = 1
	_, err := f.Log.Report(t.Context(), versioned)
	is.True(errors.Is(err, events.ErrMalformed)) // it would look like a link of a chain
}

func refusing(t *testing.T, f Fixture) {
	for name, spoil := range map[string]func(*events.Commit){
		"a wildcard for a subject":        func(c *events.Commit) { c.Subject = "events.app.*" },
		"a subject of another stream":     func(c *events.Commit) { c.Subject = "rollouts.app.a" },
		"a deeper subject":                func(c *events.Commit) { c.Subject = "events.app.a.b" },
		"no events":                       func(c *events.Commit) { c.Events = nil },
		"no command id":                   func(c *events.Commit) { c.CommandID = "" },
		"a line break in a header":        func(c *events.Commit) { c.Actor = "me\r\nNats-Rollup: all" },
		"no version":                      func(c *events.Commit) { c.Version = 0 },
		"a first commit that is not 1":    func(c *events.Commit) { c.Version = 2 },
		"a first commit with predecessor": func(c *events.Commit) { c.Previous = "abc" },
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			before := newest(t, f.Log)
			c := newChain(f.Log).commit()
			spoil(&c)
			_, err := f.Log.Append(t.Context(), c, 0)
			is.True(errors.Is(err, events.ErrMalformed))
			is.Equal(newest(t, f.Log), before) // nothing is left behind
		})
	}
}

// must unwraps the result of an append that has to succeed.
func must(t testing.TB) func(events.Recorded, error) events.Recorded {
	t.Helper()
	return func(r events.Recorded, err error) events.Recorded {
		t.Helper()
		is.New(t).NoErr(err)
		return r
	}
}
