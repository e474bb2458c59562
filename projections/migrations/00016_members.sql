-- A member of a group says why its deployment ended as it did, so groups from before are made anew.

-- +goose Up
INSERT INTO outdated (migration) SELECT 16 FROM checkpoint WHERE sequence > 0;

-- +goose Down
DELETE FROM outdated WHERE migration = 16;
