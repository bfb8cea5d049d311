package outbox

import (
	"runtime/debug"
	"slices"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/mapped"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// view runs fn in a reading transaction, which must be short: while it lasts
// the file's map cannot grow.
func (o *Outbox) view(fn func(*bolt.Tx) error) (err error) {
	defer o.caught(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	o.dbMu.RLock()
	defer o.dbMu.RUnlock()
	if err := o.usable(); err != nil {
		return err
	}
	return o.db.View(fn)
}

func (o *Outbox) sortStreams() {
	slices.SortFunc(o.streams, func(a, b *stream) int { return int(a.Order) - int(b.Order) })
}

// Read gives the records from seq from on, or from the first one after it that
// is still there, as one contiguous run of at most maxRecords with at most
// maxBytes of records (but at least one record, and never more than package
// wire allows). The header is complete but for V and Count, which packing
// sets. Where nothing is there, at or after from, the batch is nil.
//
// Any record that is kept can be read, acknowledged or not. Each is checked
// against its chain; one that fails is jumped over like a missing one.
func (o *Outbox) Read(epoch string, lane movement.Lane, from uint64, maxRecords, maxBytes int) (*wire.Batch, error) {
	o.mu.RLock()
	s := o.find(epoch, lane)
	if s == nil {
		o.mu.RUnlock()
		return nil, unknownStream(epoch, lane)
	}
	oldest, end := s.oldest, s.end()
	o.mu.RUnlock()
	if from > end || oldest == 0 {
		return nil, nil
	}
	r := run{from: max(from, oldest), end: end,
		maxRecords: min(max(maxRecords, 1), wire.MaxBatchRecords),
		maxBytes:   min(max(maxBytes, 1), wire.MaxBatchBytes)}
	var b *wire.Batch
	err := o.view(func(tx *bolt.Tx) error {
		c := cursorOf(tx, s.name())
		if c == nil {
			return nil
		}
		if r.collect(c); len(r.found) == 0 {
			return nil
		}
		first := r.found[0]
		b = &wire.Batch{Header: wire.Header{
			Branch: o.cfg.Branch, Epoch: epoch, Lane: lane,
			First: first.seq, Count: len(r.found), Prev: first.before(), Last: r.found[len(r.found)-1].after,
			Oldest: min(oldest, first.seq),
		}}
		b.Gone = first.seq - 1 - newestBefore(c, first.seq)
		b.Records = make([][]byte, len(r.found))
		buf := make([]byte, 0, r.bytes)
		for i := range r.found {
			start := len(buf)
			buf = append(buf, r.found[i].record()...)
			b.Records[i] = buf[start:len(buf):len(buf)]
		}
		o.trim(tx, int64(r.bytes))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// trimEvery is how much is read before the pages are given back, which else
// would count as the agent's memory.
const trimEvery = 1 << 20

// trim gives read pages back to the system, once enough were read.
func (o *Outbox) trim(tx *bolt.Tx, n int64) {
	if o.trimmed.Add(n) >= trimEvery {
		o.trimmed.Store(0)
		mapped.GiveBack(tx)
	}
}

// run collects consecutive sound records.
type run struct {
	from, end            uint64
	maxRecords, maxBytes int
	found                []entry // pointing into the file's map
	bytes                int
}

func (r *run) collect(c *blockCursor) {
	for v := c.seek(r.from); v != nil; v = c.next() {
		b, err := parseBlock(v)
		if err != nil {
			if len(r.found) > 0 {
				return
			}
			continue
		}
		full := false
		b.entries(func(e entry) bool {
			if e.seq < r.from {
				return true
			}
			n := len(e.record()) + 1
			next := len(r.found) == 0 || e.seq == r.from && e.before() == r.found[len(r.found)-1].after
			if e.seq > r.end || !next || len(r.found) == r.maxRecords || len(r.found) > 0 && r.bytes+n > r.maxBytes {
				full = true
				return false
			}
			if !e.sound() {
				full = len(r.found) > 0
				return !full
			}
			r.found = append(r.found, e)
			r.bytes += n
			r.from = e.seq + 1
			return true
		})
		if full {
			return
		}
	}
}

// newestBefore is the newest sound record before seq, 0 for none.
func newestBefore(c *blockCursor, seq uint64) uint64 {
	if seq == 1 {
		return 0
	}
	v := c.seek(seq - 1)
	if v == nil {
		v = c.last()
	}
	for ; v != nil; v = c.prev() {
		b, err := parseBlock(v)
		if err != nil {
			continue
		}
		var older []entry
		b.entries(func(e entry) bool {
			if e.seq < seq {
				older = append(older, e)
			}
			return e.seq < seq
		})
		for _, e := range slices.Backward(older) {
			if e.sound() {
				return e.seq
			}
		}
	}
	return 0
}
