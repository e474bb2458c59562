package projections

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date. A lock beside the file lets only one process at a time do so: goose has locks for
// PostgreSQL but none for SQLite.
func migrate(ctx context.Context, path string, db *sql.DB) (err error) {
	unlock, err := lock(ctx, path+".lock", io.Discard)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil { // the provider is not closed: that would close db
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
