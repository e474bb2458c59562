package projections_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/projections"
	"slipway/projections/storetest"
)

func TestApply(t *testing.T) {
	t.Run("twice is once", func(t *testing.T) {
		is := is.New(t)
		l := deploying()
		s := applied(t, l)
		before, err := s.Digest(t.Context())
		is.NoErr(err)
		is.NoErr(s.Apply(t.Context(), l.commits))
		is.NoErr(s.Apply(t.Context(), l.commits[2:]))
		after, err := s.Digest(t.Context())
		is.NoErr(err)
		is.Equal(after, before) // nothing changed
	})
	t.Run("a batch that overlaps", func(t *testing.T) {
		is := is.New(t)
		l := deploying()
		whole, err := applied(t, l).Digest(t.Context())
		is.NoErr(err)
		s := storetest.Open(t)
		is.NoErr(s.Apply(t.Context(), l.commits[:3]))
		is.NoErr(s.Apply(t.Context(), l.commits[1:]))
		parts, err := s.Digest(t.Context())
		is.NoErr(err)
		is.Equal(parts, whole) // each commit took effect once
	})
	t.Run("out of order", func(t *testing.T) {
		is := is.New(t)
		l := running()
		l.commits[1], l.commits[2] = l.commits[2], l.commits[1]
		s := storetest.Open(t)
		err := s.Apply(t.Context(), l.commits)
		is.True(errors.Is(err, projections.ErrOrder)) // refused
		at, err := s.Checkpoint(t.Context())
		is.NoErr(err)
		is.Equal(at, events.Sequence(0)) // as a whole
	})
	t.Run("set back by another process", func(t *testing.T) {
		is := is.New(t)
		l := deploying()
		s := applied(t, l)
		other, err := projections.Open(t.Context(), s.Path())
		is.NoErr(err)
		defer func() { is.NoErr(other.Close()) }()
		_, err = other.Rebuild(t.Context(), source(l.commits[:2]), discard{}) // of a log that lost its end
		is.NoErr(err)
		next := l.app(events.AppStopped{App: "a1"})
		err = s.Apply(t.Context(), []events.Recorded{next})
		is.True(errors.Is(err, projections.ErrRewound)) // commits 3 to 5 would be missing
		is.NoErr(s.Apply(t.Context(), l.commits[2:]))   // from the checkpoint on it works again
	})
	t.Run("canceled", func(t *testing.T) {
		is := is.New(t)
		s := storetest.Open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := s.Apply(ctx, running().commits)
		is.True(errors.Is(err, context.Canceled))
		at, err := s.Checkpoint(t.Context())
		is.NoErr(err)
		is.Equal(at, events.Sequence(0)) // nothing was applied
	})
}

func TestWait(t *testing.T) {
	t.Run("for what is there", func(t *testing.T) {
		is := is.New(t)
		is.NoErr(applied(t, running()).Wait(t.Context(), 4))
	})
	t.Run("until it is applied", func(t *testing.T) {
		is := is.New(t)
		s := storetest.Open(t)
		done := make(chan error)
		go func() { done <- s.Wait(t.Context(), 4) }()
		is.NoErr(s.Apply(t.Context(), running().commits))
		is.NoErr(<-done)
	})
	t.Run("until another process says so", func(t *testing.T) {
		is := is.New(t)
		s := storetest.Open(t)
		other, err := projections.Open(t.Context(), s.Path())
		is.NoErr(err)
		defer func() { is.NoErr(other.Close()) }()
		done := make(chan error)
		go func() { done <- s.Wait(t.Context(), 4) }()
		s.Notified(4) // a wrong one changes nothing
		is.NoErr(other.Apply(t.Context(), running().commits))
		s.Notified(4)
		is.NoErr(<-done)
	})
	t.Run("looks once more at the deadline", func(t *testing.T) {
		is := is.New(t)
		s := storetest.Open(t)
		other, err := projections.Open(t.Context(), s.Path())
		is.NoErr(err)
		defer func() { is.NoErr(other.Close()) }()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Wait(ctx, 4) }()
		is.NoErr(other.Apply(t.Context(), running().commits)) // and the notification is lost
		cancel()
		is.NoErr(<-done)
	})
	t.Run("not for ever", func(t *testing.T) {
		is := is.New(t)
		s := storetest.Open(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		err := s.Wait(ctx, 1)
		is.True(errors.Is(err, context.DeadlineExceeded)) // the caller's deadline
	})
}
