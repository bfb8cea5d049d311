-- What the projector makes of the batches, rulings and postings. All of it can
-- be dropped and made again, so a change here needs no migration: Open sees
-- that this text has changed and has it built anew. Quantities are millionths;
-- times are milliseconds since 1970 UTC; dates are YYYY-MM-DD; '' and 0 stand
-- for nothing.

-- made_to is the last batch that there was when the tables were dropped: until
-- batch_id has come to it, they do not yet say what is so.
CREATE TABLE projection (
    id       BIGINT PRIMARY KEY,
    batch_id BIGINT NOT NULL,
    form     TEXT NOT NULL,
    made_to  BIGINT NOT NULL
);

CREATE TABLE products (
    id     BIGINT PRIMARY KEY,
    scheme TEXT NOT NULL,
    code   TEXT NOT NULL
);
CREATE UNIQUE INDEX products_code ON products (code, scheme);

-- id is the stream's id * 2^40 + seq, so that a movement is found by its place
-- and a run of a stream is a range. counts is 1 where it moves the stock.
CREATE TABLE movements (
    id              BIGINT PRIMARY KEY,
    branch_id       BIGINT NOT NULL,
    kind            SMALLINT NOT NULL,
    state           SMALLINT NOT NULL,
    counts          SMALLINT NOT NULL,
    product_id      BIGINT NOT NULL,
    lot             TEXT NOT NULL,
    expiry          TEXT NOT NULL,
    serial          TEXT NOT NULL,
    quantity        BIGINT NOT NULL,
    unit            TEXT NOT NULL,
    occurred_at     BIGINT NOT NULL,
    occurred_offset SMALLINT NOT NULL,
    recorded_at     BIGINT NOT NULL,
    document_type   TEXT NOT NULL,
    document_ref    TEXT NOT NULL,
    counterpart     TEXT NOT NULL,
    reason          TEXT NOT NULL,
    group_id        BIGINT NOT NULL,
    posting_id      BIGINT NOT NULL,
    paper           TEXT NOT NULL -- number and line of the form from which it was typed in, "D7K2M9Q4X/3"
);
CREATE INDEX movements_pending ON movements (branch_id, kind, group_id, id, recorded_at) WHERE state = 1;
CREATE INDEX movements_item ON movements (lot, product_id, branch_id);
-- What waits for a person.
CREATE INDEX movements_waiting ON movements (lot, id) WHERE state = 4;
CREATE INDEX movements_branch ON movements (branch_id, occurred_at);
CREATE INDEX movements_product ON movements (product_id, occurred_at);
CREATE INDEX movements_document ON movements (document_ref) WHERE document_ref <> '';
-- What goes from branch to branch.
CREATE INDEX movements_transfer ON movements (recorded_at, document_ref) WHERE document_type = 'transfer';
CREATE INDEX movements_unnumbered ON movements (counterpart, branch_id, recorded_at) WHERE counterpart <> '' AND document_type <> 'transfer';
CREATE INDEX movements_group ON movements (group_id) WHERE group_id > 0;
-- What was confirmed with a session and belongs to no group: packs with a serial.
CREATE INDEX movements_apart ON movements (branch_id, recorded_at) WHERE group_id = 0 AND document_type = 'session';
CREATE INDEX movements_serial ON movements (serial) WHERE serial <> '';

-- The first movement of each natural key; content is a fingerprint, with the time of the event, of what
-- must be equal when it is read again; problem is 1 where the branch was not certain of it.
CREATE TABLE natural_keys (
    branch_id   BIGINT NOT NULL,
    natural_key TEXT NOT NULL,
    movement_id BIGINT NOT NULL,
    content     BIGINT NOT NULL,
    problem     SMALLINT NOT NULL,
    PRIMARY KEY (branch_id, natural_key)
) /* WITHOUT ROWID */;

-- What a branch's own people decided about a capture with a problem, by that
-- one's natural key; movement_id is the first record that says so. waits is 1 until
-- that capture has come, too.
CREATE TABLE settlements (
    branch_id   BIGINT NOT NULL,
    settled_key TEXT NOT NULL,
    movement_id BIGINT NOT NULL,
    dismissed   SMALLINT NOT NULL,
    who         TEXT NOT NULL,
    why         TEXT NOT NULL,
    at          BIGINT NOT NULL,
    waits       SMALLINT NOT NULL,
    PRIMARY KEY (branch_id, settled_key)
) /* WITHOUT ROWID */;
CREATE INDEX settlements_movement ON settlements (movement_id);
CREATE INDEX settlements_waiting ON settlements (branch_id) WHERE waits = 1;

