-- Halts have labels and annotations.

-- +goose Up
ALTER TABLE halts ADD COLUMN labels TEXT NOT NULL DEFAULT 'null';
ALTER TABLE halts ADD COLUMN annotations TEXT NOT NULL DEFAULT 'null';

-- +goose Down
ALTER TABLE halts DROP COLUMN annotations;
ALTER TABLE halts DROP COLUMN labels;
