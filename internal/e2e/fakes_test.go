package e2e

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// memOutbox is an outbox in memory, with the meaning of the real one.
type memOutbox struct {
	branch string

	mu      sync.Mutex
	streams []*memStream  // older epochs first
	changed chan struct{} // closed when there is something to send
	watch   chan struct{} // closed when something was acknowledged or forked
}

type memStream struct {
	epoch         string
	lane          movement.Lane
	purged, acked uint64          // records through purged are no longer kept
	records       [][]byte        // all ever recorded
	hashes        []movement.Hash // hashes[i] is the chain's before seq i+1
	closed        bool            // an older epoch, which does not grow
	forkedAt      uint64
	forked        bool
}

func newMemOutbox(branch string) *memOutbox {
	o := &memOutbox{branch: branch, changed: make(chan struct{}), watch: make(chan struct{})}
	for _, l := range movement.Lanes {
		o.open(l)
	}
	return o
}

func (o *memOutbox) open(l movement.Lane) *memStream {
	s := &memStream{epoch: movement.NewEpoch(), lane: l}
	s.hashes = []movement.Hash{movement.Genesis(o.branch, s.epoch, l)}
	o.streams = append(o.streams, s)
	return s
}

func (s *memStream) add(record []byte) {
	s.records = append(s.records, record)
	s.hashes = append(s.hashes, s.hashes[len(s.hashes)-1].Next(record))
}

// last is the last record to be sent: what follows a fork is set aside.
func (s *memStream) last() uint64 {
	if s.forked {
		return s.forkedAt
	}
	return uint64(len(s.records))
}

func (o *memOutbox) current(l movement.Lane) *memStream {
	for _, s := range o.streams {
		if s.lane == l && !s.closed {
			return s
		}
	}
	return o.open(l)
}

func (o *memOutbox) append(l movement.Lane, records ...[]byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.current(l)
	for _, r := range records {
		s.add(r)
	}
	o.signal()
}

func (o *memOutbox) signal() {
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *memOutbox) moved() {
	close(o.watch)
	o.watch = make(chan struct{})
}

func (o *memOutbox) Changed() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.changed
}

func (o *memOutbox) Streams() []wire.Stream {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []wire.Stream
	for _, l := range movement.Lanes {
		for _, s := range o.streams {
			if s.lane == l {
				st := wire.Stream{Epoch: s.epoch, Lane: l, Last: s.last(), Acked: s.acked}
				if s.last() > 0 {
					st.Oldest = s.purged + 1
				}
				all = append(all, st)
			}
		}
	}
	return all
}

func (o *memOutbox) find(epoch string, l movement.Lane) (*memStream, error) {
	for _, s := range o.streams {
		if s.epoch == epoch && s.lane == l {
			return s, nil
		}
	}
	return nil, fmt.Errorf("no stream %s/%s", epoch, l)
}

func (o *memOutbox) Read(epoch string, l movement.Lane, from uint64, maxRecords, maxBytes int) (*wire.Batch, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, err := o.find(epoch, l)
	if err != nil {
		return nil, err
	}
	from = max(from, s.purged+1)
	if from > s.last() {
		return nil, nil
	}
	b := &wire.Batch{Header: wire.Header{Branch: o.branch, Epoch: epoch, Lane: l, First: from,
		Prev: s.hashes[from-1], Oldest: s.purged + 1}}
	if from == s.purged+1 {
		b.Gone = from - 1
	}
	for seq := from; seq <= s.last() && len(b.Records) < maxRecords && maxBytes > 0; seq++ {
		b.Records = append(b.Records, s.records[seq-1])
		maxBytes -= len(s.records[seq-1])
	}
	b.Last = s.hashes[from-1+uint64(len(b.Records))]
	return b, nil
}

func (o *memOutbox) Ack(epoch string, l movement.Lane, through uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, err := o.find(epoch, l)
	if err == nil {
		s.acked = max(s.acked, min(through, s.last()))
		o.moved()
	}
	return err
}

func (o *memOutbox) Fork(epoch string, l movement.Lane, common uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, err := o.find(epoch, l)
	if err != nil {
		return err
	}
	end := s.last() // of what is not set aside by an earlier fork
	s.closed, s.forked, s.forkedAt, s.acked = true, true, common, common
	rest := max(common, s.purged)
	if rest >= end {
		o.moved()
		return nil
	}
	to := o.fresh(l, movement.ForkEpoch(s.hashes[rest+1]))
	for _, r := range s.records[rest:end] {
		to.add(r)
	}
	o.signal()
	o.moved()
	return nil
}

// fresh makes the stream into which another one forks; further records of the
// lane go there, too.
func (o *memOutbox) fresh(l movement.Lane, epoch string) *memStream {
	for _, s := range o.streams {
		s.closed = s.closed || s.lane == l
	}
	to := o.open(l)
	if _, err := o.find(epoch, l); err != nil {
		to.epoch, to.hashes = epoch, []movement.Hash{movement.Genesis(o.branch, epoch, l)}
	}
	return to
}

