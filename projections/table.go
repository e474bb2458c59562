package projections

import (
	"context"
	"errors"
	"fmt"
	"maps"
)

// table is the part of a view that one batch touches. Its rows are read before the fold, changed in memory as often as
// events say, and written once.
type table[K comparable, R any] struct {
	view       *view[K, R]
	rows       map[K]*cell[R]
	selections []selection
}

// cell is one row of a batch.
type cell[R any] struct {
	row     *R // nil: there is none, or not any more
	stored  bool
	changed bool
	labels  labelsOf // as they stand in the database
}

// selection is all rows for which an SQL condition holds.
type selection struct {
	condition string
	args      []any
}

func newTable[K comparable, R any](v *view[K, R]) table[K, R] {
	return table[K, R]{view: v, rows: map[K]*cell[R]{}}
}

// want says before the fold that it may ask for this row. The zero key is that of none.
func (t *table[K, R]) want(key K) {
	var none K
	if key != none {
		t.cell(key)
	}
}

func (t *table[K, R]) cell(key K) *cell[R] {
	c, ok := t.rows[key]
	if !ok {
		c = &cell[R]{}
		t.rows[key] = c
	}
	return c
}

// wantAll says before the fold that it may ask for all rows for which the condition holds.
func (t *table[K, R]) wantAll(condition string, args ...any) {
	t.selections = append(t.selections, selection{condition, args})
}

// get is the row as it stands now, nil where there is none.
func (t *table[K, R]) get(key K) *R {
	if c, ok := t.rows[key]; ok {
		return c.row
	}
	return nil
}

// edit is get for a row that is about to be changed.
func (t *table[K, R]) edit(key K) *R {
	c, ok := t.rows[key]
	if !ok || c.row == nil {
		return nil
	}
	c.changed = true
	return c.row
}

// put adds a row or replaces it.
func (t *table[K, R]) put(row R) {
	c := t.cell(t.view.key(&row))
	c.row, c.changed = &row, true
}

// add is put for a row that is new. One that is there already stays as it is, and the error says so.
func (t *table[K, R]) add(row R) error {
	if key := t.view.key(&row); t.get(key) != nil {
		return fmt.Errorf("%s %v exists already", t.view.kind, key)
	}
	t.put(row)
	return nil
}

// change changes a row that has a stamp, or says that there is none.
func (t *table[K, R]) change(m moment, key K, how func(*R)) error {
	row := t.edit(key)
	if row == nil {
		return t.unknown(key)
	}
	how(row)
	t.view.stamp(row).touch(m)
	return nil
}

// drop removes a row, or says that there is none.
func (t *table[K, R]) drop(key K) error {
	if t.get(key) == nil {
		return t.unknown(key)
	}
	t.remove(key)
	return nil
}

func (t *table[K, R]) unknown(key K) error { return fmt.Errorf("%s %v is unknown", t.view.kind, key) }

func (t *table[K, R]) remove(key K) {
	if c, ok := t.rows[key]; ok && c.row != nil {
		c.row, c.changed = nil, true
	}
}

// removeIf removes all rows of the batch that fit. Rows of the database must have been asked for with wantAll.
func (t *table[K, R]) removeIf(fits func(*R) bool) {
	for key, c := range t.rows {
		if c.row != nil && fits(c.row) {
			t.remove(key)
		}
	}
}

// editIf changes all rows of the batch that fit. Rows of the database must have been asked for with wantAll.
func (t *table[K, R]) editIf(fits func(*R) bool, change func(*R)) {
	for _, c := range t.rows {
		if c.row != nil && fits(c.row) {
			change(c.row)
			c.changed = true
		}
	}
}

// load reads all rows that were asked for.
func (t *table[K, R]) load(ctx context.Context, tx writing) error {
	for key, c := range t.rows {
		row, err := t.view.get(ctx, tx, key)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return err
		default:
			t.loaded(c, row)
		}
	}
	for _, s := range t.selections {
		rows, err := t.view.find(ctx, tx, "WHERE "+s.condition, s.args...)
		if err != nil {
			return err
		}
		for _, row := range rows {
			t.loaded(t.cell(t.view.key(&row)), row)
		}
	}
	return nil
}

func (t *table[K, R]) loaded(c *cell[R], row R) {
	c.row, c.stored = &row, true
	if t.view.metadata != nil {
		c.labels = t.view.metadata(&row).Labels
	}
}

// store writes all rows that changed.
func (t *table[K, R]) store(ctx context.Context, tx writing) error {
	for key, c := range t.rows {
		if !c.changed {
			continue
		}
		if err := t.write(ctx, tx, key, c); err != nil {
			return fmt.Errorf("write %s: %w", t.view.table, err)
		}
	}
	return nil
}

func (t *table[K, R]) write(ctx context.Context, tx writing, key K, c *cell[R]) error {
	if err := t.writeLabels(ctx, tx, key, c); err != nil {
		return err
	}
	switch {
	case c.row != nil:
		_, err := tx.ExecContext(ctx, t.view.sql.put, t.view.values(c.row)...)
		return err
	case c.stored:
		_, err := tx.ExecContext(ctx, t.view.sql.del, t.view.where(key)...)
		return err
	default:
		return nil // it came and went within the batch
	}
}

func (t *table[K, R]) writeLabels(ctx context.Context, tx writing, key K, c *cell[R]) error {
	if t.view.metadata == nil {
		return nil
	}
	var labels labelsOf
	if c.row != nil {
		labels = t.view.metadata(c.row).Labels
	}
	if maps.Equal(labels, c.labels) {
		return nil
	}
	return replaceLabels(ctx, tx, t.view.table, t.view.where(key)[0], labels)
}
