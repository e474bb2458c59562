package projections

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
)

// soon is what comes of something, unless it never comes.
func soon(t *testing.T, work func() error) error {
	t.Helper()
	got := make(chan error, 1)
	go func() { got <- work() }()
	select {
	case err := <-got:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("still waiting after 20 s")
		return nil
	}
}

type empty struct{}

func (empty) Newest(context.Context) (events.Sequence, error) { return 0, nil }
func (empty) Batches(context.Context, events.Sequence, events.Sequence, func([]events.Recorded) error) error {
	return nil
}

// Another process rebuilds, which may take minutes: who waits for it is told, and may give up.
func TestARebuildElsewhereIsWaitedForNoLongerThanAsked(t *testing.T) {
	is := is.New(t)
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "read.db"))
	is.NoErr(err)
	defer s.Close()
	free, err := lock(t.Context(), s.Path()+".rebuild-lock", t.Output())
	is.NoErr(err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var said bytes.Buffer
	err = soon(t, func() error { _, err := s.Rebuild(ctx, empty{}, &said); return err })
	is.True(errors.Is(err, context.DeadlineExceeded))                       // not before the other one is done
	is.True(strings.Contains(said.String(), "waiting for another process")) // and it was told why
	is.NoErr(free())
	is.NoErr(soon(t, func() error { _, err := s.Rebuild(t.Context(), empty{}, &said); return err })) // now it is free
}

func TestAMigrationElsewhereIsWaitedForNoLongerThanAsked(t *testing.T) {
	is := is.New(t)
	path := filepath.Join(t.TempDir(), "read.db")
	free, err := lock(t.Context(), path+".lock", t.Output())
	is.NoErr(err)
	defer func() { is.NoErr(free()) }()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err = soon(t, func() error { _, err := Open(ctx, path); return err })
	is.True(errors.Is(err, context.DeadlineExceeded))
	is.True(strings.Contains(err.Error(), "another process has it")) // it says what it waited for
}

// All connections are at work on long lists: whoever waits for a commit is told when their time is over, and not when a list is done.
func TestAWaitEndsThoughAllConnectionsAreAtWork(t *testing.T) {
	is := is.New(t)
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "read.db"))
	is.NoErr(err)
	defer s.Close()
	for range s.readers.Stats().MaxOpenConnections {
		conn, err := s.readers.Conn(t.Context())
		is.NoErr(err)
		defer conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	is.True(errors.Is(soon(t, func() error { return s.Wait(ctx, 1) }), context.DeadlineExceeded))
}
