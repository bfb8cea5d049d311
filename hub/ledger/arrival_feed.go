package ledger

import (
	"context"
	"errors"
	"fmt"
)

// Arrived is the place of a movement in the order in which the hub received
// them: the batch, and its place in that. The zero value is before the first.
type Arrived struct {
	Batch int64
	Seq   uint64
}

// ArrivedMovement is a movement with its place.
type ArrivedMovement struct {
	Movement
	Place Arrived
}

// MovementsAfter lists up to limit movements in the order in which they arrived,
// from the one after a place on, as far as they are projected. What has arrived
// keeps its place for ever; the state is that of now.
func (l *Ledger) MovementsAfter(ctx context.Context, after Arrived, limit int) ([]ArrivedMovement, error) {
	r := l.reader(ctx)
	var projected int64
	if err := r.Row(`SELECT batch_id FROM projection WHERE id = 1`).Scan(&projected); err != nil {
		return nil, classify(err)
	}
	type span struct{ batch, stream, first, last int64 }
	enough := errors.New("enough")
	for {
		var spans []span
		left := int64(limit)
		err := r.Rows(`SELECT id, stream_id, first_seq, last_seq FROM batches WHERE id >= $1 AND id <= $2 ORDER BY id`,
			[]any{after.Batch, projected}, func(row Row) error {
				var s span
				if err := row.Scan(&s.batch, &s.stream, &s.first, &s.last); err != nil {
					return err
				}
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
				all = append(all, ArrivedMovement{m, Arrived{s.batch, m.ID.Seq()}})
			}
		}
		if len(all) > 0 || left > 0 {
			return all, nil
		}
		// All of it was in batches that no longer open: what comes behind must not wait.
		last := spans[len(spans)-1]
		after = Arrived{last.batch, uint64(last.last)}
	}
}
