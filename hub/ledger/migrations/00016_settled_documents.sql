-- Documents of ours in Odoo that could not be adopted, about which a person has said
-- that what they moved is put right there: they count for nothing any more.

-- +goose Up
CREATE TABLE settled_documents (
    odoo_id    BIGINT PRIMARY KEY,
    odoo_model TEXT NOT NULL,
    odoo_name  TEXT NOT NULL,
    who        TEXT NOT NULL,
    why        TEXT NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX settled_documents_name ON settled_documents (odoo_name);
