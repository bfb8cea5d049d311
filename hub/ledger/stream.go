package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Stream names one lane of one epoch of one branch's outbox.
type Stream struct {
	Branch string
	Epoch  string
	Lane   movement.Lane
}

func (s Stream) String() string { return s.Branch + "/" + s.Epoch + "/" + s.Lane.String() }

// MovementID is a movement's place as one number: the stream's id times 2^40,
// plus the seq.
type MovementID int64

const (
	seqBits = 40
	// MaxSeq is the largest seq that the ledger takes: 34 years of a thousand
	// movements a second.
	MaxSeq = 1<<seqBits - 1
	// maxStream is the largest id of a stream.
	maxStream = 1<<(63-seqBits) - 1
)

// MakeID joins a stream's id and a seq.
func MakeID(stream int64, seq uint64) MovementID {
	return MovementID(stream<<seqBits | int64(seq)) //nolint:gosec // both are bounded
}

// Stream is the id of the movement's stream.
func (id MovementID) Stream() int64 { return int64(id) >> seqBits }

// Seq is the movement's place in its stream.
func (id MovementID) Seq() uint64 { return uint64(id) & MaxSeq }

// streamCache remembers what never changes about a stream: which one an id is.
type streamCache struct {
	mu       sync.Mutex
	byID     map[int64]known
	byStream map[Stream]known
}

type known struct {
	Stream
	id, branchID int64
}

func (c *streamCache) get(id int64) (known, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.byID[id]
	return k, ok
}

func (c *streamCache) find(s Stream) (known, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.byStream[s]
	return k, ok
}

func (c *streamCache) put(k known) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID, c.byStream = map[int64]known{}, map[Stream]known{}
	}
	c.byID[k.id], c.byStream[k.Stream] = k, k
}

const selectStream = `SELECT s.id, b.id, b.code, s.epoch, s.lane
	FROM streams s JOIN branches b ON b.id = s.branch_id `

func scanStream(r Row) (known, error) {
	var k known
	err := r.Scan(&k.id, &k.branchID, &k.Branch, &k.Epoch, &k.Lane)
	return k, err
}

// row is where streams are looked up: in a transaction or beside it.
type rower interface {
	Row(query string, args ...any) Row
}

type reader struct {
	ctx context.Context
	l   *Ledger
}

func (r reader) Row(query string, args ...any) Row {
	s, err := r.l.readStmt(r.ctx, query)
	if err != nil {
		return failedRow{err}
	}
	return s.QueryRowContext(r.ctx, args...)
}

func (r reader) Rows(query string, args []any, scan func(Row) error) error {
	s, err := r.l.readStmt(r.ctx, query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(r.ctx, args...)
	return eachRow(rows, err, scan)
}

// reader asks beside the writer, seeing what is committed.
func (l *Ledger) reader(ctx context.Context) reader { return reader{ctx, l} }

func (l *Ledger) readStmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := l.statements.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := l.read.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if other, raced := l.statements.LoadOrStore(query, s); raced {
		return other.(*sql.Stmt), s.Close()
	}
	return s, nil
}

// streamByID tells which stream an id is.
func (l *Ledger) streamByID(r rower, id int64) (known, error) {
	if k, ok := l.streams.get(id); ok {
		return k, nil
	}
	k, err := scanStream(r.Row(selectStream+`WHERE s.id = $1`, id))
	if err != nil {
		return k, fmt.Errorf("stream %d: %w", id, err)
	}
	if _, inTx := r.(*Tx); !inTx { // a transaction may yet be undone
		l.streams.put(k)
	}
	return k, nil
}

// findStream looks a stream up; ok is false when the ledger has never heard of
// it.
func (l *Ledger) findStream(r rower, s Stream) (k known, ok bool, err error) {
	if k, ok := l.streams.find(s); ok {
		return k, true, nil
	}
	k, err = scanStream(r.Row(selectStream+`WHERE b.code = $1 AND s.epoch = $2 AND s.lane = $3`,
		s.Branch, s.Epoch, int64(s.Lane)))
	if errors.Is(err, sql.ErrNoRows) {
		return k, false, nil
	}
	if err != nil {
		return k, false, err
	}
	if _, inTx := r.(*Tx); !inTx {
		l.streams.put(k)
	}
	return k, true, nil
}

// ensureStream gives a stream's row, made when it is new.
func (t *Tx) ensureStream(s Stream) (known, error) {
	l := t.w.l
	k, ok, err := l.findStream(t, s)
	if err != nil || ok {
		return k, err
	}
	branch, err := t.ensureBranch(s.Branch)
	if err != nil {
		return k, err
	}
	genesis := movement.Genesis(s.Branch, s.Epoch, s.Lane)
	k = known{Stream: s, branchID: branch}
	if err := t.Row(`INSERT INTO streams (branch_id, epoch, lane, through, hash, received_at)
		VALUES ($1, $2, $3, 0, $4, 0) RETURNING id`,
		branch, s.Epoch, int64(s.Lane), genesis[:]).Scan(&k.id); err != nil {
		return k, fmt.Errorf("stream %s: %w", s, err)
	}
	if k.id > maxStream {
		return k, fault.New(fault.Defect, "too_many_streams", "the ledger has no more room for streams")
	}
	t.After(func() { l.streams.put(k) })
	return k, nil
}

func (t *Tx) ensureBranch(code string) (id int64, err error) {
	err = t.Row(`SELECT id FROM branches WHERE code = $1`, code).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.Row(`INSERT INTO branches (code) VALUES ($1) RETURNING id`, code).Scan(&id)
	}
	if err != nil {
		return 0, fmt.Errorf("branch %s: %w", code, err)
	}
	return id, nil
}

// identity turns a number into the movement's name.
func (l *Ledger) identity(r rower, id MovementID) (movement.ID, error) {
	k, err := l.streamByID(r, id.Stream())
	return movement.ID{Branch: k.Branch, Epoch: k.Epoch, Lane: k.Lane, Seq: id.Seq()}, err
}

// NameOf gives a movement's name.
func (t *Tx) NameOf(id MovementID) (movement.ID, error) { return t.w.l.identity(t, id) }

// Find turns a movement's name into its number. A stream that the ledger has
// never heard of is a fault of class Data, "unknown_movement".
func (l *Ledger) Find(ctx context.Context, id movement.ID) (MovementID, error) {
	k, ok, err := l.findStream(l.reader(ctx), Stream{id.Branch, id.Epoch, id.Lane})
	if err != nil {
		return 0, classify(err)
	}
	if !ok || id.Seq > MaxSeq {
		return 0, unknownMovement(id.String())
	}
	return MakeID(k.id, id.Seq), nil
}

func unknownMovement(id string) *fault.Error {
	return fault.New(fault.Data, "unknown_movement", "the hub has no movement %s", id)
}

// hashOf reads a hash's bytes.
func hashOf(b []byte) (h movement.Hash, err error) {
	if len(b) != len(h) {
		return h, fmt.Errorf("a hash in the ledger has %d bytes", len(b))
	}
	copy(h[:], b)
	return h, nil
}
