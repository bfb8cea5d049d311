-- When a person said that what had to be done after a restore is done; 0 for not
-- yet.

-- +goose Up
ALTER TABLE restores ADD COLUMN done_at BIGINT NOT NULL DEFAULT 0;
