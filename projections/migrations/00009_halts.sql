-- Halts, and what keeps versions and automation from being deployed.

-- +goose Up
CREATE TABLE halts (
    guid             TEXT PRIMARY KEY,
    organization     TEXT NOT NULL,
    space            TEXT NOT NULL,
    reason           TEXT NOT NULL,
    declared_by      TEXT NOT NULL,
    ends_at          BIGINT NOT NULL,
    lifted_by        TEXT NOT NULL,
    lifted_at        BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX halts_by_place ON halts (created_sequence, created_index);

ALTER TABLE droplets ADD COLUMN rejected TEXT NOT NULL DEFAULT '';
ALTER TABLE revisions ADD COLUMN rejected TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN no_automation TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE apps DROP COLUMN no_automation;
ALTER TABLE revisions DROP COLUMN rejected;
ALTER TABLE droplets DROP COLUMN rejected;
DROP TABLE halts;
