-- What is otherwise in Odoo than it was posted, and right, as a person has said: by
-- the document, what is otherwise, and how. When it becomes otherwise once more, it
-- is another.

-- +goose Up
CREATE TABLE accepted_differences (
    branch_id BIGINT NOT NULL REFERENCES branches (id),
    posting   TEXT NOT NULL,
    what      TEXT NOT NULL,
    words     TEXT NOT NULL,
    at        BIGINT NOT NULL,
    who       TEXT NOT NULL,
    why       TEXT NOT NULL,
    PRIMARY KEY (branch_id, posting, what, words)
);
