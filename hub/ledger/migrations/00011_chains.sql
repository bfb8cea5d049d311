-- What a document in Odoo says of the chain after each of its runs (empty for what
-- was posted from this ledger, or says nothing), and whether the ledger's own chain
-- is the same there: 0 not known yet, 1 it is, 2 it is not. And the streams that go
-- on no further, since their branch was put back behind what is in Odoo: from
-- first_seq on, and in all that came after the batch, an event from before noted_at
-- may be one that is in Odoo.

-- +goose Up
ALTER TABLE posting_sets ADD COLUMN chain TEXT NOT NULL DEFAULT '';
ALTER TABLE posting_sets ADD COLUMN verdict SMALLINT NOT NULL DEFAULT 0;

CREATE TABLE forks (
    stream_id  BIGINT PRIMARY KEY REFERENCES streams (id),
    posting_id BIGINT NOT NULL,
    first_seq  BIGINT NOT NULL,
    batch_id   BIGINT NOT NULL,
    noted_at   BIGINT NOT NULL
);
