package projector_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/projector"
	"slipway/projections"
)

// TestRenew: read models from before a migration that changes what they say are made anew, once, and no others; of a log that
// was lost they stay.
func TestRenew(t *testing.T) {
	is := is.New(t)
	log := eventlog.NewMemory(events.NewRegistry())
	newWriter(t, log).history()
	path := filepath.Join(t.TempDir(), "read.db")
	open := func() *projections.Store {
		t.Helper()
		s, err := projections.Open(t.Context(), path)
		is.NoErr(err)
		return s
	}
	s := open()
	source := projector.Source{Log: log}
	newest, err := log.Newest(t.Context())
	is.NoErr(err)
	is.NoErr(source.Batches(t.Context(), 0, newest, func(batch []events.Recorded) error { return s.Apply(t.Context(), batch) }))
	outdated, err := s.Outdated(t.Context())
	is.NoErr(err)
	is.True(!outdated) // what was made by this version is not
	is.NoErr(s.Close())

	asBefore(t, path)
	s = open()
	defer func() { is.NoErr(s.Close()) }()
	runner := func(log eventlog.Log) *projector.Runner {
		return &projector.Runner{Log: log, Store: s, Logger: quiet()}
	}
	runner(eventlog.NewMemory(events.NewRegistry())).Renew(t.Context(), s)
	at, err := s.Checkpoint(t.Context())
	is.NoErr(err)
	is.Equal(at, newest) // nothing was taken away
	runner(log).Renew(t.Context(), s)
	found, err := s.Check(t.Context(), source, t.Output())
	is.NoErr(err)
	is.Equal(found, nil) // rebuilt
	outdated, err = s.Outdated(t.Context())
	is.NoErr(err)
	is.True(!outdated) // once
}

// asBefore makes the file what it was before the migration that says it is outdated, with something else in it.
func asBefore(t *testing.T, path string) {
	t.Helper()
	is := is.New(t)
	db, err := sql.Open("sqlite", path)
	is.NoErr(err)
	for _, statement := range []string{
		"ALTER TABLE halts DROP COLUMN labels", "ALTER TABLE halts DROP COLUMN annotations", "DROP TABLE outdated",
		"DELETE FROM goose_db_version WHERE version_id >= 15", "UPDATE apps SET name = 'other'",
	} {
		_, err := db.Exec(statement)
		is.NoErr(err)
	}
	is.NoErr(db.Close())
}
