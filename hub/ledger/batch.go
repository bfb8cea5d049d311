package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// Cursor is how far the ledger has a stream.
type Cursor struct {
	// Through is the last seq committed, 0 for none.
	Through uint64
	// Hash is the chain's hash after it; [movement.Genesis] for none.
	Hash movement.Hash
	// Ended says that the stream goes on no further: the branch was put back behind
	// what documents in Odoo name of it.
	Ended bool
}

// Cursor tells how far a stream is committed; a stream never heard of begins at
// its genesis.
func (l *Ledger) Cursor(ctx context.Context, s Stream) (Cursor, error) {
	var c Cursor
	var through int64
	var hash []byte
	var ended int64
	err := l.reader(ctx).Row(`SELECT s.through, s.hash, (SELECT COUNT(*) FROM forks f WHERE f.stream_id = s.id)
		FROM streams s JOIN branches b ON b.id = s.branch_id
		WHERE b.code = $1 AND s.epoch = $2 AND s.lane = $3`, s.Branch, s.Epoch, int64(s.Lane)).Scan(&through, &hash, &ended)
	if errors.Is(err, sql.ErrNoRows) {
		return Cursor{Hash: movement.Genesis(s.Branch, s.Epoch, s.Lane)}, nil
	}
	if err == nil {
		c.Through, c.Ended = uint64(through), ended > 0
		c.Hash, err = hashOf(hash)
	}
	if err != nil {
		return c, classify(fmt.Errorf("cursor of %s: %w", s, err))
	}
	return c, nil
}

// Arrival is a batch that has been judged fit to be committed.
type Arrival struct {
	Header wire.Header
	// Payload is the batch exactly as it came, at most [wire.MaxPayload] bytes.
	Payload []byte
	// After is the stream's cursor that the batch was judged by.
	After Cursor
	// From is the first seq to take: Header.First, or later when what comes
	// before is already committed. Prev is the chain's hash before it.
	From uint64
	Prev movement.Hash
	// Lost allows that From leaves a gap after the cursor, which the branch
	// cannot fill any more. The gap is recorded.
	Lost bool
	// ReceivedAt is when it came, by the hub's clock.
	ReceivedAt time.Time
}

// ErrMoved says that the stream's cursor is no longer the one that the arrival
// was judged by: judge it again.
var ErrMoved = errors.New("the stream's cursor has moved")

// Commit writes the batch together with the stream's new cursor. When it
// returns nil both are on disk. Concurrent calls share a transaction. It
// returns [ErrMoved], or a fault.
func (l *Ledger) Commit(ctx context.Context, a Arrival) error {
	h := &a.Header
	s := Stream{h.Branch, h.Epoch, h.Lane}
	switch {
	case h.Through() > MaxSeq:
		return fault.New(fault.Data, "malformed_batch", "seq %d of %s is beyond what a ledger takes", h.Through(), s)
	case len(a.Payload) > wire.MaxPayload:
		return fault.New(fault.Data, "oversized_batch", "the payload has %d bytes", len(a.Payload))
	case a.From < h.First || a.From > h.Through() || a.From <= a.After.Through,
		a.From != a.After.Through+1 && !a.Lost,
		a.From == a.After.Through+1 && a.Prev != a.After.Hash:
		return fmt.Errorf("batch %d to %d of %s does not follow %d", a.From, h.Through(), s, a.After.Through)
	}
	moved := false
	err := l.Write(ctx, func(tx *Tx) (err error) {
		moved, err = tx.commitBatch(s, &a)
		return err
	})
	if err == nil && moved {
		return ErrMoved
	}
	return err
}

