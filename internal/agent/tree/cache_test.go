package tree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
)

// shelf is a Bits in memory that counts.
type shelf struct {
	data  []byte
	opens atomic.Int32
	block chan struct{} // nil: do not wait
}

func (s *shelf) Open(ctx context.Context, id events.DropletID) (io.ReadCloser, error) {
	s.opens.Add(1)
	if s.block != nil {
		select {
		case <-s.block:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if s.data == nil {
		return nil, fmt.Errorf("droplet %s: %w", id, fs.ErrNotExist)
	}
	return io.NopCloser(bytes.NewReader(s.data)), nil
}

func open(t *testing.T, dir string, s *shelf) *Cache {
	t.Helper()
	c, err := Open(dir, s, small, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestCacheUnpacksOnce(t *testing.T) {
	is := is.New(t)
	s := &shelf{data: tgz(t, file("f", "x")), block: make(chan struct{})}
	c := open(t, t.TempDir(), s)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			dir, done, err := c.Use(t.Context(), "d1")
			if err != nil {
				t.Error(err)
				return
			}
			defer done()
			if b, err := os.ReadFile(filepath.Join(dir, "f")); err != nil || string(b) != "x" {
				t.Error(string(b), err)
			}
		})
	}
	close(s.block)
	wg.Wait()
	is.Equal(s.opens.Load(), int32(1)) // however many ask
}

func TestCacheOutlivesACallerThatGivesUp(t *testing.T) {
	is := is.New(t)
	s := &shelf{data: tgz(t, file("f", "x")), block: make(chan struct{})}
	c := open(t, t.TempDir(), s)
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { _, _, err := c.Use(ctx, "d1"); first <- err }()
	go func() { _, _, err := c.Use(t.Context(), "d1"); second <- err }()
	cancel()
	is.True(errors.Is(<-first, context.Canceled)) // it gave up
	close(s.block)
	is.NoErr(<-second) // another one still gets its tree
}

func TestCacheLeavesNothingHalfDone(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	c := open(t, dir, &shelf{data: tgz(t, file("f", "x"), file("../g", "x"))})
	_, _, err := c.Use(t.Context(), "d1")
	is.True(errors.Is(err, ErrRefused)) // a bad droplet
	is.Equal(names(t, dir), []string{}) // leaves nothing

	_, _, err = open(t, dir, &shelf{}).Use(t.Context(), "d1")
	is.True(errors.Is(err, fs.ErrNotExist)) // neither does one without bits
	_, _, err = c.Use(t.Context(), "../d1")
	is.True(errors.Is(err, fs.ErrNotExist)) // nor an id that is a path

	is.NoErr(os.Mkdir(filepath.Join(dir, unfinished+"123"), 0o700)) // an earlier life was killed here
	open(t, dir, &shelf{})
	is.Equal(names(t, dir), []string{}) // removed
}

func TestCacheKeepsAFew(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	s := &shelf{data: tgz(t, file("f", "x"))}
	c := open(t, dir, s)
	inUse, done, err := c.Use(t.Context(), "first")
	is.NoErr(err)
	defer done()
	for i := range keptTrees + 3 {
		_, done, err := c.Use(t.Context(), events.DropletID(fmt.Sprintf("d%02d", i)))
		is.NoErr(err)
		done()
	}
	left := names(t, dir)
	is.Equal(len(left), keptTrees+1)            // bounded
	is.Equal(left[0], "d03")                    // the oldest have gone
	_, err = os.Stat(filepath.Join(inUse, "f")) // but not one that is read
	is.NoErr(err)

	before := s.opens.Load()
	_, done, err = open(t, dir, s).Use(t.Context(), "d18")
	is.NoErr(err)
	done()
	is.Equal(s.opens.Load(), before) // a later life finds what is there
}
