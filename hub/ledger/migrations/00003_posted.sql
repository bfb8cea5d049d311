-- When a document of a kind was last posted: what it brought, Odoo knows since.

-- +goose Up
CREATE INDEX postings_posted ON postings (kind, changed_at) WHERE state = 'posted';
