package ledger

import (
	"context"
	"time"
)

// Searched tells for each branch through which moment Odoo has been searched for
// documents of it that the ledger might not know; see [Ledger.MarkSearched]. In a
// ledger that was put back from a backup it is what it was then, as are the postings.
func (l *Ledger) Searched(ctx context.Context) (map[string]time.Time, error) {
	all := map[string]time.Time{}
	err := l.reader(ctx).Rows(`SELECT branch, through FROM searched`, nil, func(r Row) error {
		var branch string
		var through int64
		err := r.Scan(&branch, &through)
		all[branch] = timeOf(through)
		return err
	})
	return all, classify(err)
}

// MarkSearched keeps that everything of these branches which Odoo wrote before a
// moment, by its own clock, has been looked at. A moment before the one that is
// kept takes its place, too: that one was told by a clock that was wrong.
func (l *Ledger) MarkSearched(ctx context.Context, branches []string, through time.Time) error {
	return l.Write(ctx, func(tx *Tx) error {
		for _, b := range branches {
			if _, err := tx.Exec(`INSERT INTO searched (branch, through) VALUES ($1, $2)
				ON CONFLICT (branch) DO UPDATE SET through = excluded.through`, b, through.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
}
