package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"slipway/events"
)

// switchTo puts the rows of scratch in the place of the live ones. It copies them inside one transaction of the live file
// instead of swapping files: other processes keep the file open that they have, no write-ahead log can be left behind
// beside a file it does not belong to, and a crash rolls back (docs/adr, rebuild). While the live file is locked for
// writing, catchUp brings scratch to the live checkpoint, so that no projector that writes on has a gap behind it.
func (s *Store) switchTo(ctx context.Context, scratch *Store, catchUp func(live events.Sequence) error) (events.Sequence, error) {
	var at events.Sequence
	err := s.exclusively(ctx, scratch.path, func(conn *sql.Conn) error {
		live, err := checkpoint(ctx, conn)
		if err != nil {
			return err
		}
		if err := catchUp(live); err != nil {
			return err
		}
		if err := copyFrom(ctx, conn); err != nil {
			return err
		}
		if _, err := conn.ExecContext(ctx, "DELETE FROM main.outdated"); err != nil {
			return err
		}
		at, err = checkpoint(ctx, conn)
		return err
	})
	return at, err
}

// exclusively runs fn in a writing transaction of the live file, with the other file attached as "scratch".
func (s *Store) exclusively(ctx context.Context, other string, fn func(*sql.Conn) error) (err error) {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "ATTACH DATABASE ? AS scratch", other); err != nil {
		return err
	}
	// The connection goes back to the pool: it must be clean even when ctx has ended.
	clean := context.WithoutCancel(ctx)
	defer func() {
		_, detached := conn.ExecContext(clean, "DETACH DATABASE scratch")
		err = errors.Join(err, detached)
	}()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	if err := locked(ctx, conn, fn); err != nil {
		_, undone := conn.ExecContext(clean, "ROLLBACK")
		return errors.Join(err, undone)
	}
	return nil
}

// locked locks the live file alone, by a write that changes nothing: BEGIN IMMEDIATE would lock the attached one too.
func locked(ctx context.Context, conn *sql.Conn, fn func(*sql.Conn) error) error {
	if _, err := conn.ExecContext(ctx, "UPDATE main.checkpoint SET sequence = sequence"); err != nil {
		return err
	}
	if err := fn(conn); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, "COMMIT")
	return err
}

func copyFrom(ctx context.Context, conn *sql.Conn) error {
	for _, r := range relations() {
		if _, err := conn.ExecContext(ctx, "DELETE FROM main."+r.table); err != nil {
			return fmt.Errorf("empty %s: %w", r.table, err)
		}
		columns := strings.Join(r.columns, ", ")
		insert := fmt.Sprintf("INSERT INTO main.%s (%s) SELECT %s FROM scratch.%s", r.table, columns, columns, r.table)
		if _, err := conn.ExecContext(ctx, insert); err != nil {
			return fmt.Errorf("copy %s: %w", r.table, err)
		}
	}
	return nil
}

// frozen runs fn while nobody writes to the live file, and tells it the checkpoint.
func (s *Store) frozen(ctx context.Context, fn func(live events.Sequence) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	live, err := checkpoint(ctx, tx)
	if err != nil {
		return err
	}
	return fn(live)
}
