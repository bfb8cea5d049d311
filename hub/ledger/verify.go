package ledger

import (
	"context"
	"fmt"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// VerifyStream opens every batch of a stream and computes its chain anew, from
// the first record to the cursor. It returns how many records it checked. What
// does not fit is a fault of class Data, "ledger_damaged", that names the place.
func (l *Ledger) VerifyStream(ctx context.Context, s Stream) (records uint64, err error) {
	at, err := l.Cursor(ctx, s)
	if err != nil {
		return 0, err
	}
	damaged := func(format string, args ...any) error {
		return fault.New(fault.Data, "ledger_damaged", "stream %s: %s", s, fmt.Sprintf(format, args...)).
			WithHint("keep the ledger as evidence and restore the last good backup; the branches send again what came after it")
	}
	next, hash := uint64(1), movement.Genesis(s.Branch, s.Epoch, s.Lane)
	for b, err := range l.Covering(ctx, s, 1, at.Through) {
		if err != nil {
			return records, err
		}
		if b.First > next {
			// Recorded as a gap when it came: the chain goes on from what the
			// branch still had.
			if ok, err := l.isGap(ctx, b.ID, next, b.First-1); err != nil {
				return records, err
			} else if !ok {
				return records, damaged("%d to %d are missing", next, b.First-1)
			}
			hash = b.Prev
		}
		if b.First < next || b.Prev != hash {
			return records, damaged("the batch of %d to %d does not follow the one before", b.First, b.Last)
		}
		rows, err := b.Records()
		if err != nil {
			return records, damaged("the batch of %d to %d cannot be read: %v", b.First, b.Last, err)
		}
		chain := movement.NewChain(hash)
		for _, r := range rows {
			chain.Add(r)
		}
		if chain.Head() != b.LastHash || uint64(len(rows)) != b.Last-b.First+1 {
			return records, damaged("the records %d to %d are not those that were received", b.First, b.Last)
		}
		records += uint64(len(rows))
		next, hash = b.Last+1, b.LastHash
	}
	if next != at.Through+1 || hash != at.Hash {
		return records, damaged("the batches end at %d, the cursor stands at %d", next-1, at.Through)
	}
	return records, nil
}

func (l *Ledger) isGap(ctx context.Context, batch int64, first, last uint64) (ok bool, err error) {
	var n int64
	err = l.reader(ctx).Row(`SELECT COUNT(*) FROM gaps WHERE batch_id = $1 AND first_seq = $2 AND last_seq = $3`,
		batch, int64(first), int64(last)).Scan(&n)
	return n == 1, classify(err)
}
