// Package ledger is the hub's only truth: what the branches sent, what was done
// with it in Odoo, and what people decided.
//
// # Words
//
//   - Facts are written once: batches exactly as they came, the streams'
//     cursors, postings, rulings, aliases, the audit trail.
//   - Derived tables (movements, exceptions, groups, implied stock …) are made
//     from the facts by package projection and can be dropped and made again.
//   - A ruling is what was said about one movement after it came: a refusal by
//     the planner or by Odoo, or a person's decision. The newest counts.
//   - A posting is one document to be made in Odoo, with the runs of movements
//     that go into it. A movement is in at most one posting that is alive.
//
// It is SQL on SQLite, or on PostgreSQL with the same statements (dialect.go
// holds the differences). One goroutine writes; it groups what is waiting into
// one transaction, so that many branches share one sync of the disk. Readers
// run beside it.
package ledger
