-- Who wants events sent to a URL, and how that goes.

-- +goose Up
CREATE TABLE subscriptions (
    guid             TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    organization     TEXT NOT NULL,
    space            TEXT NOT NULL,
    url              TEXT NOT NULL,
    types            TEXT NOT NULL,
    content_mode     TEXT NOT NULL,
    active           BOOLEAN NOT NULL,
    generation       INTEGER NOT NULL,
    state            TEXT NOT NULL,
    labels           TEXT NOT NULL,
    annotations      TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX subscriptions_by_scope ON subscriptions (organization, space);
CREATE INDEX subscriptions_by_place ON subscriptions (created_sequence, created_index);

-- +goose Down
DROP TABLE subscriptions;
