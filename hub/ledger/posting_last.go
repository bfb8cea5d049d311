package ledger

import (
	"context"
	"time"

	"branchline/internal/movement"
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

// LastBrought is when a posting that can bring lots to the branch was last
// found done in Odoo; zero for never.
func (l *Ledger) LastBrought(ctx context.Context, branch string) (time.Time, error) {
	var at int64
	err := l.reader(ctx).Row(`SELECT COALESCE(MAX(changed_at), 0) FROM (SELECT p.changed_at FROM postings p
			JOIN branches b ON b.id = p.branch_id
		WHERE b.code = $1 AND p.state = 'posted' AND p.kind NOT IN ($2, $3, $4) ORDER BY p.id DESC LIMIT 20) AS newest`,
		branch, KindNumber(movement.Dispense), KindNumber(movement.Wastage), KindNumber(movement.TransferOut)).Scan(&at)
	return timeOf(at), classify(err)
}