-- Bad rows of exports that people at the hub have corrected, or that are in a
-- document, by the key of the row itself: it must not be counted again when it
-- comes readable (bad is 0), or as bad in another way. Of rows without a key it is
-- where they stand.
CREATE TABLE same_row (
    id          BIGINT PRIMARY KEY,
    branch_id   BIGINT NOT NULL,
    natural_key TEXT NOT NULL,
    bad         SMALLINT NOT NULL
);
CREATE INDEX same_row_key ON same_row (branch_id, natural_key);

-- Lines of printed forms, by the branch that typed them in: the first record of each,
-- and the batch in which it came. held is 1 where it was in a document of Odoo by then.
CREATE TABLE form_lines (
    form      TEXT NOT NULL,
    line      BIGINT NOT NULL,
    branch_id BIGINT NOT NULL,
    id        BIGINT NOT NULL,
    batch_id  BIGINT NOT NULL,
    held      SMALLINT NOT NULL,
    PRIMARY KEY (form, line, branch_id)
) /* WITHOUT ROWID */;

-- Later movements with the natural key and the content of a first one that are in
-- a document, found in Odoo: the first gives way to them, or is there, too.
CREATE TABLE held_repeats (
    id       BIGINT PRIMARY KEY,
    first_id BIGINT NOT NULL
);
CREATE INDEX held_repeats_first ON held_repeats (first_id);

-- Complete when come has reached size.
CREATE TABLE groups (
    id        BIGINT PRIMARY KEY,
    branch_id BIGINT NOT NULL,
    epoch     TEXT NOT NULL,
    name      TEXT NOT NULL,
    size      BIGINT NOT NULL,
    come      BIGINT NOT NULL,
    last_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX groups_name ON groups (branch_id, epoch, name);
CREATE INDEX groups_lately ON groups (branch_id, last_at);

-- Movements that did not fit the size of their group when they came.
CREATE TABLE misfits (
    id BIGINT PRIMARY KEY
);

-- Open exceptions only. id is the movement's, or the place of the first lost
-- record, and last_seq then the last lost one's seq.
CREATE TABLE exceptions (
    id         BIGINT PRIMARY KEY,
    branch_id  BIGINT NOT NULL,
    stage      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    field      TEXT NOT NULL,
    text       TEXT NOT NULL,
    hint       TEXT NOT NULL,
    since      BIGINT NOT NULL,
    last_seq   BIGINT NOT NULL,
    posting_id BIGINT NOT NULL
);
CREATE INDEX exceptions_branch ON exceptions (branch_id, reason, since);

-- Batches that no longer open; received_at is when they came. An event from before
-- then may have been in one.
CREATE TABLE damaged (
    batch_id    BIGINT PRIMARY KEY,
    branch_id   BIGINT NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX damaged_branch ON damaged (branch_id);

-- Movements that the projector must look at again: a person has released their
-- exception, or another one with the same event has changed.
CREATE TABLE reconsider (
    id BIGINT PRIMARY KEY
);

-- Every lot number that came, as it was written; lot_key is the same for those
-- that a person may take for each other.
CREATE TABLE lots (
    lot     TEXT PRIMARY KEY,
    lot_key TEXT NOT NULL
) /* WITHOUT ROWID */;
CREATE INDEX lots_key ON lots (lot_key);

-- on_hand is counted, plus what came in and less what went out after
-- counted_at (0: never counted, so since ever).
CREATE TABLE stock (
    branch_id  BIGINT NOT NULL,
    product_id BIGINT NOT NULL,
    lot        TEXT NOT NULL,
    unit       TEXT NOT NULL,
    expiry     TEXT NOT NULL,
    came_in    BIGINT NOT NULL,
    went_out   BIGINT NOT NULL,
    counted    BIGINT NOT NULL,
    counted_at BIGINT NOT NULL,
    on_hand    BIGINT NOT NULL,
    PRIMARY KEY (branch_id, product_id, lot, unit)
) /* WITHOUT ROWID */;
CREATE INDEX stock_lot ON stock (lot, product_id);

CREATE TABLE branch_totals (
    branch_id        BIGINT PRIMARY KEY,
    movements        BIGINT NOT NULL,
    last_movement_id BIGINT NOT NULL,
    last_occurred_at BIGINT NOT NULL,
    last_received_at BIGINT NOT NULL
);

-- How many movements happened at a branch in each hour since 1970 UTC, by what the
-- branch recorded.
CREATE TABLE branch_hours (
    branch_id BIGINT NOT NULL,
    hour      BIGINT NOT NULL,
    movements BIGINT NOT NULL,
    PRIMARY KEY (branch_id, hour)
) /* WITHOUT ROWID */;
