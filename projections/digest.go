package projections

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// relation is a table without what it means: for copying, hashing and comparing.
type relation struct {
	table   string
	columns []string
	keys    int // how many of the columns, from the first, are the key
}

func (v *view[K, R]) relation() relation { return relation{v.table, v.names(), v.keys} }

// relations are all tables that come from the log, checkpoint and all.
func relations() []relation {
	return []relation{
		{"checkpoint", []string{"id", "sequence"}, 1},
		apps.relation(), processes.relation(), instances.relation(), droplets.relation(), packages.relation(),
		builds.relation(), revisions.relation(),
		deployments.relation(), {"labels", []string{"resource", "guid", "label", "value"}, 3},
		organizations.relation(), spaces.relation(), quotas.relation(), domains.relation(), routes.relation(),
		destinations.relation(), strategies.relation(), groups.relation(), halts.relation(), policies.relation(), subscriptions.relation(),
		history.relation(), auditEvents.relation(), anomalies.relation(),
	}
}

// all selects every row in the one order that does not depend on how it got there.
func (r relation) all() string {
	return fmt.Sprintf("SELECT %s FROM %s ORDER BY %s", strings.Join(r.columns, ", "), r.table, strings.Join(r.columns[:r.keys], ", "))
}

// Digest is a hash over every row of every view and the checkpoint, in lower-case hex. Two stores that hold the same
// have the same digest, whatever batches, restarts or rebuilds made them.
func (s *Store) Digest(ctx context.Context) (string, error) {
	sum := sha256.New()
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		for _, r := range relations() {
			if err := digest(ctx, tx, r, sum); err != nil {
				return fmt.Errorf("digest %s: %w", r.table, err)
			}
		}
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

func digest(ctx context.Context, tx *sql.Tx, r relation, sum io.Writer) error {
	fmt.Fprintf(sum, "%s\n", r.table)
	c, err := openCursor(ctx, tx, r)
	if err != nil {
		return err
	}
	defer c.close()
	for {
		row, err := c.next()
		if err != nil || row == nil {
			return err
		}
		for _, value := range row {
			text := fmt.Sprint(value)
			fmt.Fprintf(sum, "%T %d:%s\n", value, len(text), text) // lengths keep two values from sliding into each other
		}
	}
}

// Difference is the first row in which two stores differ.
type Difference struct {
	View  string
	Key   string
	Left  string // the row on this side; empty where it has none
	Right string
}

func (d *Difference) String() string {
	side := func(row string) string {
		if row == "" {
			return "no row"
		}
		return row
	}
	return fmt.Sprintf("%s %s: %s against %s", d.View, d.Key, side(d.Left), side(d.Right))
}

// Verify compares two stores row by row and gives the first difference; nil where there is none.
func Verify(ctx context.Context, left, right *Store) (found *Difference, err error) {
	err = left.snapshot(ctx, func(l *sql.Tx) error {
		return right.snapshot(ctx, func(r *sql.Tx) error {
			found, err = compare(ctx, l, r)
			return err
		})
	})
	return found, err
}

func compare(ctx context.Context, left, right *sql.Tx) (*Difference, error) {
	for _, r := range relations() {
		found, err := compareRelation(ctx, left, right, r)
		if err != nil {
			return nil, fmt.Errorf("compare %s: %w", r.table, err)
		}
		if found != nil {
			return found, nil
		}
	}
	return nil, nil
}

func compareRelation(ctx context.Context, left, right *sql.Tx, r relation) (found *Difference, err error) {
	l, err := openCursor(ctx, left, r)
	if err != nil {
		return nil, err
	}
	defer l.close()
	m, err := openCursor(ctx, right, r)
	if err != nil {
		return nil, err
	}
	defer m.close()
	for {
		here, errHere := l.next()
		there, errThere := m.next()
		if err := errors.Join(errHere, errThere); err != nil || here == nil && there == nil {
			return nil, err
		}
		if d := r.difference(here, there); d != nil {
			return d, nil
		}
	}
}

// difference compares the rows that stand at the same place on both sides; nil is the end of a side.
func (r relation) difference(left, right []any) *Difference {
	order := compareKeys(left, right, r.keys)
	switch {
	case order < 0:
		return &Difference{View: r.table, Key: show(left[:r.keys]), Left: show(left)}
	case order > 0:
		return &Difference{View: r.table, Key: show(right[:r.keys]), Right: show(right)}
	}
	for i := range left {
		if left[i] != right[i] {
			return &Difference{View: r.table, Key: show(left[:r.keys]), Left: show(left), Right: show(right)}
		}
	}
	return nil
}

// compareKeys orders rows as the database does; the end of a side comes after all rows.
func compareKeys(left, right []any, keys int) int {
	switch {
	case left == nil:
		return 1
	case right == nil:
		return -1
	}
	for i := range keys {
		var order int
		switch l := left[i].(type) {
		case int64:
			r, _ := right[i].(int64)
			order = cmp.Compare(l, r)
		case string:
			r, _ := right[i].(string)
			order = cmp.Compare(l, r)
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

func show(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, " | ")
}

// cursor walks over the rows of a relation.
type cursor struct {
	rows  *sql.Rows
	width int
}

func openCursor(ctx context.Context, tx *sql.Tx, r relation) (cursor, error) {
	rows, err := tx.QueryContext(ctx, r.all())
	return cursor{rows, len(r.columns)}, err
}

// next is the next row; nil after the last.
func (c cursor) next() ([]any, error) {
	if !c.rows.Next() {
		return nil, c.rows.Err()
	}
	row, into := make([]any, c.width), make([]any, c.width)
	for i := range row {
		into[i] = &row[i]
	}
	return row, c.rows.Scan(into...)
}

func (c cursor) close() { _ = c.rows.Close() } // next has told of any error
