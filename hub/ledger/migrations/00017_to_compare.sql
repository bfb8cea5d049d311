-- Adopted postings whose document in Odoo has not been held against their movements
-- yet, since those have still to come again.

-- +goose Up
CREATE TABLE to_compare (
    posting_id BIGINT PRIMARY KEY REFERENCES postings (id),
    adopted_at BIGINT NOT NULL
);
