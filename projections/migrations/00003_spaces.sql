-- Organizations, spaces, quotas, domains and routes.

-- +goose Up
CREATE TABLE organizations (
    guid             TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    quota            TEXT NOT NULL,
    labels           TEXT NOT NULL,
    annotations      TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX organizations_by_name ON organizations (name, created_sequence, created_index);
CREATE INDEX organizations_by_quota ON organizations (quota);
CREATE INDEX organizations_by_place ON organizations (created_sequence, created_index);

CREATE TABLE spaces (
    guid             TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    organization     TEXT NOT NULL,
    quota            TEXT NOT NULL,
    labels           TEXT NOT NULL,
    annotations      TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX spaces_by_organization ON spaces (organization, name);
CREATE INDEX spaces_by_name ON spaces (name, created_sequence, created_index);
CREATE INDEX spaces_by_quota ON spaces (quota);
CREATE INDEX spaces_by_place ON spaces (created_sequence, created_index);

CREATE TABLE quotas (
    guid             TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    organization     TEXT NOT NULL,
    limits           TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX quotas_by_organization ON quotas (organization, created_sequence, created_index);
CREATE INDEX quotas_by_name ON quotas (name, created_sequence, created_index);

CREATE TABLE domains (
    guid             TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    organization     TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX domains_by_place ON domains (created_sequence, created_index);

CREATE TABLE routes (
    guid             TEXT PRIMARY KEY,
    space            TEXT NOT NULL,
    organization     TEXT NOT NULL,
    domain           TEXT NOT NULL,
    host             TEXT NOT NULL,
    url              TEXT NOT NULL,
    labels           TEXT NOT NULL,
    annotations      TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL
);
CREATE INDEX routes_by_space ON routes (space, created_sequence, created_index);
CREATE INDEX routes_by_organization ON routes (organization);
CREATE INDEX routes_by_host ON routes (host, domain);
CREATE INDEX routes_by_place ON routes (created_sequence, created_index);

CREATE TABLE destinations (
    route            TEXT NOT NULL,
    guid             TEXT NOT NULL,
    app              TEXT NOT NULL,
    process_type     TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    created_sequence BIGINT NOT NULL,
    created_index    BIGINT NOT NULL,
    sequence         BIGINT NOT NULL,
    PRIMARY KEY (route, guid)
);
CREATE INDEX destinations_by_app ON destinations (app, route);

CREATE INDEX apps_by_organization ON apps (organization, created_sequence, created_index);
CREATE INDEX history_of_deletions ON history (subject)
    WHERE type IN ('organization.deleted', 'space.deleted', 'quota.deleted', 'route.deleted');

-- +goose Down
DROP INDEX history_of_deletions;
DROP INDEX apps_by_organization;
DROP TABLE destinations;
DROP TABLE routes;
DROP TABLE domains;
DROP TABLE quotas;
DROP TABLE spaces;
DROP TABLE organizations;
