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
	"time"

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

func open(t *testing.T, dir string, s Bits) *Cache {
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

// deaf is a Bits whose first bits come when they are let go, whatever becomes of who asked for them; those after it come at once.
type deaf struct {
	shelf
	asked chan struct{} // closed by the first who asks
	let   chan struct{}
}

func (d *deaf) Open(ctx context.Context, id events.DropletID) (io.ReadCloser, error) {
	if d.opens.Load() > 0 {
		return d.shelf.Open(ctx, id)
	}
	defer close(d.asked)
	r, err := d.shelf.Open(context.WithoutCancel(ctx), id)
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(late(d.let), r), r}, err
}

// late is nothing, once it is let go.
type late chan struct{}

func (l late) Read([]byte) (int, error) {
	<-l
	return 0, io.EOF
}

func newDeaf(t *testing.T) *deaf {
	return &deaf{shelf: shelf{data: tgz(t, file("f", "x"))}, asked: make(chan struct{}), let: make(chan struct{})}
}

// use asks for a tree and says what became of it.
func use(ctx context.Context, c *Cache) <-chan error {
	got := make(chan error, 1)
	go func() {
		_, done, err := c.Use(ctx, "d1")
		if err == nil {
			done()
		}
		got <- err
	}()
	return got
}

// soon is what comes of it, unless it never comes.
func soon(t *testing.T, got <-chan error) error {
	t.Helper()
	select {
	case err := <-got:
		return err
	case <-time.After(time.Minute):
		t.Fatal("still waiting after a minute")
		return nil
	}
}

func TestCacheOutlivesACallerThatGivesUp(t *testing.T) {
	is := is.New(t)
	bits := newDeaf(t)
	c := open(t, t.TempDir(), bits)
	ctx, cancel := context.WithCancel(t.Context())
	first := use(ctx, c)
	<-bits.asked
	f := c.board(t.Context(), "d1", "") // another one who waits
	cancel()
	is.True(errors.Is(soon(t, first), context.Canceled)) // it gave up
	close(bits.let)
	<-f.landed
	is.NoErr(f.err) // the other one gets its tree
	c.leave("d1", f)
	is.NoErr(soon(t, use(t.Context(), c)))
	is.Equal(bits.opens.Load(), int32(1)) // that was begun for the first
	c.Close()
}

// An app is started, stopped and started: whoever comes last waits for nothing that was begun for the one before.
func TestNobodyWaitsForWhatWasGivenUp(t *testing.T) {
	is := is.New(t)
	dir := t.TempDir()
	bits := newDeaf(t)
	c := open(t, dir, bits)
	ctx, cancel := context.WithCancel(t.Context())
	first := use(ctx, c)
	<-bits.asked
	cancel()
	is.True(errors.Is(soon(t, first), context.Canceled))
	is.NoErr(soon(t, use(t.Context(), c))) // though the first is still being read
	close(bits.let)
	c.Close()
	is.Equal(names(t, dir), []string{"d1"}) // and what is late leaves nothing
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
