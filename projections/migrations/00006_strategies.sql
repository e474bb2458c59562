-- Stored deployment strategies.

-- +goose Up
CREATE TABLE strategies (
    guid             TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    description      TEXT NOT NULL,
    growth           TEXT NOT NULL,
    replicate_to     TEXT NOT NULL,
    tags             TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX strategies_by_place ON strategies (created_sequence, created_index);

-- +goose Down
DROP TABLE strategies;