// expire forgets the records that are acknowledged, as after the retention.
func (o *memOutbox) expire() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.streams {
		s.purged = max(s.purged, s.acked)
	}
}

// clone copies the outbox as a copied disk would.
func (o *memOutbox) clone() *memOutbox {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := &memOutbox{branch: o.branch, changed: make(chan struct{}), watch: make(chan struct{})}
	for _, s := range o.streams {
		t := *s
		t.records, t.hashes = slices.Clone(s.records), slices.Clone(s.hashes)
		c.streams = append(c.streams, &t)
	}
	return c
}

// unsent is how many records are not acknowledged; changed is closed when that
// changes.
func (o *memOutbox) unsent() (n uint64, changed <-chan struct{}) {
	o.mu.Lock()
	changed = o.watch
	o.mu.Unlock()
	for _, s := range o.Streams() {
		n += s.Unsent()
	}
	return n, changed
}

// memLedger is a ledger in memory.
type memLedger struct {
	mu      sync.Mutex
	streams map[ledger.Stream]*memRows
	audit   []ledger.Entry
	fail    error // what Commit returns, if set
}

type memRows struct {
	at   ledger.Cursor
	rows []*ledger.Batch
	gaps []memGap
}

type memGap struct{ first, last uint64 }

func newMemLedger() *memLedger { return &memLedger{streams: map[ledger.Stream]*memRows{}} }

func (l *memLedger) rows(s ledger.Stream) *memRows {
	r := l.streams[s]
	if r == nil {
		r = &memRows{at: ledger.Cursor{Hash: movement.Genesis(s.Branch, s.Epoch, s.Lane)}}
		l.streams[s] = r
	}
	return r
}

func (l *memLedger) Cursor(_ context.Context, s ledger.Stream) (ledger.Cursor, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rows(s).at, nil
}

func (l *memLedger) Covering(_ context.Context, s ledger.Stream, from, through uint64) iter.Seq2[*ledger.Batch, error] {
	l.mu.Lock()
	defer l.mu.Unlock()
	rows := l.rows(s).rows
	return func(yield func(*ledger.Batch, error) bool) {
		for _, b := range rows {
			if b.Last >= from && b.First <= through && !yield(b, nil) {
				return
			}
		}
	}
}

func (l *memLedger) Commit(_ context.Context, a ledger.Arrival) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	s := ledger.Stream{Branch: a.Header.Branch, Epoch: a.Header.Epoch, Lane: a.Header.Lane}
	r := l.rows(s)
	if r.at != a.After {
		return ledger.ErrMoved
	}
	r.rows = append(r.rows, &ledger.Batch{Stream: s, First: a.From, Last: a.Header.Through(), Prev: a.Prev,
		LastHash: a.Header.Last, ReceivedAt: a.ReceivedAt, Payload: bytes.Clone(a.Payload)})
	if a.Lost {
		r.gaps = append(r.gaps, memGap{r.at.Through + 1, a.From - 1})
	}
	r.at = ledger.Cursor{Through: a.Header.Through(), Hash: a.Header.Last}
	return nil
}

func (*memLedger) NoteAhead(context.Context, ledger.Stream, time.Time) (bool, error) {
	return false, nil
}

func (*memLedger) NoteEnd(context.Context, ledger.Stream, uint64, time.Time) (bool, error) {
	return false, nil
}

func (l *memLedger) Audit(_ context.Context, e ledger.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.audit = append(l.audit, e)
	return nil
}

// backup copies the ledger.
func (l *memLedger) backup() *memLedger {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := newMemLedger()
	for s, r := range l.streams {
		c.streams[s] = &memRows{at: r.at, rows: slices.Clone(r.rows), gaps: slices.Clone(r.gaps)}
	}
	c.audit = slices.Clone(l.audit)
	return c
}

// restore goes back to a backup.
func (l *memLedger) restore(b *memLedger) {
	c := b.backup()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams, l.audit = c.streams, c.audit
}

// count is how often each record is in the ledger. It checks that every
// stream's runs and gaps follow each other.
func (l *memLedger) count() (map[string]int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := map[string]int{}
	for s, r := range l.streams {
		next, gaps := uint64(1), r.gaps
		for _, b := range r.rows {
			if len(gaps) > 0 && gaps[0].first == next {
				next, gaps = gaps[0].last+1, gaps[1:]
			}
			records, err := b.Records()
			if err != nil || b.First != next {
				return nil, fmt.Errorf("batch of %v at %d where %d follows: %w", s, b.First, next, err)
			}
			for _, rec := range records {
				n[string(rec)]++
			}
			next = b.Last + 1
		}
	}
	return n, nil
}
