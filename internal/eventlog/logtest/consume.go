package logtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/eventlog"
)

// inBackground runs fn and gives its error, once.
func inBackground(fn func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	return done
}

func following(t *testing.T, f Fixture) {
	t.Run("history first, then what comes, in order", func(t *testing.T) {
		is := is.New(t)
		ctx, cancel := context.WithCancel(impatient(t))
		defer cancel()
		c := newChain(f.Log)
		start := newest(t, f.Log)
		want := sequences(c.grow(t, 20))
		seen := make(chan events.Sequence, 100)
		done := inBackground(func() error {
			return f.Log.Follow(ctx, eventlog.Query{Filters: []string{string(c.subject())}, After: start},
				func(batch []events.Recorded) error {
					for _, r := range batch {
						seen <- r.Sequence
					}
					return nil
				})
		})
		is.Equal(receive(t, seen, 20), want)
		for range 5 { // a batch is not waited for to fill
			rec := c.append(t)
			is.Equal(receive(t, seen, 1), []events.Sequence{rec.Sequence})
		}
		cancel()
		is.NoErr(<-done) // the end of ctx is no error
	})
	t.Run("batches are never empty and never too large", func(t *testing.T) { batches(t, f) })
	t.Run("resumes after what it was told", func(t *testing.T) {
		is := is.New(t)
		c := newChain(f.Log)
		want := sequences(c.grow(t, 4))
		var got []events.Sequence
		err := f.Log.Follow(impatient(t), eventlog.Query{Filters: []string{events.AllAppSubjects}, After: want[1]},
			func(batch []events.Recorded) error {
				got = append(got, sequences(batch)...)
				if len(got) < 2 {
					return nil
				}
				return errEnough
			})
		is.True(errors.Is(err, errEnough)) // the follower's error comes back
		is.Equal(got, want[2:])
	})
	t.Run("what is no commit stops it", func(t *testing.T) {
		c := newChain(f.Log)
		start := newest(t, f.Log)
		f.Inject(t, c.garbage())
		err := f.Log.Follow(impatient(t), eventlog.Query{After: start}, func([]events.Recorded) error { return nil })
		is.New(t).True(errors.Is(err, events.ErrMalformed)) // a view must not silently lack a commit
	})
}

func batches(t *testing.T, f Fixture) {
	is := is.New(t)
	ctx, cancel := context.WithCancel(impatient(t))
	defer cancel()
	c := newChain(f.Log)
	start := newest(t, f.Log)
	const total = 1200
	want := sequences(c.grow(t, total))
	var got []events.Sequence
	err := f.Log.Follow(ctx, eventlog.Query{After: start}, func(batch []events.Recorded) error {
		is.True(len(batch) > 0 && len(batch) <= 500)
		got = append(got, sequences(batch)...)
		if len(got) == total {
			cancel()
		}
		return nil
	})
	is.NoErr(err)
	is.Equal(got, want)
}

// receive takes n values, or fails the test.
func receive[T any](t testing.TB, from <-chan T, n int) []T {
	t.Helper()
	ctx := impatient(t)
	var got []T
	for range n {
		select {
		case v := <-from:
			got = append(got, v)
		case <-ctx.Done():
			t.Fatalf("got %d values of %d within %s", len(got), n, patience)
		}
	}
	return got
}

func working(t *testing.T, f Fixture) {
	t.Run("each lane in order, each commit until it is handled", func(t *testing.T) { laning(t, f) })
	t.Run("a failed commit comes again", func(t *testing.T) { retrying(t, f) })
	t.Run("what was acknowledged does not come again, the rest does", func(t *testing.T) { resuming(t, f) })
	t.Run("several processes share the work", func(t *testing.T) { sharing(t, f) })
	t.Run("a commit that cannot be read blocks nothing and is reported", func(t *testing.T) { poisoning(t, f) })
	t.Run("a subject that always fails blocks nothing, and its newest commit comes again", func(t *testing.T) { hopeless(t, f) })
}

// worker is a new durable consumer over the given aggregates.
func worker(chains ...*chain) eventlog.Worker {
	w := eventlog.Worker{Name: "test-" + events.NewID(), Lanes: 4}
	for _, c := range chains {
		w.Filters = append(w.Filters, string(c.subject()))
	}
	return w
}

func laning(t *testing.T, f Fixture) {
	is := is.New(t)
	ctx, cancel := context.WithCancel(impatient(t))
	defer cancel()
	chains := []*chain{newChain(f.Log), newChain(f.Log), newChain(f.Log)}
	want := map[events.Subject][]events.Sequence{}
	for range 30 {
		for _, c := range chains {
			want[c.subject()] = append(want[c.subject()], c.append(t).Sequence)
		}
	}
	var mu sync.Mutex
	got, left := map[events.Subject][]events.Sequence{}, 90
	err := f.Log.Work(ctx, worker(chains...), func(_ context.Context, r events.Recorded) error {
		mu.Lock()
		defer mu.Unlock()
		got[r.Subject] = append(got[r.Subject], r.Sequence)
		if left--; left == 0 {
			cancel()
		}
		return nil
	})
	is.NoErr(err)
	is.Equal(got, want)
}

