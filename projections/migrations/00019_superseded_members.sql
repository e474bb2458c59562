-- A member of a group says what goes on in its place where it was superseded, so groups from before are made anew.

-- +goose Up
INSERT INTO outdated (migration) SELECT 19 FROM checkpoint WHERE sequence > 0;

-- +goose Down
DELETE FROM outdated WHERE migration = 19;
