-- The read models. Times are microseconds since 1970 in UTC. A row's place is where in the log it was created: the
-- sequence of the commit and the index of the event in it; sequence is that of the last commit that changed the row.
-- Plain SQL that PostgreSQL takes as well, so that it can follow with the same files.

-- +goose Up
CREATE TABLE checkpoint (
    id       BIGINT PRIMARY KEY,
    sequence BIGINT NOT NULL
);
INSERT INTO checkpoint (id, sequence) VALUES (1, 0);

CREATE TABLE apps (
    guid             TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    space            TEXT NOT NULL,
    organization     TEXT NOT NULL,
    state            TEXT NOT NULL,
    droplet          TEXT NOT NULL,
    deployment       TEXT NOT NULL,
    environment      TEXT NOT NULL,
    labels           TEXT NOT NULL,
    annotations      TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX apps_by_name ON apps (name, space);
CREATE INDEX apps_by_space ON apps (space, created_sequence, created_index);
CREATE INDEX apps_by_place ON apps (created_sequence, created_index);
CREATE INDEX apps_by_created ON apps (created_at, created_sequence, created_index);
CREATE INDEX apps_by_updated ON apps (updated_at, created_sequence, created_index);

CREATE TABLE processes (
    guid             TEXT PRIMARY KEY,
    app              TEXT NOT NULL,
    type             TEXT NOT NULL,
    command          TEXT NOT NULL,
    custom           BOOLEAN NOT NULL,
    instances        BIGINT NOT NULL,
    memory_mb        BIGINT NOT NULL,
    disk_mb          BIGINT NOT NULL,
    log_rate         BIGINT NOT NULL,
    health_check     TEXT NOT NULL,
    droplet          TEXT NOT NULL,
    revision         TEXT NOT NULL,
    deployment       TEXT NOT NULL,
    generation       BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX processes_by_app ON processes (app, type, created_sequence, created_index);
CREATE INDEX processes_by_place ON processes (created_sequence, created_index);

CREATE TABLE instances (
    process      TEXT NOT NULL,
    idx          BIGINT NOT NULL,
    app          TEXT NOT NULL,
    instance     TEXT NOT NULL,
    agent        TEXT NOT NULL,
    generation   BIGINT NOT NULL,
    state        TEXT NOT NULL,
    routable     BOOLEAN NOT NULL,
    address      TEXT NOT NULL,
    reason       TEXT NOT NULL,
    crashes      BIGINT NOT NULL,
    exit_status  TEXT NOT NULL,
    since        BIGINT NOT NULL,
    sequence     BIGINT NOT NULL,
    PRIMARY KEY (process, idx)
);
CREATE INDEX instances_by_app ON instances (app);

CREATE TABLE droplets (
    guid             TEXT PRIMARY KEY,
    app              TEXT NOT NULL,
    state            TEXT NOT NULL,
    process_types    TEXT NOT NULL,
    sha256           TEXT NOT NULL,
    size_bytes       BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX droplets_by_app ON droplets (app, created_sequence, created_index);
CREATE INDEX droplets_by_place ON droplets (created_sequence, created_index);

CREATE TABLE revisions (
    guid             TEXT PRIMARY KEY,
    app              TEXT NOT NULL,
    number           BIGINT NOT NULL,
    droplet          TEXT NOT NULL,
    environment      TEXT NOT NULL,
    commands         TEXT NOT NULL,
    types            TEXT NOT NULL,
    description      TEXT NOT NULL,
    deployment       TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX revisions_by_app ON revisions (app, created_sequence, created_index);
CREATE INDEX revisions_by_number ON revisions (app, number);

CREATE TABLE deployments (
    guid               TEXT PRIMARY KEY,
    app                TEXT NOT NULL,
    state              TEXT NOT NULL,
    status_value       TEXT NOT NULL,
    status_reason      TEXT NOT NULL,
    strategy           TEXT NOT NULL,
    options            TEXT NOT NULL,
    plan               TEXT NOT NULL,
    original_instances BIGINT NOT NULL,
    target             BIGINT NOT NULL,
    floor              BIGINT NOT NULL,
    droplet            TEXT NOT NULL,
    previous_droplet   TEXT NOT NULL,
    revision           TEXT NOT NULL,
    revision_number    BIGINT NOT NULL,
    process            TEXT NOT NULL,
    new_processes      TEXT NOT NULL,
    superseded_by      TEXT NOT NULL,
    kept_process       TEXT NOT NULL,
    error              TEXT NOT NULL,
    last_healthy_at    BIGINT NOT NULL,
    last_status_change BIGINT NOT NULL,
    labels             TEXT NOT NULL,
    annotations        TEXT NOT NULL,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    created_sequence   BIGINT NOT NULL,
    created_index      BIGINT NOT NULL,
    sequence           BIGINT NOT NULL
);
CREATE INDEX deployments_by_app ON deployments (app, created_sequence, created_index);
CREATE INDEX deployments_by_place ON deployments (created_sequence, created_index);
CREATE INDEX deployments_by_value ON deployments (status_value, created_sequence, created_index);
CREATE INDEX deployments_by_value_created ON deployments (status_value, created_at, created_sequence, created_index);
CREATE INDEX deployments_by_reason ON deployments (status_reason, created_sequence, created_index);
CREATE INDEX deployments_by_state ON deployments (state, created_sequence, created_index);
CREATE INDEX deployments_by_created ON deployments (created_at, created_sequence, created_index);
CREATE INDEX deployments_by_updated ON deployments (updated_at, created_sequence, created_index);

CREATE TABLE labels (
    resource TEXT NOT NULL,
    guid     TEXT NOT NULL,
    label    TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (resource, guid, label)
);
CREATE INDEX labels_by_value ON labels (resource, label, value, guid);

CREATE TABLE history (
    sequence   BIGINT NOT NULL,
    idx        BIGINT NOT NULL,
    event_id   TEXT NOT NULL,
    type       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    app        TEXT NOT NULL,
    deployment TEXT NOT NULL,
    process    TEXT NOT NULL,
    actor      TEXT NOT NULL,
    cause      TEXT NOT NULL,
    at         BIGINT NOT NULL,
    data       TEXT NOT NULL,
    PRIMARY KEY (sequence, idx)
);
CREATE INDEX history_by_event ON history (event_id);
CREATE INDEX history_by_app ON history (app, sequence, idx);
CREATE INDEX history_by_deployment ON history (deployment, sequence, idx);

CREATE TABLE anomalies (
    sequence BIGINT NOT NULL,
    idx      BIGINT NOT NULL,
    type     TEXT NOT NULL,
    problem  TEXT NOT NULL,
    PRIMARY KEY (sequence, idx)
);

-- +goose Down
DROP TABLE anomalies;
DROP TABLE history;
DROP TABLE labels;
DROP TABLE deployments;
DROP TABLE revisions;
DROP TABLE droplets;
DROP TABLE instances;
DROP TABLE processes;
DROP TABLE apps;
DROP TABLE checkpoint;
