package ledger

import (
	"context"
	"strings"
	"time"

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
	// Whole tells that what the sender has confirmed has come to the end. Packs with a
	// serial number belong to no list: whatever the branch recorded next tells that
	// there are no more of them.
	Whole bool
	// Lost names documents in Odoo by which it was taken in, whose movements the ledger
	// does not have: it was put back from a backup, and they have not come again.
	Lost []string
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
	if err != nil {
		return t, classify(err)
	}
	var last int64
	err = l.reader(ctx).Row(`SELECT COUNT(*) FROM movements m WHERE m.document_ref = $1 AND m.document_ref <> '' AND m.document_type = $2 AND m.kind = $3
		AND m.group_id = 0 AND NOT EXISTS (SELECT 1 FROM movements n WHERE n.id = m.id + 1)`, ref, DocumentTransfer, out).Scan(&last)
	if err != nil {
		return t, classify(err)
	}
	t.Whole = coming == 0 && last == 0 && len(t.Movements) < maxTransfer
	err = l.reader(ctx).Rows(`SELECT p.odoo_name FROM postings p WHERE p.document_ref = $1 AND p.document_type = 'transfer' AND p.kind = $2 AND p.state = 'posted'
		AND p.movements > (SELECT COUNT(*) FROM posting_sets s JOIN movements m ON m.id >= s.stream_id * $3 + s.first_seq AND m.id <= s.stream_id * $3 + s.last_seq
			WHERE s.posting_id = p.id) ORDER BY p.id LIMIT 10`, []any{ref, in, int64(1) << seqBits}, func(r Row) error {
		var name string
		err := r.Scan(&name)
		t.Lost = append(t.Lost, name)
		return err
	})
	return t, classify(err)
}

// UnnumberedTransfer gives what one branch sent to another without a number and what
// that one took in from it without one, recorded since a moment. Whole is false for
// more than 10,000 movements.
func (l *Ledger) UnnumberedTransfer(ctx context.Context, from, to string, since time.Time) (t Transfer, err error) {
	out, in := KindNumber(movement.TransferOut), KindNumber(movement.TransferIn)
	half := func(kind int64, branch, other string) error {
		list, err := l.movements(ctx, `WHERE m.counterpart = $1 AND m.counterpart <> '' AND m.document_type <> 'transfer'
			AND m.branch_id = (SELECT id FROM branches WHERE code = $2) AND m.recorded_at >= $3 AND m.kind = $4 AND m.state NOT IN ($5, $6) ORDER BY m.id LIMIT $7`,
			other, branch, since.UnixMilli(), kind, int64(Duplicate), int64(Discarded), maxTransfer)
		t.Movements = append(t.Movements, list...)
		return err
	}
	if err = half(out, from, to); err == nil {
		err = half(in, to, from)
	}
	t.Whole = len(t.Movements) < maxTransfer
	return t, classify(err)
}

// TransferNumber tells from and to of a number as agents make it, such as
// BR01/BR02/T261123-221501; ok is false for any other text.
func TransferNumber(text string) (from, to string, ok bool) {
	from, rest, _ := strings.Cut(text, "/")
	to, moment, _ := strings.Cut(rest, "/")
	_, err := time.Parse("T060102-150405", moment)
	return from, to, err == nil && movement.ValidBranch(from) && movement.ValidBranch(to)
}
