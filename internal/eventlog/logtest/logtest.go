// Package logtest holds the contract of [eventlog.Log] as tests that every implementation must pass.
//
// The scenarios share one log and assume nothing about what else it holds: each works on aggregates of its own. So a
// cluster that takes seconds to form is formed once.
//
// Beside it stands [Flaky], for tests of those who use a log.
package logtest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/eventlog"
)

// patience bounds every wait of a scenario: far above what a loaded machine needs, far below a test's time-out.
const patience = 30 * time.Second

// Fixture is an implementation to be tested.
type Fixture struct {
	Log eventlog.Log
	// Inject writes a message into the stream as it is, past the log, as whoever has access to the stream could.
	Inject func(t testing.TB, m events.Message)
}

// Run holds the log that open gives to the contract.
func Run(t *testing.T, open func(t testing.TB) Fixture) {
	f := open(t)
	t.Run("append", on(f, appending))
	t.Run("read", on(f, reading))
	t.Run("scan", on(f, scanning))
	t.Run("follow", on(f, following))
	t.Run("work", on(f, working))
	t.Run("repository", on(f, repositories))
}

// on makes a test of a scenario.
func on(f Fixture, scenario func(*testing.T, Fixture)) func(*testing.T) {
	return func(t *testing.T) { scenario(t, f) }
}

// chain writes one aggregate's history, as its only writer.
type chain struct {
	log     eventlog.Log
	app     events.AppID
	last    events.Sequence
	version events.Version
	hash    events.Hash
}

func newChain(log eventlog.Log) *chain { return &chain{log: log, app: events.AppID(events.NewID())} }

func (c *chain) subject() events.Subject { return events.AppSubject(c.app) }

// commit is what would come next.
func (c *chain) commit() events.Commit {
	return events.Commit{
		Subject: c.subject(), CommandID: events.CommandID(events.NewID()), Version: c.version + 1, Previous: c.hash,
		Actor: "tester", Cause: "test", Time: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
		Events: []events.Event{events.AppStarted{App: c.app}, events.AppStopped{App: c.app}},
	}
}

// append writes the next commit.
func (c *chain) append(t testing.TB) events.Recorded {
	t.Helper()
	rec, err := c.log.Append(t.Context(), c.commit(), c.last)
	is.New(t).NoErr(err) // the only writer of an aggregate loses no race
	c.last, c.version, c.hash = rec.Sequence, rec.Version, rec.Hash
	return rec
}

// grow writes the next n commits.
func (c *chain) grow(t testing.TB, n int) []events.Recorded {
	t.Helper()
	recs := make([]events.Recorded, n)
	for i := range recs {
		recs[i] = c.append(t)
	}
	return recs
}

// read gives what stands in the log, between two sequences.
func (c *chain) read(t testing.TB, after, until events.Sequence) []events.Recorded {
	t.Helper()
	recs, err := readSubject(t, c.log, c.subject(), after, until)
	is.New(t).NoErr(err)
	return recs
}

func readSubject(t testing.TB, log eventlog.Log, s events.Subject, after, until events.Sequence) ([]events.Recorded, error) {
	var recs []events.Recorded
	err := log.Read(t.Context(), s, after, until, func(r events.Recorded) error {
		recs = append(recs, r)
		return nil
	})
	return recs, err
}

// reads asserts which commits stand between two sequences, once all servers know of them: a read may be answered by one
// that lags behind, which the contract allows.
func (c *chain) reads(t testing.TB, after, until events.Sequence, want []events.Sequence) {
	t.Helper()
	var got []events.Sequence
	for ctx := impatient(t); ctx.Err() == nil; {
		if got = sequences(c.read(t, after, until)); slices.Equal(got, want) {
			return
		}
	}
	is.New(t).Equal(got, want)
}

// garbage is a message on this aggregate's subject that is no commit.
func (c *chain) garbage() events.Message {
	return events.Message{
		Subject: c.subject(), Header: map[string][]string{events.HeaderMsgID: {events.NewID()}}, Data: []byte("no commit"),
	}
}

// sequences of commits, to compare what was seen with what was written.
func sequences(recs []events.Recorded) []events.Sequence {
	seqs := make([]events.Sequence, len(recs))
	for i, r := range recs {
		seqs[i] = r.Sequence
	}
	return seqs
}

// newest is where the log stands.
func newest(t testing.TB, log eventlog.Log) events.Sequence {
	t.Helper()
	seq, err := log.Newest(t.Context())
	is.New(t).NoErr(err)
	return seq
}

// impatient bounds a scenario that would otherwise wait for ever where the log fails it.
func impatient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
