package projector_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/projector"
	"slipway/projections"
	"slipway/projections/storetest"
)

// fakeStore keeps the sequences it was given; each of its steps may fail, before or after it has been taken.
type fakeStore struct {
	applied []events.Sequence
	fault   func() error
}

func (s *fakeStore) Checkpoint(context.Context) (events.Sequence, error) {
	if len(s.applied) == 0 {
		return 0, s.fault()
	}
	return s.applied[len(s.applied)-1], s.fault()
}

func (s *fakeStore) Apply(_ context.Context, batch []events.Recorded) error {
	if err := s.fault(); err != nil {
		return err
	}
	for _, c := range batch {
		if !slices.Contains(s.applied, c.Sequence) {
			s.applied = append(s.applied, c.Sequence)
		}
	}
	return s.fault()
}

func TestRunnerHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		log := eventlog.NewMemory(events.NewRegistry())
		newWriter(t, log).history()
		ctx, cancel := context.WithCancel(t.Context())
		failures := 6
		store := &fakeStore{fault: func() error {
			if failures--; failures%2 == 1 {
				return errInjected
			}
			return nil
		}}
		var notified []events.Sequence
		r := &projector.Runner{
			Log: log, Store: store, Logger: quiet(),
			Notify:  func(seq events.Sequence) { notified = append(notified, seq) },
			Observe: func(projector.Progress) { cancel() },
		}
		is.NoErr(r.Run(ctx))
		is.Equal(store.applied, []events.Sequence{1, 2, 3, 4, 5, 6, 7, 8}) // complete and in order
		is.Equal(notified, []events.Sequence{8})                           // after it was applied
	})
}

func TestRunnerRefusesALogThatEndsTooSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		log := eventlog.NewMemory(events.NewRegistry())
		w := newWriter(t, log)
		w.history()
		store := &fakeStore{applied: []events.Sequence{9}, fault: func() error { return nil }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r := &projector.Runner{Log: log, Store: store, Logger: quiet()}
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		synctest.Wait()
		is.Equal(len(store.applied), 1) // nothing is applied to what belongs to another log
		is.NoErr(<-done)
	})
}

func TestRunnerFillsTheReadModels(t *testing.T) {
	is := is.New(t)
	log := eventlog.NewMemory(events.NewRegistry())
	newWriter(t, log).history()
	s := storetest.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() { done <- (&projector.Runner{Log: log, Store: s, Logger: quiet()}).Run(ctx) }()
	is.NoErr(s.Wait(ctx, 8)) // wakes when the runner has come so far
	a, err := s.AppByName(ctx, "default", "pay ments")
	is.NoErr(err)
	is.Equal(a.State, projections.AppStarted)
	cancel()
	is.NoErr(<-done)

	rebuilt := storetest.Open(t)
	at, err := rebuilt.Rebuild(t.Context(), projector.Source{Log: log}, discard{})
	is.NoErr(err)
	is.Equal(at, events.Sequence(8))
	found, err := projections.Verify(t.Context(), s, rebuilt)
	is.NoErr(err)
	is.Equal(found, nil) // rebuilt == incremental
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
