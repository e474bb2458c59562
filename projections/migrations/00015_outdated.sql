-- What a view says of events that were folded before may change with a migration. It adds a row here then, and a projector that starts
-- makes all views anew. What 00014 tells of what governs deployments is the first.

-- +goose Up
CREATE TABLE outdated (
    migration INTEGER PRIMARY KEY
);
INSERT INTO outdated (migration) SELECT 14 FROM checkpoint WHERE sequence > 0;

-- +goose Down
DROP TABLE outdated;
