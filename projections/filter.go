package projections

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"slipway/events"
)

// Page says which part of a list is wanted. The zero Page is all of it.
type Page struct {
	Number  int // from 1
	PerPage int // rows of a page
}

// maxPage keeps an absurd page number from overflowing the offset.
const maxPage = 1 << 32

func (p Page) offset() int { return p.PerPage * min(max(p.Number-1, 0), maxPage) }

// List is one page of a list.
type List[R any] struct {
	Rows     []R
	Total    int             // rows on all pages, beyond the last one too
	Sequence events.Sequence // checkpoint of the snapshot it was read from
}

// Order says by what a list is sorted. Rows that are equal in it keep their order of creation, which is also the default.
type Order struct {
	By         OrderBy
	Descending bool
}

// OrderBy is a column to sort by.
type OrderBy string

// What lists can be sorted by. Name and state are for apps.
const (
	ByPlace   OrderBy = ""
	ByCreated OrderBy = "created_at"
	ByUpdated OrderBy = "updated_at"
	ByName    OrderBy = "name"
	ByState   OrderBy = "state"
)

// sql is the ORDER BY of the order. A column that is none of ours sorts by creation: text of a caller never becomes SQL.
func (o Order) sql() string {
	direction := ""
	if o.Descending {
		direction = " DESC"
	}
	place := "created_sequence" + direction + ", created_index" + direction
	switch o.By {
	case ByCreated, ByUpdated, ByName, ByState:
		return "ORDER BY " + string(o.By) + direction + ", " + place
	default:
		return "ORDER BY " + place
	}
}

// TimeFilter is Cloud Foundry's filter by time, in whole seconds: a time stands for its whole second. All conditions must
// hold; nil means none.
type TimeFilter struct {
	Equal   []time.Time // within one of these seconds
	After   *time.Time  // gt: later than the whole second
	From    *time.Time  // gte: in the second or later
	Before  *time.Time  // lt: earlier than the second
	Through *time.Time  // lte: in the second or earlier
}

// where collects conditions that must all hold.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return "WHERE " + strings.Join(w.conditions, " AND ")
}

// in adds that the column is one of the values; no values add nothing.
func in[T any](w *where, column string, values []T) {
	if len(values) == 0 {
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	w.add(column+" IN ("+marks(len(values))+")", args...)
}

// times adds a filter by time on a column of microseconds.
func (w *where) times(column string, f TimeFilter) {
	micros := func(t time.Time) int64 { return t.Truncate(time.Second).UnixMicro() }
	next := func(t time.Time) int64 { return t.Truncate(time.Second).Add(time.Second).UnixMicro() }
	if len(f.Equal) > 0 {
		var either []string
		var args []any
		for _, t := range f.Equal {
			either = append(either, column+" >= ? AND "+column+" < ?")
			args = append(args, micros(t), next(t))
		}
		w.add("("+strings.Join(either, " OR ")+")", args...)
	}
	if f.After != nil {
		w.add(column+" >= ?", next(*f.After))
	}
	if f.From != nil {
		w.add(column+" >= ?", micros(*f.From))
	}
	if f.Before != nil {
		w.add(column+" < ?", micros(*f.Before))
	}
	if f.Through != nil {
		w.add(column+" < ?", next(*f.Through))
	}
}

// list reads one page and counts all rows, both in one snapshot.
func list[K comparable, R any](ctx context.Context, s *Store, v *view[K, R], w where, order string, p Page) (List[R], error) {
	var l List[R]
	err := s.snapshot(ctx, func(tx *sql.Tx) (err error) {
		if l.Sequence, err = checkpoint(ctx, tx); err != nil {
			return err
		}
		count := "SELECT count(*) FROM " + v.table + " " + w.sql()
		if err := tx.QueryRowContext(ctx, count, w.args...).Scan(&l.Total); err != nil {
			return fmt.Errorf("count %s: %w", v.table, err)
		}
		tail, args := w.sql()+" "+order, w.args
		if p.PerPage > 0 {
			tail += " LIMIT ? OFFSET ?"
			args = append(args, p.PerPage, p.offset())
		}
		l.Rows, err = v.find(ctx, tx, tail, args...)
		return err
	})
	return l, err
}
