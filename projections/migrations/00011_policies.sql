-- Policies over deployment requests.

-- +goose Up
CREATE TABLE policies (
    guid             TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    organization     TEXT NOT NULL,
    space            TEXT NOT NULL,
    rule             TEXT NOT NULL,
    outcome          TEXT NOT NULL,
    labels           TEXT NOT NULL,
    annotations      TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX policies_by_place ON policies (created_sequence, created_index);

-- +goose Down
DROP TABLE policies;
