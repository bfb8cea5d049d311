-- Streams of which branches say that a hub has acknowledged them, and that this
-- ledger never held; done_at is when a person had looked, 0 for not yet.

-- +goose Up
CREATE TABLE elsewhere (
    branch   TEXT NOT NULL,
    epoch    TEXT NOT NULL,
    lane     SMALLINT NOT NULL,
    noted_at BIGINT NOT NULL,
    done_at  BIGINT NOT NULL,
    PRIMARY KEY (branch, epoch, lane)
);
