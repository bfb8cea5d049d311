package outbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/movement"
)

// keyHash stands for a natural key: the first half of its SHA-256. Two keys of
// one branch that share it are not to be expected in the age of the universe.
type keyHash [16]byte

func hashKey(naturalKey string) keyHash {
	sum := sha256.Sum256([]byte(naturalKey))
	return keyHash(sum[:])
}

// keyMemory knows which natural keys were recorded. It belongs to whoever has
// the turn.
//
// The newest keys are in memory only, since the records themselves hold them;
// some thousand at a time are folded into a sorted run on disk. Small runs are
// merged into larger ones. A filter in memory, two bytes a key, answers for
// nearly all keys that are new, so that a long memory costs an import nothing.
type keyMemory struct {
	pending []pendingKey
	index   map[keyHash]int32 // into pending
	runs    []uint64          // keys in the bucket, oldest first
	sizes   map[uint64]int
	filter  *keyFilter
}

type pendingKey struct {
	hash  keyHash
	s     *stream
	seq   uint64
	print uint64
}

const (
	// foldAt is how many keys wait in memory before they become a run.
	foldAt = 8192
	// filterStart is for how many keys the filter has room at first: 512 KiB.
	filterStart = 256 << 10
	// mergeRuns runs of less than mergeBelow keys become one.
	mergeRuns  = 8
	mergeBelow = 4 * foldAt
)

func newKeyMemory() *keyMemory {
	return &keyMemory{index: make(map[keyHash]int32), sizes: make(map[uint64]int), filter: newKeyFilter(filterStart)}
}

// keyLookup finds keys within one transaction.
type keyLookup struct {
	m    *keyMemory
	tx   *bolt.Tx
	runs []keyRun // newest first, once one was needed
}

// find gives the place of a known key, with Known set.
func (l *keyLookup) find(h keyHash) (Place, error) {
	if !l.m.filter.has(h) {
		return Place{}, nil
	}
	if i, ok := l.m.index[h]; ok {
		p := &l.m.pending[i]
		return Place{Epoch: p.s.epoch, Lane: p.s.lane, Seq: p.seq, Known: true, Print: p.print}, nil
	}
	if l.runs == nil {
		b := l.tx.Bucket(keysBucket)
		for _, id := range slices.Backward(l.m.runs) {
			r, err := parseRun(b.Get(seqKey(id)))
			if err != nil {
				return Place{}, err
			}
			l.runs = append(l.runs, r)
		}
	}
	for i := range l.runs {
		if p, ok := l.runs[i].find(h); ok {
			return p, nil
		}
	}
	return Place{}, nil
}

// add remembers a key whose record is part of the commit under way.
func (m *keyMemory) add(h keyHash, s *stream, seq, print uint64) {
	m.index[h] = int32(len(m.pending))
	m.pending = append(m.pending, pendingKey{h, s, seq, print})
	m.filter.add(h)
}

// forget takes back what a failed commit has added: all but the first n.
func (m *keyMemory) forget(n int) {
	if n == 0 {
		clear(m.index)
		m.pending = m.pending[:0]
		return
	}
	for _, p := range m.pending[n:] {
		delete(m.index, p.hash)
	}
	m.pending = m.pending[:n]
}

