package ledger

import (
	"context"
	"time"

	"branchline/internal/movement"
)

// StepDone is the step of the attempt that ends a posting well.
const StepDone = "done"

// LastDone is when this hub last finished a posting, by its clock as it was then;
// zero for never. What was
// written in Odoo later, a ledger that was put back from a backup does not know.
// Adopting a document does not count.
func (l *Ledger) LastDone(ctx context.Context) (time.Time, error) {
	var at int64
	err := l.reader(ctx).Row(`SELECT COALESCE((SELECT at FROM posting_attempts WHERE step = $1 AND class = '' ORDER BY id DESC LIMIT 1), 0)`, StepDone).Scan(&at)
	if err != nil || at == 0 {
		return time.Time{}, classify(err)
	}
	return time.UnixMilli(at).UTC(), nil
}

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
