// Package dropletstest holds the contract of [droplets.Store] as tests that every implementation must pass.
package dropletstest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/matryer/is"

	"slipway/internal/droplets"
)

// Limit is what the stores under test take, in bytes: several chunks.
const Limit = 1 << 20

// Fixture is an implementation to be tested, made to take Limit bytes.
type Fixture struct {
	Store droplets.Store
	// Left counts what the store keeps and nobody can read.
	Left func(t testing.TB) int
}

// Run holds the stores that open gives to the contract.
func Run(t *testing.T, open func(t testing.TB) Fixture) {
	for name, scenario := range map[string]func(*testing.T, Fixture){
		"what is read is what was written":       roundTrip,
		"bits are replaced":                      replaced,
		"nothing there":                          absent,
		"too large":                              oversized,
		"a reader that fails":                    failing,
		"an upload that is interrupted":          interrupted,
		"many uploads of the same at once":       contested,
		"a reader that has enough":               abandoned,
		"ids that would be wildcards or worse":   oddIDs,
		"bytes that come one by one":             trickling,
		"an interruption before the first bytes": interruptedEarly,
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			scenario(t, f)
			is.New(t).Equal(f.Left(t), 0) // nothing is left behind
		})
	}
}

var errBroken = errors.New("the line broke")

// noise is so many bytes that do not compress, the same for the same seed.
func noise(n int, seed byte) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

func put(t testing.TB, s droplets.Store, id string, data []byte) {
	t.Helper()
	is := is.New(t)
	sum, size, err := s.Put(t.Context(), id, bytes.NewReader(data))
	is.NoErr(err)
	want := sha256.Sum256(data)
	is.Equal(sum, hex.EncodeToString(want[:]))
	is.Equal(size, int64(len(data)))
}

func get(t testing.TB, s droplets.Store, id string) []byte {
	t.Helper()
	is := is.New(t)
	r, err := s.Get(t.Context(), id)
	is.NoErr(err)
	data, err := io.ReadAll(r)
	is.NoErr(err)
	is.NoErr(r.Close())
	return data
}

// holds asserts what is stored without printing it.
func holds(t testing.TB, s droplets.Store, id string, want []byte) {
	t.Helper()
	is.New(t).True(bytes.Equal(get(t, s, id), want))
}

func roundTrip(t *testing.T, f Fixture) {
	const chunk = 128 << 10
	for n, size := range []int{0, 1, chunk - 1, chunk, chunk + 1, 5*chunk + 7, Limit} {
		data := noise(size, byte(n))
		put(t, f.Store, "d1", data)
		holds(t, f.Store, "d1", data)
	}
}

func replaced(t *testing.T, f Fixture) {
	first, second := noise(300_000, 1), noise(200_000, 2)
	put(t, f.Store, "d1", first)
	put(t, f.Store, "d2", first)
	put(t, f.Store, "d1", second)
	holds(t, f.Store, "d1", second)
	holds(t, f.Store, "d2", first) // the other is as it was
}

func absent(t *testing.T, f Fixture) {
	is := is.New(t)
	_, err := f.Store.Get(t.Context(), "d1")
	is.True(errors.Is(err, droplets.ErrNotFound))
	is.NoErr(f.Store.Delete(t.Context(), "d1")) // nothing to delete is no error
	put(t, f.Store, "d1", noise(300_000, 1))
	is.NoErr(f.Store.Delete(t.Context(), "d1"))
	_, err = f.Store.Get(t.Context(), "d1")
	is.True(errors.Is(err, droplets.ErrNotFound))
	is.NoErr(f.Store.Delete(t.Context(), "d1"))
	put(t, f.Store, "d1", noise(10, 2)) // and it may come again
	holds(t, f.Store, "d1", noise(10, 2))
}

func oversized(t *testing.T, f Fixture) {
	is := is.New(t)
	before := noise(1000, 1)
	put(t, f.Store, "d1", before)
	_, _, err := f.Store.Put(t.Context(), "d1", bytes.NewReader(noise(Limit+1, 2)))
	is.True(errors.Is(err, droplets.ErrTooLarge))
	holds(t, f.Store, "d1", before)
}

func failing(t *testing.T, f Fixture) {
	is := is.New(t)
	before := noise(1000, 1)
	put(t, f.Store, "d1", before)
	for _, after := range []int{0, 1, 300_000} {
		r := io.MultiReader(bytes.NewReader(noise(after, 2)), iotest.ErrReader(errBroken))
		_, _, err := f.Store.Put(t.Context(), "d1", r)
		is.True(errors.Is(err, errBroken)) // the caller learns what happened
		holds(t, f.Store, "d1", before)
		_, _, err = f.Store.Put(t.Context(), "new", r)
		is.True(errors.Is(err, errBroken))
		_, err = f.Store.Get(t.Context(), "new")
		is.True(errors.Is(err, droplets.ErrNotFound)) // half a droplet is none
	}
}

// cancelling ends a context after some bytes and goes on giving more, as a body does whose client has gone.
type cancelling struct {
	io.Reader
	left   int
	cancel func()
}

func (c *cancelling) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.left -= n; c.left <= 0 {
		c.cancel()
	}
	return n, err
}

func interrupted(t *testing.T, f Fixture) {
	is := is.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := &cancelling{bytes.NewReader(noise(Limit, 1)), 400_000, cancel}
	_, _, err := f.Store.Put(ctx, "d1", r)
	is.True(errors.Is(err, context.Canceled))
	_, err = f.Store.Get(t.Context(), "d1")
	is.True(errors.Is(err, droplets.ErrNotFound))
}

func interruptedEarly(t *testing.T, f Fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := f.Store.Put(ctx, "d1", bytes.NewReader(noise(10, 1)))
	is.New(t).True(errors.Is(err, context.Canceled))
}

func contested(t *testing.T, f Fixture) {
	const uploads = 4
	var wg sync.WaitGroup
	var errs [uploads]error
	for n := range uploads {
		wg.Go(func() { _, _, errs[n] = f.Store.Put(t.Context(), "d1", bytes.NewReader(noise(300_000, byte(n)))) })
	}
	wg.Wait()
	is.New(t).NoErr(errors.Join(errs[:]...))
	got := get(t, f.Store, "d1")
	whole := false
	for n := range uploads {
		whole = whole || bytes.Equal(got, noise(300_000, byte(n)))
	}
	is.New(t).True(whole) // one of them, not a mixture
}

func abandoned(t *testing.T, f Fixture) {
	is := is.New(t)
	put(t, f.Store, "d1", noise(Limit, 1))
	r, err := f.Store.Get(t.Context(), "d1")
	is.NoErr(err)
	_, err = io.ReadFull(r, make([]byte, 10))
	is.NoErr(err)
	is.NoErr(r.Close())
	holds(t, f.Store, "d1", noise(Limit, 1)) // others read it whole
}

func oddIDs(t *testing.T, f Fixture) {
	ids := []string{"*", ">", "a.b", "a b", "ä/ö", "../x", "a\nb"}
	for n, id := range ids {
		put(t, f.Store, id, noise(10, byte(n)))
	}
	for n, id := range ids {
		holds(t, f.Store, id, noise(10, byte(n)))
	}
}

func trickling(t *testing.T, f Fixture) {
	is := is.New(t)
	data := noise(3000, 1)
	_, size, err := f.Store.Put(t.Context(), "d1", iotest.OneByteReader(bytes.NewReader(data)))
	is.NoErr(err)
	is.Equal(size, int64(len(data)))
	holds(t, f.Store, "d1", data)
}
