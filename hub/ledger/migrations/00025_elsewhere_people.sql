-- People who sign in elsewhere: the issuer of their identity, a space, and their
-- subject there; '' for those with a password here.

-- +goose Up
ALTER TABLE users ADD COLUMN elsewhere TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX users_elsewhere ON users (elsewhere) WHERE elsewhere <> '';
