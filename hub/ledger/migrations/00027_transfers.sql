-- Documents of Odoo by the number of the transfer that they are of.

-- +goose Up
CREATE INDEX postings_transfer ON postings (document_ref) WHERE document_type = 'transfer';
