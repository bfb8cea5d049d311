-- How far Odoo has been searched for documents of a branch that the ledger might
-- not know: all that were written there before through, by Odoo's own clock, have
-- been looked at. branch '' stands for all. A branch without a row never was.

-- +goose Up
CREATE TABLE searched (
    branch  TEXT PRIMARY KEY,
    through BIGINT NOT NULL
);
