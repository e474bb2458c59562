-- What governs deployments has an audit too: app and app_name are of whatever the event is about. Events that were folded before this
-- migration are not in it until a rebuild.

-- +goose Up
ALTER TABLE audit_events ADD COLUMN target_type TEXT NOT NULL DEFAULT 'app';
ALTER TABLE audit_events RENAME COLUMN app TO target;
ALTER TABLE audit_events RENAME COLUMN app_name TO target_name;
CREATE INDEX audit_events_by_organization ON audit_events (organization, created_at, created_sequence, created_index);

-- +goose Down
DROP INDEX audit_events_by_organization;
ALTER TABLE audit_events RENAME COLUMN target_name TO app_name;
ALTER TABLE audit_events RENAME COLUMN target TO app;
ALTER TABLE audit_events DROP COLUMN target_type;
