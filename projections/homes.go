package projections

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"slipway/events"
)

// Home is a space in its organization, with what both are called; or an organization that has no space.
type Home struct {
	Organization     events.OrganizationID
	OrganizationName string
	Space            events.SpaceID // empty: none
	SpaceName        string
}

const (
	homesOfSpaces = `SELECT s.organization, coalesce(o.name, ''), s.guid, s.name
		FROM spaces s LEFT JOIN organizations o ON o.guid = s.organization`
	homesOfOrganizations = `SELECT o.guid, o.name, coalesce(s.guid, ''), coalesce(s.name, '')
		FROM organizations o LEFT JOIN spaces s ON s.organization = o.guid`
)

// Home reads where a space is, or gives [ErrNotFound].
func (s *Store) Home(ctx context.Context, id events.SpaceID) (h Home, err error) {
	row := s.readers.QueryRowContext(ctx, homesOfSpaces+" WHERE s.guid = ?", id)
	switch err = row.Scan(&h.Organization, &h.OrganizationName, &h.Space, &h.SpaceName); {
	case errors.Is(err, sql.ErrNoRows):
		return h, ErrNotFound
	case err != nil:
		return h, fmt.Errorf("read home of space %s: %w", id, err)
	}
	return h, nil
}

// Homes reads all spaces, and the organizations without one.
func (s *Store) Homes(ctx context.Context) ([]Home, error) {
	return s.homes(ctx, homesOfOrganizations)
}

// HomesIn reads the spaces of an organization; where it has none, the organization alone; where it does not exist, nothing.
func (s *Store) HomesIn(ctx context.Context, id events.OrganizationID) ([]Home, error) {
	return s.homes(ctx, homesOfOrganizations+" WHERE o.guid = ?", id)
}

// HomesWith reads the organizations and spaces that have a quota.
func (s *Store) HomesWith(ctx context.Context, id events.QuotaID) ([]Home, error) {
	return s.homes(ctx, homesOfOrganizations+" WHERE o.quota = ? OR s.quota = ?", id, id)
}

// forsaken finds the places that apps, routes, subscriptions, policies and halts name, and that are not there. It reads them all: it is
// asked once in a while, by nobody who waits.
const forsaken = `SELECT DISTINCT t.organization, '', t.space, '' FROM (
		SELECT organization, space FROM apps UNION SELECT organization, space FROM routes
		UNION SELECT organization, space FROM subscriptions UNION SELECT organization, space FROM policies
		UNION SELECT organization, space FROM halts WHERE lifted_by = '') t
	WHERE t.organization <> '' AND (NOT EXISTS (SELECT 1 FROM organizations o WHERE o.guid = t.organization)
		OR t.space <> '' AND NOT EXISTS (SELECT 1 FROM spaces s WHERE s.guid = t.space))
	ORDER BY t.organization, t.space`

// Forsaken reads the places that are gone though something is still said to be in them, or about them, without names.
func (s *Store) Forsaken(ctx context.Context) ([]Home, error) {
	return s.homes(ctx, forsaken)
}

func (s *Store) homes(ctx context.Context, query string, args ...any) (found []Home, err error) {
	rows, err := s.readers.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read homes: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err has the error that counts
	for rows.Next() {
		var h Home
		if err := rows.Scan(&h.Organization, &h.OrganizationName, &h.Space, &h.SpaceName); err != nil {
			return nil, fmt.Errorf("read homes: %w", err)
		}
		found = append(found, h)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read homes: %w", err)
	}
	return found, nil
}

// SpaceOfApp finds the space of an app, also when the app is deleted: it never moves. Or it gives [ErrNotFound].
func (s *Store) SpaceOfApp(ctx context.Context, id events.AppID) (events.SpaceID, error) {
	a, err := s.App(ctx, id)
	if !errors.Is(err, ErrNotFound) {
		return a.Space, err
	}
	const tail = " WHERE app = ? AND type = ? ORDER BY sequence, idx LIMIT 1"
	first, err := history.one(ctx, s.readers, history.sql.all+tail, id, events.TypeAppCreated)
	if err != nil {
		return "", err
	}
	var created events.AppCreated
	if err := json.Unmarshal([]byte(first.Data), &created); err != nil {
		return "", fmt.Errorf("event %s: %w", first.ID, err)
	}
	return created.Space, nil
}
