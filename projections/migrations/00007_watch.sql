-- What a rollout waits for, what watches it, and why it failed.

-- +goose Up
ALTER TABLE deployments ADD COLUMN watch TEXT NOT NULL DEFAULT '{}';

-- +goose Down
ALTER TABLE deployments DROP COLUMN watch;
