package projections_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/projections"
	"slipway/projections/storetest"
)

func TestOpen(t *testing.T) {
	t.Run("several at once", func(t *testing.T) {
		is := is.New(t)
		path := filepath.Join(t.TempDir(), "with blank & sign", "read.db")
		const processes = 4
		results := make(chan error, processes)
		for range processes {
			go func() {
				s, err := projections.Open(t.Context(), path)
				if err == nil {
					err = s.Close()
				}
				results <- err
			}()
		}
		for range processes {
			is.NoErr(<-results) // everyone finds the schema
		}
	})
	t.Run("an empty store", func(t *testing.T) {
		is := is.New(t)
		s := storetest.Open(t)
		at, err := s.Checkpoint(t.Context())
		is.NoErr(err)
		is.Equal(at, events.Sequence(0)) // before the first commit
		_, err = s.App(t.Context(), "a1")
		is.True(errors.Is(err, projections.ErrNotFound)) // no app
	})
}
