package ledger

import (
	"context"
	"time"
)

// StepDone is the step of the attempt that ends a posting well.
const StepDone = "done"

// LastDone is when this hub last finished a posting; zero for never. What was
// written in Odoo later, a ledger that was put back from a backup does not know.
// Adopting a document does not count.
func (l *Ledger) LastDone(ctx context.Context) (time.Time, error) {
	var at int64
	err := l.reader(ctx).Row(`SELECT COALESCE(MAX(at), 0) FROM posting_attempts WHERE step = $1 AND class = ''`, StepDone).Scan(&at)
	if err != nil || at == 0 {
		return time.Time{}, classify(err)
	}
	return time.UnixMilli(at).UTC(), nil
}
