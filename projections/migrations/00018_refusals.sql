-- What a member refused is told until the group is directed anew, so groups from before are made anew.

-- +goose Up
INSERT INTO outdated (migration) SELECT 18 FROM checkpoint WHERE sequence > 0;

-- +goose Down
DELETE FROM outdated WHERE migration = 18;
