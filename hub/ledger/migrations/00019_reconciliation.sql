-- What the last comparison with Odoo found at each branch, since when something is
-- otherwise there (0 for nothing), and what is still to be compared: start_why, where
-- a person has said so, is why Odoo's stock is to be taken as it is. result is JSON in
-- the ledger's own form. And what Odoo had of each product and lot, beyond what
-- the ledger's documents had moved, when the branch was first compared: quantities
-- in millionths of the product's own unit.

-- +goose Up
CREATE TABLE reconciled (
    branch_id   BIGINT PRIMARY KEY REFERENCES branches (id),
    began_at    BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    who         TEXT NOT NULL,
    differences BIGINT NOT NULL,
    since       BIGINT NOT NULL,
    summary     BYTEA NOT NULL,
    result      BYTEA NOT NULL
);

CREATE TABLE to_reconcile (
    branch_id BIGINT PRIMARY KEY REFERENCES branches (id),
    asked_at  BIGINT NOT NULL,
    who       TEXT NOT NULL,
    start_why TEXT NOT NULL
);

CREATE TABLE reconcile_schedule (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL
);

CREATE TABLE stock_starts (
    branch_id BIGINT PRIMARY KEY REFERENCES branches (id),
    at        BIGINT NOT NULL,
    who       TEXT NOT NULL,
    why       TEXT NOT NULL
);

CREATE TABLE stock_start_items (
    branch_id  BIGINT NOT NULL REFERENCES branches (id),
    product_id BIGINT NOT NULL,
    lot        TEXT NOT NULL,
    quantity   BIGINT NOT NULL,
    PRIMARY KEY (branch_id, product_id, lot)
);