// foldKeys writes all keys that wait in memory as a run, and merges runs.
// through tells for each stream up to where its keys were waiting; all of them
// must have been committed.
func (o *Outbox) foldKeys(through func(*stream) uint64) error {
	m := o.keys
	var id uint64
	count := len(m.pending)
	err := o.update(func(tx *bolt.Tx) error {
		did := count > 0
		if did {
			var err error
			if id, err = tx.Bucket(keysBucket).NextSequence(); err != nil {
				return err
			}
			if err := putRun(tx, id, m.drafted(o.clock())); err != nil {
				return err
			}
		}
		o.mu.RLock()
		defer o.mu.RUnlock()
		for _, s := range o.streams {
			if s.Folded == through(s) {
				continue
			}
			did = true
			state := *s
			state.Folded = through(s)
			if err := state.saveState(tx); err != nil {
				return err
			}
		}
		if !did {
			return errNothing
		}
		return nil
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	o.mu.Lock()
	for _, s := range o.streams {
		s.Folded = through(s)
	}
	o.mu.Unlock()
	if count > 0 {
		m.runs, m.sizes[id] = append(m.runs, id), count
		m.forget(0)
	}
	return m.tidyFilter(o)
}

// allFolded says that every key of a stream was waiting.
func allFolded(s *stream) uint64 { return s.last }

// drafted makes a run of the pending keys.
func (m *keyMemory) drafted(now time.Time) *runDraft {
	d := &runDraft{newest: now, entries: make([]runEntry, 0, len(m.pending))}
	streams := make(map[*stream]uint16)
	for _, p := range m.pending {
		i, ok := streams[p.s]
		if !ok {
			i = d.stream(p.s.epoch, p.s.lane)
			streams[p.s] = i
		}
		e := newRunEntry(p.hash)
		e.stream, e.seq, e.print = i, p.seq, p.print
		d.entries = append(d.entries, e)
	}
	slices.SortFunc(d.entries, compareEntries)
	return d
}

// mergeable gives the oldest small runs, when there are enough of them, and as
// many as fit into one.
func (m *keyMemory) mergeable() []uint64 {
	var small []uint64
	for _, id := range m.runs {
		if m.sizes[id] < mergeBelow {
			small = append(small, id)
		}
	}
	if len(small) < mergeRuns {
		return nil
	}
	n, keys := 0, 0
	for n < mergeRuns && keys+m.sizes[small[n]] <= maxRun {
		keys += m.sizes[small[n]]
		n++
	}
	return small[:n]
}

// mergeSome merges the oldest small runs, when there are enough of them. It is
// left to the housekeeping, so that no import waits for it.
func (o *Outbox) mergeSome() error {
	if ids := o.keys.mergeable(); ids != nil {
		return o.mergeRuns(ids)
	}
	return nil
}

// mergeRuns replaces runs by one with all their keys, under the id of the last.
func (o *Outbox) mergeRuns(ids []uint64) error {
	m := o.keys
	into := ids[len(ids)-1]
	count := 0
	err := o.update(func(tx *bolt.Tx) error {
		b := tx.Bucket(keysBucket)
		var runs []keyRun
		for _, id := range ids {
			r, err := parseRun(b.Get(seqKey(id)))
			if err != nil {
				return err
			}
			runs = append(runs, r)
		}
		d := merge(runs)
		count = len(d.entries)
		for _, id := range ids {
			if err := b.Delete(seqKey(id)); err != nil {
				return err
			}
		}
		return putRun(tx, into, d)
	})
	if err != nil {
		return err
	}
	m.runs = slices.DeleteFunc(m.runs, func(id uint64) bool { return id != into && slices.Contains(ids, id) })
	for _, id := range ids {
		delete(m.sizes, id)
	}
	m.sizes[into] = count
	return nil
}

// dropKeys forgets the oldest run whose newest key is past the memory's time.
// One at a time: a clock that is wrong for a moment must not cost all of them.
func (o *Outbox) dropKeys() error {
	m := o.keys
	if len(m.runs) == 0 {
		return nil
	}
	id := m.runs[0]
	err := o.update(func(tx *bolt.Tx) error {
		b := tx.Bucket(keysBucket)
		r, err := parseRun(b.Get(seqKey(id)))
		if err != nil {
			return err
		}
		if o.clock().Sub(r.newest) < o.cfg.KeyMemory {
			return errNothing
		}
		return b.Delete(seqKey(id))
	})
	switch {
	case errors.Is(err, errNothing):
		return nil
	case err == nil:
		m.runs = m.runs[1:]
		delete(m.sizes, id)
	}
	return err
}

// loadKeys reads the runs into the filter, and the keys of records that are in
// no run yet. It may fold, and needs the streams.
func (o *Outbox) loadKeys() error {
	m := newKeyMemory()
	o.keys = m
	var bad [][]byte
	err := o.view(func(tx *bolt.Tx) error {
		return tx.Bucket(keysBucket).ForEach(func(k, v []byte) error {
			r, err := parseRun(v)
			if err != nil || len(k) != 8 || !intactRun(k, v) {
				bad = append(bad, slices.Clone(k))
				return nil
			}
			id := binary.BigEndian.Uint64(k)
			m.runs, m.sizes[id] = append(m.runs, id), r.count
			if !m.filter.roomFor(r.count) {
				m.filter = m.filter.grown(r.count)
				return m.refill(tx)
			}
			m.fill(r)
			o.trim(tx, int64(len(v)))
			return nil
		})
	})
	if err != nil {
		return err
	}
	if len(bad) > 0 {
		o.log.Warn("Some natural keys are forgotten, as their pages are damaged; the hub knows them, too.", "file", o.cfg.Path)
		if err := o.update(func(tx *bolt.Tx) error {
			for _, k := range bad {
				if err := tx.Bucket(keysBucket).Delete(k); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for _, s := range o.streams {
		if err := o.loadPending(s); err != nil {
			return err
		}
	}
	return nil
}

// loadPending reads the natural keys of the records that are in no run yet, a
// part at a time so that neither memory nor transactions grow.
func (o *Outbox) loadPending(s *stream) error {
	for from := s.Folded + 1; from <= s.last; {
		err := o.view(func(tx *bolt.Tx) error {
			c := cursorOf(tx, s.name())
			n := 0
			for v := c.seek(from); v != nil && n < foldAt; v = c.next() {
				b, err := parseBlock(v)
				if err != nil {
					return err
				}
				b.entries(func(e entry) bool {
					if n++; e.seq < from || !mayHaveKey(e.record()) {
						return true
					}
					if mv, err := movement.Decode(e.record()); err == nil && mv.NaturalKey != "" {
						o.keys.add(hashKey(mv.NaturalKey), s, e.seq, mv.Print())
					}
					return true
				})
				from = b.last() + 1
				o.trim(tx, int64(len(v)))
			}
			if n == 0 {
				from = s.last + 1
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(o.keys.pending) < foldAt {
			continue
		}
		err = o.foldKeys(func(other *stream) uint64 {
			if other == s {
				return from - 1
			}
			return other.Folded
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tidyFilter makes the filter larger when it is full.
func (m *keyMemory) tidyFilter(o *Outbox) error {
	if m.filter.roomFor(foldAt) {
		return nil
	}
	m.filter = m.filter.grown(foldAt)
	return o.view(m.refill)
}

// refill puts all keys into an empty filter.
func (m *keyMemory) refill(tx *bolt.Tx) error {
	b := tx.Bucket(keysBucket)
	for _, id := range m.runs {
		r, err := parseRun(b.Get(seqKey(id)))
		if err != nil {
			return err
		}
		m.fill(r)
	}
	for _, p := range m.pending {
		m.filter.add(p.hash)
	}
	return nil
}

func (m *keyMemory) fill(r keyRun) {
	for i := range r.count {
		m.filter.add(keyHash(r.entry(i)))
	}
}

var keyMember = []byte(`"natural_key":"`)

// mayHaveKey spares most records without a natural key from being decoded.
func mayHaveKey(record []byte) bool { return bytes.Contains(record, keyMember) }
