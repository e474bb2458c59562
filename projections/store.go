package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"slipway/events"
)

// ErrNotFound: there is no such row, or not any more.
var ErrNotFound = errors.New("not found")

// busyTimeoutMS is how long a writer waits for another process's transaction, in milliseconds. The longest one is the
// switch after a rebuild: seconds for a million rows.
const busyTimeoutMS = 30_000

// minReaders keeps reads going beside one slow listing on a machine with few cores.
const minReaders = 4

// Store is the read models in one SQLite file. Any number of processes may have it open; all methods may be called at
// once. In one process one writer works at a time, and readers never wait for it (write-ahead log).
type Store struct {
	path     string
	writer   *sql.DB
	readers  *sql.DB
	passed   broadcast
	applied  mark
	prepared prepared
}

// Open opens the file, creates it where there is none, and brings its schema up to date. Several processes may open the
// same new file at once.
func Open(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, "NORMAL")
}

// open takes SQLite's synchronous setting. NORMAL: a commit may be lost with the machine, but never torn. A lost commit
// takes its checkpoint with it and is applied again from the log, so paying an fsync for each (FULL) would buy nothing.
func open(ctx context.Context, path, synchronous string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("open read models: %w", err)
	}
	s := &Store{path: path, prepared: prepared{known: map[string]*sql.Stmt{}, asked: map[string]bool{}}}
	var err error
	// Immediate: a transaction that reads first and writes later would be refused instead of waiting.
	if s.writer, err = connect(path, 1, "_synchronous", synchronous, "_txlock", "immediate"); err != nil {
		return nil, err
	}
	if s.readers, err = connect(path, max(minReaders, 2*runtime.NumCPU()), "_query_only", "1"); err != nil {
		return nil, errors.Join(err, s.writer.Close())
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open read models %s: %w", path, err), s.Close())
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context) error {
	if err := migrate(ctx, s.path, s.writer); err != nil {
		return err
	}
	_, err := s.Checkpoint(ctx)
	return err
}

func connect(path string, connections int, settings ...string) (*sql.DB, error) {
	query := url.Values{"_busy_timeout": {fmt.Sprint(busyTimeoutMS)}, "_journal_mode": {"WAL"}}
	for i := 0; i < len(settings); i += 2 {
		query.Set(settings[i], settings[i+1])
	}
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// Close ends all reads and writes and closes the file.
func (s *Store) Close() error {
	return errors.Join(s.readers.Close(), s.writer.Close())
}

// Path is the file's name.
func (s *Store) Path() string { return s.path }

// Checkpoint is the sequence of the last commit that is in the read models; 0 before the first.
func (s *Store) Checkpoint(ctx context.Context) (events.Sequence, error) {
	seq, err := checkpoint(ctx, s.readers)
	if err == nil {
		s.passed.advance(seq)
	}
	return seq, err
}

// queryer is what both a database and a transaction can do.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func checkpoint(ctx context.Context, q queryer) (events.Sequence, error) {
	var seq events.Sequence
	if err := q.QueryRowContext(ctx, "SELECT sequence FROM checkpoint WHERE id = 1").Scan(&seq); err != nil {
		return 0, fmt.Errorf("read checkpoint: %w", err)
	}
	return seq, nil
}

// snapshot runs fn on one unchanging state of the read models.
func (s *Store) snapshot(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin read: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return fn(tx)
}
