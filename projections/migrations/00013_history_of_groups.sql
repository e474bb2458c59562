-- The events of groups, by group.

-- +goose Up
CREATE INDEX history_of_groups ON history (subject, sequence, idx) WHERE type LIKE 'group.%';

-- +goose Down
DROP INDEX history_of_groups;
