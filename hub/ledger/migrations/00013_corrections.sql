-- What a person says that a movement should have been: the fields that are
-- otherwise, as JSON; '' in every ruling that is no correction.

-- +goose Up
ALTER TABLE rulings ADD COLUMN corrected TEXT NOT NULL DEFAULT '';
