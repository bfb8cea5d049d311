-- Lists that were thrown away at a branch, by their records' names: each stands once
-- in the audit trail, however often it is projected.

-- +goose Up
CREATE INDEX audit_thrown_away ON audit (subject) WHERE action = 'thrown away at the branch';
