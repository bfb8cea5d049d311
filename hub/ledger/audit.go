package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Entry is one row of the audit trail: who did what to what.
type Entry struct {
	// ID counts from 1 without gaps; set by the ledger.
	ID int64
	// At is kept to the millisecond.
	At time.Time
	// Who is a person's name or the stage that acted.
	Who, Action, Subject, Detail string
	// Hash is over the row and the hash before it; set by the ledger.
	Hash movement.Hash
}

// auditGenesis is the hash before the first row.
var auditGenesis = movement.Hash(sha256.Sum256([]byte("branchline/1/audit")))

// hashAfter binds a row to the one before it. Every text is written with its
// length, so that no two rows have the same bytes.
func (e *Entry) hashAfter(prev movement.Hash) movement.Hash {
	b := append([]byte(nil), prev[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.ID))
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMilli()))
	for _, s := range []string{e.Who, e.Action, e.Subject, e.Detail} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	return sha256.Sum256(b)
}

// Audit appends a row in this transaction.
func (t *Tx) Audit(e Entry) error {
	last, prev, err := auditHead(t)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	for _, s := range []*string{&e.Who, &e.Action, &e.Subject, &e.Detail} {
		*s = storable(*s)
	}
	e.ID = last + 1
	e.Hash = e.hashAfter(prev)
	if _, err := t.Exec(`INSERT INTO audit (id, at, who, action, subject, detail, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		e.ID, e.At.UnixMilli(), e.Who, e.Action, e.Subject, e.Detail, e.Hash[:]); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	_, err = t.Exec(`INSERT INTO audit_head (id, last, hash) VALUES (1, $1, $2)
		ON CONFLICT (id) DO UPDATE SET last = excluded.last, hash = excluded.hash`, e.ID, e.Hash[:])
	return err
}

func auditHead(r rower) (last int64, hash movement.Hash, err error) {
	var b []byte
	err = r.Row(`SELECT last, hash FROM audit_head WHERE id = 1`).Scan(&last, &b)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, auditGenesis, nil
	}
	if err == nil {
		hash, err = hashOf(b)
	}
	return last, hash, err
}

// Audit appends a row on its own.
func (l *Ledger) Audit(ctx context.Context, e Entry) error {
	return l.Write(ctx, func(tx *Tx) error { return tx.Audit(e) })
}

// AuditTrail gives up to limit rows after the id, in order.
func (l *Ledger) AuditTrail(ctx context.Context, after int64, limit int) ([]Entry, error) {
	var all []Entry
	err := l.reader(ctx).Rows(`SELECT id, at, who, action, subject, detail, hash FROM audit
		WHERE id > $1 ORDER BY id LIMIT $2`, []any{after, limit}, func(r Row) error {
		e, err := scanEntry(r)
		all = append(all, e)
		return err
	})
	return all, classify(err)
}

func scanEntry(r Row) (e Entry, err error) {
	var at int64
	var hash []byte
	err = r.Scan(&e.ID, &at, &e.Who, &e.Action, &e.Subject, &e.Detail, &hash)
	e.At = time.UnixMilli(at).UTC()
	copy(e.Hash[:], hash) // a hash of another length does not verify
	return e, err
}

// VerifyAudit goes through the whole trail and tells the first row that was
// altered, inserted or taken out, as a fault of class Setup, "audit_altered".
// It returns how many rows hold.
func (l *Ledger) VerifyAudit(ctx context.Context) (rows int64, err error) {
	altered := func(id int64, how string) error {
		return fault.New(fault.Setup, "audit_altered", "row %d of the audit trail %s", id, how).
			WithHint("compare the ledger with its backups")
	}
	// The head first: rows appended meanwhile are not held against it.
	last, head, err := auditHead(l.reader(ctx))
	if err != nil {
		return 0, classify(err)
	}
	hash := auditGenesis
	for {
		page, err := l.AuditTrail(ctx, rows, 1000)
		if err != nil {
			return rows, err
		}
		for _, e := range page {
			if e.ID != rows+1 {
				return rows, altered(rows+1, "is missing")
			}
			if hash = e.hashAfter(hash); hash != e.Hash {
				return rows, altered(e.ID, "was altered, or one before it was taken out")
			}
			if rows++; rows == last && hash != head {
				return rows - 1, altered(e.ID, "is not the one that was written last")
			}
		}
		if len(page) == 0 {
			break
		}
	}
	if rows < last {
		return rows, altered(rows+1, "is missing")
	}
	return rows, nil
}
