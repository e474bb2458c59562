package logtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/matryer/is"
	"golang.org/x/sync/errgroup"

	"slipway/events"
	"slipway/internal/eventlog"
)

// tally is a folded aggregate that shows lost updates: each event says which count it was decided on.
type tally struct {
	Count int `json:"count"`
	Lost  int `json:"lost"`
}

func countUp(s tally, e events.Event) tally {
	scaled, ok := e.(events.ProcessScaled)
	if !ok {
		return s
	}
	if scaled.From != s.Count {
		s.Lost++
	}
	s.Count = scaled.Instances
	return s
}

func increment(s tally) ([]events.Event, error) {
	return []events.Event{events.ProcessScaled{Process: "p", From: s.Count, Instances: s.Count + 1}}, nil
}

func tallies(log eventlog.Log, snapshots eventlog.Snapshots) *eventlog.Repository[tally] {
	return eventlog.NewRepository(log, events.AggregateApp, countUp, snapshots, 1)
}

func command() eventlog.Meta {
	return eventlog.Meta{CommandID: events.CommandID(events.NewID()), Actor: "tester", Time: time.Now().UTC()}
}

func repositories(t *testing.T, f Fixture) {
	t.Run("eight writers on forty aggregates lose no update", func(t *testing.T) { racing(t, f) })
	t.Run("a command decided before decides nothing", func(t *testing.T) {
		is := is.New(t)
		repo, id, m := tallies(f.Log, nil), events.NewID(), command()
		first, err := repo.Decide(t.Context(), id, m, increment)
		is.NoErr(err)
		for _, r := range []*eventlog.Repository[tally]{repo, tallies(f.Log, nil)} { // cached and loaded
			again, err := r.Decide(t.Context(), id, m, increment)
			is.NoErr(err)
			is.True(again.Duplicate)
			is.Equal(again.State, first.State)
		}
	})
	t.Run("a decision on a stale cache is made again", func(t *testing.T) {
		is := is.New(t)
		a, b, id := tallies(f.Log, nil), tallies(f.Log, nil), events.NewID()
		for n := range 4 {
			repo := []*eventlog.Repository[tally]{a, b}[n%2]
			out, err := repo.Decide(t.Context(), id, command(), increment)
			is.NoErr(err)
			is.Equal(out.State, tally{Count: n + 1})
		}
	})
	t.Run("the newest state takes in what others wrote", func(t *testing.T) {
		is := is.New(t)
		a, b, id := tallies(f.Log, nil), tallies(f.Log, nil), events.NewID()
		none, err := a.LoadNewest(t.Context(), id)
		is.NoErr(err)
		is.True(!none.Exists())
		for n := range 4 {
			_, err := b.Decide(t.Context(), id, command(), increment)
			is.NoErr(err)
			agg, err := a.LoadNewest(t.Context(), id)
			is.NoErr(err)
			is.Equal(agg.State, tally{Count: n + 1})
		}
	})
	t.Run("a refusal comes back as it is and writes nothing", func(t *testing.T) {
		is := is.New(t)
		repo, id := tallies(f.Log, nil), events.NewID()
		_, err := repo.Decide(t.Context(), id, command(), func(tally) ([]events.Event, error) { return nil, errEnough })
		is.Equal(err, errEnough)
		agg, err := repo.Load(t.Context(), id)
		is.NoErr(err)
		is.True(!agg.Exists())
	})
	t.Run("a broken history is never decided on", func(t *testing.T) { breaking(t, f) })
}

// racing lets eight writers, each with a cache of its own, decide on the same aggregates.
func racing(t *testing.T, f Fixture) {
	is := is.New(t)
	const writers, aggregates, each = 8, 40, 50
	start := newest(t, f.Log)
	ids := make([]string, aggregates)
	for i := range ids {
		ids[i] = events.NewID()
	}
	g, ctx := errgroup.WithContext(impatient(t))
	for n := range writers {
		g.Go(func() error {
			repo, random := tallies(f.Log, nil), rand.New(rand.NewPCG(1, uint64(n)))
			for range each {
				if err := persist(ctx, repo, ids[random.IntN(aggregates)]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	is.NoErr(g.Wait())
	folded := fold(t, f.Log, start)
	total := 0
	for _, agg := range folded {
		is.Equal(agg.State.Lost, 0)                                     // each decision saw the one before it
		is.Equal(agg.Position.Version, events.Version(agg.State.Count)) // one commit per decision
		total += agg.State.Count
	}
	is.Equal(total, writers*each)
	is.NoErr(wholeChains(t, f.Log, start))
}

// fold folds all that was written after start, asserting versions and hashes on the way.
func fold(t testing.TB, log eventlog.Log, start events.Sequence) map[events.Subject]eventlog.Aggregate[tally] {
	t.Helper()
	repo, folded := tallies(log, nil), map[events.Subject]eventlog.Aggregate[tally]{}
	err := log.Replay(t.Context(), eventlog.Query{After: start}, func(r events.Recorded) (err error) {
		folded[r.Subject], err = repo.Evolve(folded[r.Subject], r)
		return err
	})
	is.New(t).NoErr(err)
	return folded
}

// persist decides until it wins: under a race this hot a writer may run out of attempts, and is told so.
func persist(ctx context.Context, repo *eventlog.Repository[tally], id string) error {
	for m := command(); ; {
		_, err := repo.Decide(ctx, id, m, increment)
		if !errors.Is(err, eventlog.ErrConflict) {
			return err
		}
	}
}

// wholeChains walks the log undecoded, as an auditor would.
func wholeChains(t testing.TB, log eventlog.Log, after events.Sequence) error {
	hashes, versions := map[events.Subject]events.Hash{}, map[events.Subject]int{}
	return log.Scan(t.Context(), eventlog.Query{After: after}, func(r eventlog.Raw) error {
		versions[r.Subject]++
		if got := first(r.Header[events.HeaderVersion]); got != fmt.Sprint(versions[r.Subject]) {
			return fmt.Errorf("%s: version %s, want %d", r.Subject, got, versions[r.Subject])
		}
		if got := first(r.Header[events.HeaderPrevious]); got != string(hashes[r.Subject]) {
			return fmt.Errorf("%s: the chain breaks at %d", r.Subject, r.Sequence)
		}
		hashes[r.Subject] = events.HashMessage(r.Message)
		return nil
	})
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func breaking(t *testing.T, f Fixture) {
	for name, spoil := range map[string]func(*events.Commit){
		"a version is missing":             func(c *events.Commit) { c.Version++ },
		"a version stands twice":           func(c *events.Commit) { c.Version-- },
		"a commit names another before it": func(c *events.Commit) { c.Previous = events.HashMessage(events.Message{}) },
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			c := newChain(f.Log)
			c.grow(t, 3)
			next := c.commit()
			spoil(&next)
			must(t)(f.Log.Append(t.Context(), next, c.last))
			_, err := tallies(f.Log, nil).Decide(t.Context(), string(c.app), command(), increment)
			var corrupt *eventlog.CorruptError
			is.True(errors.As(err, &corrupt))
			is.Equal(corrupt.Subject, c.subject())
		})
	}
}
