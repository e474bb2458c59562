-- What people did to apps and what became of it, in Cloud Foundry's words: events that were folded before this migration are not
-- in it until a rebuild. And what the droplets of an app are.

-- +goose Up
CREATE TABLE audit_events (
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    guid             TEXT NOT NULL,
    type             TEXT NOT NULL,
    app              TEXT NOT NULL,
    app_name         TEXT NOT NULL,
    space            TEXT NOT NULL,
    organization     TEXT NOT NULL,
    actor            TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    data             TEXT NOT NULL,
    PRIMARY KEY (created_sequence, created_index)
);
CREATE INDEX audit_events_by_guid ON audit_events (guid);
CREATE INDEX audit_events_by_app ON audit_events (app, created_at, created_sequence, created_index);
CREATE INDEX audit_events_by_type ON audit_events (type, created_sequence, created_index);
CREATE INDEX audit_events_by_space ON audit_events (space, created_at, created_sequence, created_index);
CREATE INDEX audit_events_by_created ON audit_events (created_at, created_sequence, created_index);

ALTER TABLE apps ADD COLUMN lifecycle TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE apps DROP COLUMN lifecycle;
DROP TABLE audit_events;