func (t *Tx) commitBatch(s Stream, a *Arrival) (moved bool, err error) {
	k, err := t.ensureStream(s)
	if err != nil {
		return false, err
	}
	at := a.ReceivedAt.UnixMilli()
	last := int64(a.Header.Through())
	n, err := t.Exec(`UPDATE streams SET through = $1, hash = $2, received_at = $3
		WHERE id = $4 AND through = $5 AND hash = $6`,
		last, a.Header.Last[:], at, k.id, int64(a.After.Through), a.After.Hash[:])
	if err != nil || n == 0 {
		return n == 0, err
	}
	var id int64
	if err := t.Row(`INSERT INTO batches (stream_id, first_seq, last_seq, prev_hash, last_hash, received_at, payload)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
		k.id, int64(a.From), last, a.Prev[:], a.Header.Last[:], at, a.Payload).Scan(&id); err != nil {
		return false, err
	}
	if a.From > a.After.Through+1 {
		if _, err := t.Exec(`INSERT INTO gaps (batch_id, stream_id, first_seq, last_seq, noted_at)
			VALUES ($1, $2, $3, $4, $5)`, id, k.id, int64(a.After.Through)+1, int64(a.From)-1, at); err != nil {
			return false, err
		}
		err := t.Audit(Entry{At: a.ReceivedAt, Who: "hub", Action: "gap accepted", Subject: s.String(),
			Detail: fmt.Sprintf("the branch no longer has %d to %d", a.After.Through+1, a.From-1)})
		if err != nil {
			return false, err
		}
	}
	if err := t.compareClaims(k, a.From, a.Header.Through(), a.ReceivedAt); err != nil {
		return false, err
	}
	t.Tell(BatchCommitted)
	killpoint.Here("ingest.before-commit")
	return false, nil
}

// Batch is a committed batch.
type Batch struct {
	// ID counts in the order of arrival.
	ID       int64
	StreamID int64
	BranchID int64
	Stream   Stream
	// First and Last are the seqs taken from it.
	First, Last uint64
	// Prev is the chain's hash before First, LastHash the one after Last.
	Prev, LastHash movement.Hash
	ReceivedAt     time.Time
	Payload        []byte
}

// Records opens the payload, checks it against the chain and gives the records
// First to Last. An error means that the ledger's bytes were altered.
func (b *Batch) Records() ([][]byte, error) {
	w, err := wire.Open(b.Payload)
	if err != nil {
		return nil, fmt.Errorf("batch %d of %s: %w", b.ID, b.Stream, err)
	}
	skip := int64(b.First) - int64(w.First)
	if w.Branch != b.Stream.Branch || w.Epoch != b.Stream.Epoch || w.Lane != b.Stream.Lane ||
		w.Through() != b.Last || skip < 0 || skip >= int64(len(w.Records)) || w.Last != b.LastHash {
		return nil, fmt.Errorf("batch %d of %s holds another run than %d to %d", b.ID, b.Stream, b.First, b.Last)
	}
	return w.Records[skip:], nil
}

const selectBatch = `SELECT id, stream_id, first_seq, last_seq, prev_hash, last_hash, received_at, payload FROM batches `

// scanBatch reads a row; the stream's name is yet to be set, since looking it up
// inside an open query could wait for a second reader that never comes.
func scanBatch(row Row) (*Batch, error) {
	var b Batch
	var first, last, at int64
	var prev, hash []byte
	err := row.Scan(&b.ID, &b.StreamID, &first, &last, &prev, &hash, &at, &b.Payload)
	if err != nil {
		return nil, err
	}
	b.First, b.Last, b.ReceivedAt = uint64(first), uint64(last), time.UnixMilli(at).UTC()
	if b.Prev, err = hashOf(prev); err != nil {
		return nil, err
	}
	if b.LastHash, err = hashOf(hash); err != nil {
		return nil, err
	}
	return &b, nil
}

func (l *Ledger) nameBatch(r rower, b *Batch, err error) (*Batch, error) {
	if err != nil {
		return nil, err
	}
	k, err := l.streamByID(r, b.StreamID)
	b.Stream, b.BranchID = k.Stream, k.branchID
	return b, err
}

func (l *Ledger) batchAt(r rower, stream int64, seq uint64) (*Batch, error) {
	b, err := scanBatch(r.Row(selectBatch+`WHERE stream_id = $1 AND last_seq >= $2
		ORDER BY last_seq LIMIT 1`, stream, int64(seq)))
	return l.nameBatch(r, b, err)
}

// Covering yields the committed batches of a stream that hold any of the seqs
// from to through, in order. They are what a repeated batch is compared with.
func (l *Ledger) Covering(ctx context.Context, s Stream, from, through uint64) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		r := l.reader(ctx)
		k, ok, err := l.findStream(r, s)
		for err == nil && ok && from <= through && from <= MaxSeq {
			var b *Batch
			b, err = l.batchAt(r, k.id, from)
			if errors.Is(err, sql.ErrNoRows) {
				return
			}
			if err != nil {
				break
			}
			if b.First > through || !yield(b, nil) {
				return
			}
			from = b.Last + 1
		}
		if err != nil {
			yield(nil, classify(fmt.Errorf("batches of %s: %w", s, err)))
		}
	}
}

// BatchesAfter gives the committed batches with an id greater than after, in
// order of arrival: at most maxBatches, and no more than about maxBytes of
// payload, but at least one if there is one.
func (l *Ledger) BatchesAfter(ctx context.Context, after int64, maxBatches, maxBytes int) ([]*Batch, error) {
	var batches []*Batch
	enough := errors.New("enough")
	r := l.reader(ctx)
	err := r.Rows(selectBatch+`WHERE id > $1 ORDER BY id LIMIT $2`, []any{after, maxBatches}, func(row Row) error {
		b, err := scanBatch(row)
		if err != nil {
			return err
		}
		batches = append(batches, b)
		if maxBytes -= len(b.Payload); maxBytes <= 0 {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return nil, classify(fmt.Errorf("batches after %d: %w", after, err))
	}
	for _, b := range batches {
		if _, err := l.nameBatch(r, b, nil); err != nil {
			return nil, classify(err)
		}
	}
	return batches, nil
}

// Record is one movement's bytes with where they came from: the evidence.
type Record struct {
	ID         movement.ID
	Bytes      []byte
	BatchID    int64
	ReceivedAt time.Time
	// Hash is the chain's hash after the record.
	Hash movement.Hash
}

// Record re-opens the batch that holds a movement. What the ledger does not
// hold is a fault of class Data, "unknown_movement".
func (l *Ledger) Record(ctx context.Context, id MovementID) (Record, error) {
	r := l.reader(ctx)
	b, err := l.batchAt(r, id.Stream(), id.Seq())
	if errors.Is(err, sql.ErrNoRows) || err == nil && b.First > id.Seq() {
		return Record{}, unknownMovement(fmt.Sprintf("%d of stream %d", id.Seq(), id.Stream()))
	}
	if err != nil {
		return Record{}, classify(err)
	}
	return b.record(id.Seq())
}

func (b *Batch) record(seq uint64) (Record, error) {
	records, err := b.Records()
	if err != nil {
		return Record{}, err
	}
	chain := movement.NewChain(b.Prev)
	for _, r := range records[:seq-b.First+1] {
		chain.Add(r)
	}
	return Record{ID: movement.ID{Branch: b.Stream.Branch, Epoch: b.Stream.Epoch, Lane: b.Stream.Lane, Seq: seq},
		Bytes: records[seq-b.First], BatchID: b.ID, ReceivedAt: b.ReceivedAt, Hash: chain.Head()}, nil
}
