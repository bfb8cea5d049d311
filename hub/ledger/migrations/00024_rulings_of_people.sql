-- What people decided lately about what branches could not read: branches are told
-- of it.

-- +goose Up
CREATE INDEX rulings_of_people ON rulings (at) WHERE what > 1 AND stage = 'projection';
