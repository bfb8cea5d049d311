package ledger

import (
	"context"
	"errors"
	"time"
)

const actionChanged = "changed in Odoo"

// ToCompare is an adopted posting whose document has yet to be held against its
// movements.
type ToCompare struct {
	ID        int64
	AdoptedAt time.Time
	// Other says that the document means other movements than the ledger has.
	Other bool
}

// ToCompare lists adopted postings with ids above after that are to be compared,
// in order, at most limit.
func (l *Ledger) ToCompare(ctx context.Context, after int64, limit int) (all []ToCompare, err error) {
	err = l.reader(ctx).Rows(`SELECT c.posting_id, c.adopted_at,
			(SELECT COUNT(*) FROM posting_sets s WHERE s.posting_id = c.posting_id AND s.verdict = $1)
		FROM to_compare c WHERE c.posting_id > $2 ORDER BY c.posting_id LIMIT $3`, []any{chainOther, after, limit}, func(r Row) error {
		var c ToCompare
		var at, other int64
		err := r.Scan(&c.ID, &at, &other)
		c.AdoptedAt, c.Other = timeOf(at), other > 0
		all = append(all, c)
		return err
	})
	return all, classify(err)
}

// Compared says that an adopted posting is compared. What changed, in a sentence,
// goes into the audit trail as of any other posting, once; empty for nothing.
func (l *Ledger) Compared(ctx context.Context, id int64, changed string, at time.Time) error {
	return l.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(`DELETE FROM to_compare WHERE posting_id = $1`, id)
		if err != nil || n == 0 || changed == "" {
			return err
		}
		doc, err := tx.Document(id)
		if err != nil {
			return err
		}
		// Its poster may have told before the ledger's copy was made.
		var one int
		err = tx.Row(`SELECT 1 FROM audit WHERE action = $1 AND subject = $2 LIMIT 1`, actionChanged, storable(doc.Name)).Scan(&one)
		if err == nil || !errors.Is(err, errNoRows) {
			return err
		}
		return tx.Audit(Entry{At: at, Who: "hub", Action: actionChanged, Subject: doc.Name, Detail: changed})
	})
}
