package ledger

import (
	"context"

	"branchline/internal/movement"
)

// DocumentTransfer is the type of the document under which one branch sends goods
// and another takes them in.
const DocumentTransfer = "transfer"

// maxTransfer bounds what is read of one number.
const maxTransfer = 10_000

// Transfer is both halves of a transfer.
type Transfer struct {
	// Movements are what was sent and what was taken in under its number, at any
	// branch, in whatever state but thrown out and counted elsewhere.
	Movements []Movement
	// Whole tells that what the sender has confirmed has come to the end, as far as
	// that is known: packs with a serial number come for themselves.
	Whole bool
}

// Transfer gives what is known of a transfer by its number. One of more than 10,000
// movements is not whole.
func (l *Ledger) Transfer(ctx context.Context, ref string) (t Transfer, err error) {
	out, in := KindNumber(movement.TransferOut), KindNumber(movement.TransferIn)
	t.Movements, err = l.movements(ctx, `WHERE m.document_ref = $1 AND m.document_ref <> '' AND m.document_type = $2 AND m.kind IN ($3, $4)
		AND m.state NOT IN ($5, $6) ORDER BY m.id LIMIT $7`,
		ref, DocumentTransfer, out, in, int64(Duplicate), int64(Discarded), maxTransfer)
	if err != nil {
		return t, err
	}
	var coming int64
	err = l.reader(ctx).Row(`SELECT COUNT(*) FROM groups g WHERE g.come < g.size AND g.id IN (SELECT m.group_id FROM movements m
		WHERE m.document_ref = $1 AND m.document_ref <> '' AND m.document_type = $2 AND m.kind = $3 AND m.group_id > 0)`,
		ref, DocumentTransfer, out).Scan(&coming)
	t.Whole = coming == 0 && len(t.Movements) < maxTransfer
	return t, classify(err)
}
