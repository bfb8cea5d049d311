package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"branchline/internal/fault"
)

// Arrived is the place of a movement in the order in which the hub received
// them: the batch, and its place in that. The zero value is before the first.
type Arrived struct {
	Batch int64
	Seq   uint64
	// Print tells the batch from another that has its number: a ledger that was put back
	// from a backup gives the numbers since then anew. Places of earlier versions have
	// none, and are believed.
	Print string `json:",omitempty"`
}

// CodeOtherArrivals is a place that this ledger has not given.
const CodeOtherArrivals = "feed_put_back"

// ArrivedMovement is a movement with its place.
type ArrivedMovement struct {
	Movement
	Place Arrived
}

// MovementsAfter lists up to limit movements in the order in which they arrived,
// from the one after a place on, as far as they are projected. What has arrived
// keeps its place for ever; the state is that of now. A place from before the ledger was
// put back from a backup, and after that backup, is a fault of class Data,
// [CodeOtherArrivals]: what has come since might not be told.
func (l *Ledger) MovementsAfter(ctx context.Context, after Arrived, limit int) ([]ArrivedMovement, error) {
	r := l.reader(ctx)
	var projected int64
	if err := r.Row(`SELECT batch_id FROM projection WHERE id = 1`).Scan(&projected); err != nil {
		return nil, classify(err)
	}
	if err := l.gavePlace(ctx, after); err != nil {
		return nil, err
	}
	type span struct {
		batch, stream, first, last int64
		print                      string
	}
	enough := errors.New("enough")
	for {
		var spans []span
		left := int64(limit)
		err := r.Rows(`SELECT id, stream_id, first_seq, last_seq, last_hash, received_at FROM batches WHERE id >= $1 AND id <= $2 ORDER BY id`,
			[]any{after.Batch, projected}, func(row Row) error {
				var s span
				var hash []byte
				var at int64
				if err := row.Scan(&s.batch, &s.stream, &s.first, &s.last, &hash, &at); err != nil {
					return err
				}
				s.print = printOf(hash, at)
				if s.batch == after.Batch {
					s.first = max(s.first, int64(after.Seq)+1)
				}
				if s.first > s.last {
					return nil
				}
				s.last = min(s.last, s.first+left-1)
				spans = append(spans, s)
				if left -= s.last - s.first + 1; left <= 0 {
					return enough
				}
				return nil
			})
		if err != nil && !errors.Is(err, enough) {
			return nil, classify(fmt.Errorf("arrivals: %w", err))
		}
		var all []ArrivedMovement
		for _, s := range spans {
			found, err := l.movements(ctx, `WHERE m.id BETWEEN $1 AND $2 ORDER BY m.id`,
				int64(MakeID(s.stream, uint64(s.first))), int64(MakeID(s.stream, uint64(s.last))))
			if err != nil {
				return nil, err
			}
			for _, m := range found {
				all = append(all, ArrivedMovement{m, Arrived{s.batch, m.ID.Seq(), s.print}})
			}
		}
		if len(all) > 0 || left > 0 {
			return all, nil
		}
		// All of it was in batches that no longer open: what comes behind must not wait.
		last := spans[len(spans)-1]
		after = Arrived{last.batch, uint64(last.last), last.print}
	}
}

// printOf is of a batch's content and of when it came: one that comes again has another.
func printOf(hash []byte, receivedAt int64) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(hash, uint64(receivedAt)))
	return hex.EncodeToString(sum[:8])
}

// gavePlace refuses a place that is none of this ledger's.
func (l *Ledger) gavePlace(ctx context.Context, p Arrived) error {
	if p.Batch == 0 || p.Print == "" {
		return nil
	}
	var hash []byte
	var at int64
	err := l.reader(ctx).Row(`SELECT last_hash, received_at FROM batches WHERE id = $1`, p.Batch).Scan(&hash, &at)
	if err != nil && !errors.Is(err, errNoRows) {
		return classify(err)
	}
	if err == nil && printOf(hash, at) == p.Print {
		return nil
	}
	return fault.New(fault.Data, CodeOtherArrivals, "the hub's ledger was put back from a backup after this cursor was given, and what has come since has other places").
		WithHint("go on from a cursor that you had at the time of the backup, or begin without one: a movement that you have already has the id that you know")
}
