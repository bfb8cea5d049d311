-- What people have released: refusals that no longer hold for a movement.

-- +goose Up
CREATE INDEX rulings_release ON rulings (movement_id) WHERE stage = 'release';