func retrying(t *testing.T, f Fixture) {
	is := is.New(t)
	ctx, cancel := context.WithCancel(impatient(t))
	defer cancel()
	c := newChain(f.Log)
	recs := sequences(c.grow(t, 3))
	w := worker(c)
	var failures []int
	w.Failed = func(r events.Recorded, attempt int, err error) {
		is.Equal(r.Sequence, recs[1])
		is.True(errors.Is(err, errEnough))
		failures = append(failures, attempt)
	}
	w.Lanes = 1
	handled := map[events.Sequence]bool{}
	err := f.Log.Work(ctx, w, func(_ context.Context, r events.Recorded) error {
		if r.Sequence == recs[1] && len(failures) < 3 {
			return errEnough
		}
		if handled[r.Sequence] = true; len(handled) == 3 {
			cancel()
		}
		return nil
	})
	is.NoErr(err)
	is.Equal(failures, []int{1, 2, 3}) // told of each attempt
}

func resuming(t *testing.T, f Fixture) {
	is := is.New(t)
	c := newChain(f.Log)
	recs := sequences(c.grow(t, 3))
	w := worker(c)
	w.Lanes = 1
	first, stop := context.WithCancel(impatient(t))
	is.NoErr(f.Log.Work(first, w, func(ctx context.Context, r events.Recorded) error {
		if r.Sequence == recs[0] {
			return nil
		}
		stop()
		return ctx.Err() // interrupted in the middle
	}))
	second, cancel := context.WithCancel(impatient(t))
	defer cancel()
	var got []events.Sequence
	is.NoErr(f.Log.Work(second, w, func(_ context.Context, r events.Recorded) error {
		if got = append(got, r.Sequence); len(got) == 2 {
			cancel()
		}
		return nil
	}))
	slices.Sort(got)
	is.Equal(got, recs[1:])
}

func sharing(t *testing.T, f Fixture) {
	is := is.New(t)
	ctx, cancel := context.WithCancel(impatient(t))
	defer cancel()
	c := newChain(f.Log)
	w := worker(c)
	seen := make(chan events.Sequence, 100)
	handle := func(_ context.Context, r events.Recorded) error { seen <- r.Sequence; return nil }
	one := inBackground(func() error { return f.Log.Work(ctx, w, handle) })
	two := inBackground(func() error { return f.Log.Work(ctx, w, handle) })
	want := sequences(c.grow(t, 40))
	got := receive(t, seen, 40)
	cancel()
	is.NoErr(<-one)
	is.NoErr(<-two)
	slices.Sort(got)
	is.Equal(got, want) // each once: nothing failed, nobody died
	is.Equal(len(seen), 0)
}

func poisoning(t *testing.T, f Fixture) {
	is := is.New(t)
	ctx, cancel := context.WithCancel(impatient(t))
	defer cancel()
	bad, good := newChain(f.Log), newChain(f.Log)
	f.Inject(t, bad.garbage())
	want := sequences(good.grow(t, 3))
	w := worker(bad, good)
	reported := make(chan error, 100)
	w.Failed = func(r events.Recorded, _ int, err error) {
		is.Equal(r.Subject, bad.subject())
		reported <- err
	}
	seen := make(chan events.Sequence, 100)
	done := inBackground(func() error {
		return f.Log.Work(ctx, w, func(_ context.Context, r events.Recorded) error { seen <- r.Sequence; return nil })
	})
	is.Equal(receive(t, seen, 3), want)
	for _, err := range receive(t, reported, 2) { // again and again: it is not lost
		is.True(errors.Is(err, events.ErrMalformed))
	}
	cancel()
	is.NoErr(<-done)
}

func hopeless(t *testing.T, f Fixture) {
	ctx, cancel := context.WithCancel(impatient(t))
	defer cancel()
	bad, good := newChain(f.Log), newChain(f.Log)
	failing := sequences(bad.grow(t, 1100)) // more than a consumer may have in hand
	w := worker(bad, good)
	w.Newest = true
	seen, again := make(chan events.Sequence, 1), make(chan events.Sequence, 5000)
	w.Failed = func(r events.Recorded, attempt int, _ error) {
		if attempt > 1 && r.Sequence == failing[len(failing)-1] {
			again <- r.Sequence
		}
	}
	done := inBackground(func() error {
		return f.Log.Work(ctx, w, func(_ context.Context, r events.Recorded) error {
			if r.Subject == bad.subject() {
				return errEnough
			}
			seen <- r.Sequence
			return nil
		})
	})
	is := is.New(t)
	receive(t, again, 1) // all have failed
	want := good.append(t).Sequence
	is.Equal(receive(t, seen, 1), []events.Sequence{want})
	receive(t, again, 1)
	cancel()
	is.NoErr(<-done)
}
