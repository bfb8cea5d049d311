-- What is wrong now, or was until lately, by what rule and where, so that nobody
-- is told twice of the same after a restart. 0 stands for never.

-- +goose Up
CREATE TABLE alerts (
    rule      TEXT NOT NULL,
    branch    TEXT NOT NULL,
    text      TEXT NOT NULL,
    since     BIGINT NOT NULL,
    told_at   BIGINT NOT NULL,
    ended_at  BIGINT NOT NULL,
    PRIMARY KEY (rule, branch)
);
