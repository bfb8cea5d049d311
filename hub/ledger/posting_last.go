package ledger

import (
	"context"
	"time"

	"branchline/internal/movement"
)

// StepDone is the step of the attempt that ends a posting well.
const StepDone = "done"

// LastBrought is when a posting that can bring new lots was last found done in
// Odoo, at any branch, since lots belong to the company; zero for never.
func (l *Ledger) LastBrought(ctx context.Context) (last time.Time, err error) {
	for _, kind := range []movement.Kind{movement.Receipt, movement.Return, movement.TransferIn, movement.Adjustment} {
		var at int64
		if err := l.reader(ctx).Row(`SELECT COALESCE(MAX(changed_at), 0) FROM postings WHERE state = 'posted' AND kind = $1`,
			KindNumber(kind)).Scan(&at); err != nil {
			return last, classify(err)
		}
		if t := timeOf(at); t.After(last) {
			last = t
		}
	}
	return last, nil
}
