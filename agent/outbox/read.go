package outbox

import (
	"runtime/debug"
	"slices"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/movement"
	"branchline/internal/wire"
)

// view runs fn in a reading transaction, which must be short: while it lasts
// the file's map cannot grow.
func (o *Outbox) view(fn func(*bolt.Tx) error) (err error) {
	defer caught(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	o.dbMu.RLock()
	defer o.dbMu.RUnlock()
	if o.db == nil {
		return closedFault()
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
		bucket := tx.Bucket(s.name())
		if bucket == nil {
			return nil
		}
		c := bucket.Cursor()
		if err := r.collect(c); err != nil || len(r.found) == 0 {
			return err
		}
		first := r.found[0]
		b = &wire.Batch{Header: wire.Header{
			Branch: o.cfg.Branch, Epoch: epoch, Lane: lane,
			First: first.seq, Count: len(r.found), Prev: first.before(), Last: r.found[len(r.found)-1].after,
			Oldest: min(oldest, first.seq),
		}}
		older, err := newestBefore(c, first.seq)
		if err != nil {
			return err
		}
		b.Gone = first.seq - 1 - older
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
const trimEvery = 4 << 20

// trim gives read pages back to the system, once enough were read.
func (o *Outbox) trim(tx *bolt.Tx, n int64) {
	if o.trimmed.Add(n) >= trimEvery {
		o.trimmed.Store(0)
		giveBack(tx)
	}
}

// run collects consecutive sound records.
type run struct {
	from, end            uint64
	maxRecords, maxBytes int
	found                []entry // pointing into the file's map
	bytes                int
}

func (r *run) collect(c *bolt.Cursor) error {
	k, v := seekBlock(c, r.from)
	for ; k != nil; k, v = c.Next() {
		b, err := parseBlock(v)
		if err != nil {
			if len(r.found) > 0 {
				return nil
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
			return nil
		}
	}
	return nil
}

// seekBlock finds the block that holds seq, or the first one after it.
func seekBlock(c *bolt.Cursor, seq uint64) (k, v []byte) {
	k, v = c.Seek(seqKey(seq))
	if k != nil {
		if first, err := keySeq(k); err == nil && first == seq {
			return k, v
		}
		k, v = c.Prev()
	} else {
		k, v = c.Last()
	}
	if k != nil {
		if b, err := parseBlock(v); err == nil && b.last() >= seq {
			return k, v
		}
	}
	return c.Seek(seqKey(seq))
}

// newestBefore is the newest sound record before seq, 0 for none.
func newestBefore(c *bolt.Cursor, seq uint64) (uint64, error) {
	if seq == 1 {
		return 0, nil
	}
	k, v := seekBlock(c, seq-1)
	if k == nil {
		k, v = c.Last()
	}
	for ; k != nil; k, v = c.Prev() {
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
				return e.seq, nil
			}
		}
	}
	return 0, nil
}
