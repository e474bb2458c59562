// Package storetest opens read models for tests.
//
// What it guarantees:
//
//  1. Its stores are what [projections.Open] makes of a new file. Only the tables are not made anew for each: that takes longer
//     than most tests, under the race detector a third of a second.
//  2. A store is closed, and its file removed, when the test ends.
package storetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"slipway/projections"
)

// Open gives empty read models in a file of their own. It may be called inside a bubble of testing/synctest.
func Open(t testing.TB) *projections.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "read.db")
	Empty(t, path)
	s, err := projections.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Empty writes a file with empty read models, for tests that open it themselves.
func Empty(t testing.TB, path string) {
	t.Helper()
	file, err := empty()
	if err == nil {
		err = os.WriteFile(path, file, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// empty is a file with empty read models, made once.
var empty = sync.OnceValues(func() (_ []byte, err error) {
	dir, err := os.MkdirTemp("", "storetest")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "empty.db")
	s, err := projections.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
