package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// This file is what the projector asks, to make the derived tables say what is
// known of a movement besides its record.

// ProjectedThrough tells the last batch that is in the derived tables, and the
// last that is committed.
func (l *Ledger) ProjectedThrough(ctx context.Context) (projected, committed int64, err error) {
	err = l.reader(ctx).Row(`SELECT batch_id, (SELECT COALESCE(MAX(id), 0) FROM batches) FROM projection WHERE id = 1`).
		Scan(&projected, &committed)
	return projected, committed, classify(err)
}

// made gives [ErrBeingMade] until the projector has come as far as the tables had
// been when they were dropped.
func (t *Tx) made() error {
	var left int64
	if err := t.Row(`SELECT made_to - batch_id FROM projection WHERE id = 1`).Scan(&left); err != nil {
		return err
	}
	if left > 0 {
		return ErrBeingMade
	}
	return nil
}

// AdvanceProjection moves the projector's cursor; ok is false when it is no
// longer at from.
func (t *Tx) AdvanceProjection(from, to int64) (ok bool, err error) {
	n, err := t.Exec(`UPDATE projection SET batch_id = $1 WHERE id = 1 AND batch_id = $2`, to, from)
	return n == 1, err
}

// Ruling is what was said about a movement.
type Ruling struct {
	At                        time.Time
	Stage, Reason, Field      string
	Text, Hint                string
	PostingID                 int64
	Refused, Retry, Discarded bool
	// Corrected is what the movement should have been; nil in all but a correction.
	Corrected *Correction
}

// RulingsIn gives what was said about the movements of a run of one stream, to
// each in the order in which it was said.
func (t *Tx) RulingsIn(first, last MovementID) (map[MovementID][]Ruling, error) {
	var all map[MovementID][]Ruling
	err := t.Rows(`SELECT movement_id, at, what, stage, reason, field, text, hint, posting_id, corrected FROM rulings
		WHERE movement_id BETWEEN $1 AND $2 ORDER BY movement_id, id`, []any{int64(first), int64(last)}, func(row Row) error {
		var r Ruling
		var id, at, what int64
		var corrected string
		err := row.Scan(&id, &at, &what, &r.Stage, &r.Reason, &r.Field, &r.Text, &r.Hint, &r.PostingID, &corrected)
		if err == nil {
			r.Corrected, err = readCorrection(corrected)
		}
		if err != nil {
			return err
		}
		r.At = time.UnixMilli(at).UTC()
		r.Refused, r.Retry, r.Discarded = what == ruledRefused, what == ruledRetry, what == ruledDiscard
		if all == nil {
			all = map[MovementID][]Ruling{}
		}
		all[MovementID(id)] = append(all[MovementID(id)], r)
		return nil
	})
	return all, err
}

// Holding is a run of movements that is in a posting which is alive.
type Holding struct {
	First, Last MovementID
	PostingID   int64
	// State is that of the movements in it.
	State State
	// Other says that the document means other movements than the ledger has.
	Other bool
}

// HoldingsIn gives the postings alive that hold movements of a run of one
// stream.
func (t *Tx) HoldingsIn(first, last MovementID) ([]Holding, error) {
	var all []Holding
	stream := first.Stream()
	err := t.Rows(`SELECT s.first_seq, s.last_seq, s.verdict, p.id, p.state FROM posting_sets s JOIN postings p ON p.id = s.posting_id
		WHERE s.stream_id = $1 AND s.last_seq >= $2 AND s.first_seq <= $3 AND p.state IN `+aliveStates,
		[]any{stream, int64(first.Seq()), int64(last.Seq())}, func(row Row) error {
			var h Holding
			var from, to, verdict int64
			var state string
			err := row.Scan(&from, &to, &verdict, &h.PostingID, &state)
			h.Other = verdict == chainOther
			h.First, h.Last = MakeID(stream, uint64(from)), MakeID(stream, uint64(to))
			h.State = PostingState(state).movementState()
			all = append(all, h)
			return err
		})
	return all, err
}

// Gap is a run of records that a branch no longer had.
type Gap struct {
	First, Last MovementID
	NotedAt     time.Time
}

// GapsIn gives the gaps that were accepted with the batches after to through.
func (t *Tx) GapsIn(after, through int64) ([]Gap, error) {
	var all []Gap
	err := t.Rows(`SELECT stream_id, first_seq, last_seq, noted_at FROM gaps WHERE batch_id > $1 AND batch_id <= $2
		ORDER BY batch_id`, []any{after, through}, func(row Row) error {
		var stream, first, last, at int64
		err := row.Scan(&stream, &first, &last, &at)
		all = append(all, Gap{MakeID(stream, uint64(first)), MakeID(stream, uint64(last)), time.UnixMilli(at).UTC()})
		return err
	})
	return all, err
}

// Reconsider gives movements that the projector must look at again, at most
// limit.
func (l *Ledger) Reconsider(ctx context.Context, limit int) ([]MovementID, error) {
	var all []MovementID
	err := l.reader(ctx).Rows(`SELECT id FROM reconsider ORDER BY id LIMIT $1`, []any{limit}, func(row Row) error {
		var id int64
		err := row.Scan(&id)
		all = append(all, MovementID(id))
		return err
	})
	return all, classify(err)
}

// BatchHolding gives the batch that a movement came in.
func (l *Ledger) BatchHolding(ctx context.Context, id MovementID) (*Batch, error) {
	b, err := l.batchAt(l.reader(ctx), id.Stream(), id.Seq())
	if err == nil && b.First > id.Seq() || errors.Is(err, errNoRows) {
		return nil, unknownMovement(fmt.Sprintf("%d of stream %d", id.Seq(), id.Stream()))
	}
	return b, classify(err)
}
