-- +goose Up
ALTER TABLE deployments ADD COLUMN rolled_back_to TEXT NOT NULL DEFAULT '';
ALTER TABLE deployments ADD COLUMN step BIGINT NOT NULL DEFAULT 0;
