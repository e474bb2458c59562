package agent

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/matryer/is"
)

func TestHome(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	dir := filepath.Join(t.TempDir(), "agent")
	first, err := OpenHome(dir)
	is.NoErr(err)
	_, err = OpenHome(dir)
	is.True(errors.Is(err, ErrInUse)) // never two at once
	is.NoErr(first.Close())

	second, err := OpenHome(dir)
	is.NoErr(err)
	defer second.Close()
	is.Equal(second.ID, first.ID) // an agent stays who it is
}

func TestHomeWithABrokenID(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	dir := t.TempDir()
	is.NoErr(os.WriteFile(filepath.Join(dir, "id"), []byte("a.b"), 0o600))
	_, err := OpenHome(dir)
	is.True(err != nil) // it would be a wildcard in a subject
	is.NoErr(os.Remove(filepath.Join(dir, "id")))
	h, err := OpenHome(dir)
	is.NoErr(err) // the lock was not kept
	is.NoErr(h.Close())
}
