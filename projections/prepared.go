package projections

import (
	"context"
	"database/sql"
	"sync"
)

// prepared keeps the statements of the one connection that writes: to parse them anew for each row takes longer than to run them.
type prepared struct {
	mu    sync.Mutex // held by the transaction going on; there is one connection anyway
	known map[string]*sql.Stmt
	asked map[string]bool // that are not known yet: they cannot be prepared while the transaction has the connection
}

// writing is a transaction whose statements are prepared once for all transactions of a store.
type writing struct {
	*sql.Tx
	of *prepared
}

// begin begins a transaction; end must be called, and does nothing to one that was committed.
func (s *Store) begin(ctx context.Context) (tx writing, end func(), err error) {
	p := &s.prepared
	p.mu.Lock()
	begun, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		p.mu.Unlock()
		return writing{}, nil, err
	}
	return writing{begun, p}, func() {
		defer p.mu.Unlock()
		_ = begun.Rollback()
		p.learn(ctx, s.writer)
	}, nil
}

// learn prepares what was asked for. What fails here fails again where it is needed, which tells of it.
func (p *prepared) learn(ctx context.Context, db *sql.DB) {
	for query := range p.asked {
		if stmt, err := db.PrepareContext(ctx, query); err == nil {
			p.known[query] = stmt
		}
	}
	clear(p.asked)
}

func (w writing) stmt(ctx context.Context, query string) *sql.Stmt {
	stmt, ok := w.of.known[query]
	if !ok {
		w.of.asked[query] = true
		return nil
	}
	return w.StmtContext(ctx, stmt)
}

func (w writing) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := w.stmt(ctx, query); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return w.Tx.ExecContext(ctx, query, args...)
}

func (w writing) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := w.stmt(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return w.Tx.QueryContext(ctx, query, args...)
}

func (w writing) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := w.stmt(ctx, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return w.Tx.QueryRowContext(ctx, query, args...)
}
