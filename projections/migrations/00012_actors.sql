-- Who did what.

-- +goose Up
CREATE INDEX audit_events_by_actor ON audit_events (actor, created_at, created_sequence, created_index);

-- +goose Down
DROP INDEX audit_events_by_actor;
