-- How often what codes mean was changed, so that no plan is carried out that was
-- made by what they meant before; and which aliases nobody has looked at since the
-- ledger was put back, whatever the clock said then.

-- +goose Up
CREATE TABLE alias_generation (
    id BIGINT PRIMARY KEY,
    n  BIGINT NOT NULL
);
INSERT INTO alias_generation (id, n) VALUES (1, 0);

ALTER TABLE aliases ADD COLUMN held SMALLINT NOT NULL DEFAULT 0;
UPDATE aliases SET held = 1 WHERE at <= (SELECT COALESCE(MAX(noted_at), 0) FROM restores);
