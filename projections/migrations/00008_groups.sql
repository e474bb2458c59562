-- Groups of deployments, and which deployment is a member of one.

-- +goose Up
CREATE TABLE deployment_groups (
    guid             TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    organization     TEXT NOT NULL,
    spaces           TEXT NOT NULL,
    status           TEXT NOT NULL,
    members          TEXT NOT NULL,
    course           TEXT NOT NULL,
    directive        TEXT NOT NULL,
    created_by       TEXT NOT NULL,
    labels           TEXT NOT NULL,
    annotations      TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX deployment_groups_by_place ON deployment_groups (created_sequence, created_index);
ALTER TABLE deployments ADD COLUMN deployment_group TEXT NOT NULL DEFAULT '';
CREATE INDEX deployments_by_group ON deployments (deployment_group) WHERE deployment_group <> '';

-- +goose Down
DROP INDEX deployments_by_group;
ALTER TABLE deployments DROP COLUMN deployment_group;
DROP TABLE deployment_groups;
