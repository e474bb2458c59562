-- What clients need beside the main job: packages and builds, what a droplet was built of (nothing where it was uploaded), and
-- the features of apps.

-- +goose Up
CREATE TABLE packages (
    guid             TEXT PRIMARY KEY,
    app              TEXT NOT NULL,
    type             TEXT NOT NULL,
    state            TEXT NOT NULL,
    image            TEXT NOT NULL,
    sha256           TEXT NOT NULL,
    size_bytes       BIGINT NOT NULL,
    labels           TEXT NOT NULL,
    annotations      TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX packages_by_app ON packages (app, created_sequence, created_index);
CREATE INDEX packages_by_app_created ON packages (app, created_at, created_sequence, created_index);
CREATE INDEX packages_by_place ON packages (created_sequence, created_index);

CREATE TABLE builds (
    guid             TEXT PRIMARY KEY,
    app              TEXT NOT NULL,
    package          TEXT NOT NULL,
    droplet          TEXT NOT NULL,
    image            TEXT NOT NULL,
    state            TEXT NOT NULL,
    error            TEXT NOT NULL,
    actor            TEXT NOT NULL,
    labels           TEXT NOT NULL,
    annotations      TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX builds_by_app ON builds (app, created_sequence, created_index);
CREATE INDEX builds_by_package ON builds (package, created_sequence, created_index);
CREATE INDEX builds_by_place ON builds (created_sequence, created_index);

ALTER TABLE droplets ADD COLUMN image TEXT NOT NULL DEFAULT '';
ALTER TABLE droplets ADD COLUMN package TEXT NOT NULL DEFAULT '';
ALTER TABLE droplets ADD COLUMN build TEXT NOT NULL DEFAULT '';
CREATE INDEX droplets_by_package ON droplets (package, created_sequence, created_index);

ALTER TABLE apps ADD COLUMN no_revisions BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE apps DROP COLUMN no_revisions;
DROP INDEX droplets_by_package;
ALTER TABLE droplets DROP COLUMN build;
ALTER TABLE droplets DROP COLUMN package;
ALTER TABLE droplets DROP COLUMN image;
DROP TABLE builds;
DROP TABLE packages;
