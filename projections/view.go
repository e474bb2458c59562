package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"slipway/events"
)

// view describes one table and what a row of it is in Go.
type view[K comparable, R any] struct {
	table    string
	kind     string                    // what one row is, for people
	keys     int                       // how many of the columns, from the first, are the key; 0: one
	key      func(*R) K                // the key of a row
	where    func(K) []any             // the values of the key columns; nil: the key is the one value
	columns  func(*R) []column         // the columns, in one order, but for these:
	metadata func(*R) *events.Metadata // to look rows up by their labels; nil for a view without
	stamp    func(*R) *Stamp           // nil for a view without
	sql      struct{ all, get, put, del string }
}

// labelsOf is the labels of one resource.
type labelsOf map[string]string

// ready writes the view's statements, once.
func (v view[K, R]) ready() *view[K, R] {
	if v.where == nil {
		v.keys, v.where = 1, func(key K) []any { return []any{key} }
	}
	names := v.names()
	key := strings.Join(names[:v.keys], " = ? AND ") + " = ?"
	sets := make([]string, 0, len(names))
	for _, name := range names[v.keys:] {
		sets = append(sets, name+" = excluded."+name)
	}
	v.sql.all = "SELECT " + strings.Join(names, ", ") + " FROM " + v.table
	v.sql.get = v.sql.all + " WHERE " + key
	v.sql.put = fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s) ON CONFLICT (%s) DO UPDATE SET %s", v.table,
		strings.Join(names, ", "), strings.Repeat(", ?", len(names)-1), strings.Join(names[:v.keys], ", "), strings.Join(sets, ", "))
	v.sql.del = "DELETE FROM " + v.table + " WHERE " + key
	return &v
}

func (v view[K, R]) names() []string {
	var zero R
	var names []string
	for _, c := range v.all(&zero) {
		names = append(names, c.name)
	}
	return names
}

// all is all columns of a row.
func (v *view[K, R]) all(row *R) []column {
	columns := v.columns(row)
	if v.metadata != nil {
		of := v.metadata(row)
		columns = append(columns, column{"labels", asJSON(&of.Labels)}, column{"annotations", asJSON(&of.Annotations)})
	}
	if v.stamp != nil {
		columns = append(columns, v.stamp(row).columns()...)
	}
	return columns
}

func (v *view[K, R]) values(row *R) []any {
	columns := v.all(row)
	values := make([]any, len(columns))
	for i, c := range columns {
		values[i] = c.value
	}
	return values
}

// get reads one row; [ErrNotFound] where there is none.
func (v *view[K, R]) get(ctx context.Context, q queryer, key K) (R, error) {
	return v.one(ctx, q, v.sql.get, v.where(key)...)
}

// one reads the first row that a SELECT of all columns finds.
func (v *view[K, R]) one(ctx context.Context, q queryer, query string, args ...any) (R, error) {
	var row R
	err := q.QueryRowContext(ctx, query, args...).Scan(v.values(&row)...)
	if errors.Is(err, sql.ErrNoRows) {
		return row, ErrNotFound
	}
	if err != nil {
		return row, fmt.Errorf("read %s: %w", v.table, err)
	}
	return row, nil
}

// find reads all rows that a tail of the SELECT ("WHERE ... ORDER BY ...") names.
func (v *view[K, R]) find(ctx context.Context, q queryer, tail string, args ...any) ([]R, error) {
	rows, err := q.QueryContext(ctx, v.sql.all+" "+tail, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", v.table, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err has the error that counts
	found := []R{}
	for rows.Next() {
		var row R
		if err := rows.Scan(v.values(&row)...); err != nil {
			return nil, fmt.Errorf("read %s: %w", v.table, err)
		}
		found = append(found, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", v.table, err)
	}
	return found, nil
}
