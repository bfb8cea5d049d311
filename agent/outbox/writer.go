package outbox

import (
	"errors"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/fault"
	"branchline/internal/killpoint"
	"branchline/internal/movement"
)

// groupBytes is how much waiting work goes into one commit.
const groupBytes = 4 << 20

// growth is what a commit adds to one stream.
type growth struct {
	s     *stream
	first uint64 // of what is added
	last  uint64
	head  movement.Hash
	open  *draft // the block being filled
	tail  int    // bytes in the tail
	// stored says that a block went into the stream's own bucket, so that
	// there is no tail.
	stored bool
}

// change is one commit in the making.
type change struct {
	o     *Outbox
	at    time.Time
	grown [3]growth // by lane
	keys  keyLookup
	room  int64
	did   bool
}

var errNothing = errors.New("nothing to commit")

// commit records a group in one transaction and tells each its outcome.
func (o *Outbox) commit(group []*Ticket) {
	if len(group) == 0 {
		return
	}
	c := &change{o: o, at: o.clock()}
	waiting := len(o.keys.pending)
	var refused []*Ticket
	err := o.update(func(tx *bolt.Tx) error {
		c.room, c.keys = o.room(tx), keyLookup{m: o.keys, tx: tx}
		for i, t := range group {
			if t.err = c.admit(t, group[:i]); t.err != nil {
				refused = append(refused, t)
				continue
			}
			if err := c.take(tx, t); err != nil {
				return err
			}
		}
		if !c.did {
			return errNothing
		}
		if err := c.flush(tx); err != nil {
			return err
		}
		killpoint.Here("outbox.append.before-commit")
		return nil
	})
	if errors.Is(err, errNothing) {
		err = nil
	}
	if err != nil {
		o.keys.forget(waiting)
		err = o.explain(err)
	} else {
		killpoint.Here("outbox.append.committed")
		c.apply()
	}
	o.note(err, refused)
	// A scan that waits already goes before it, but not for ever.
	if n := len(o.keys.pending); err == nil && (n >= 2*foldAt || n >= foldAt && len(o.urgent) == 0) {
		defer o.fold()
	}
	for _, t := range group {
		if err == nil { // bbolt has written everything out
			for _, d := range t.blocks {
				d.letGo()
			}
		}
		t.blocks = nil
		switch {
		case t.err != nil: // refused
		case err != nil:
			t.places, t.err = nil, err
		}
		close(t.done)
	}
}

// admit tells why t cannot be part of the commit.
func (c *change) admit(t *Ticket, before []*Ticket) error {
	if t.after != nil {
		select {
		case <-t.after.done:
		default:
			if !slices.Contains(before, t.after) {
				return errors.New("outbox: a write waits for one that was never submitted")
			}
		}
		if t.after.err != nil {
			return t.after.err
		}
	}
	if int64(t.bytes) > c.room {
		return c.o.fullFault()
	}
	c.room -= int64(t.bytes)
	return nil
}

// take puts t into the transaction.
func (c *change) take(tx *bolt.Tx, t *Ticket) error {
	for _, n := range t.notes {
		if err := putNote(tx, n); err != nil {
			return err
		}
		c.did = true
	}
	if len(t.keys) == 0 {
		return nil
	}
	g := &c.grown[t.lane]
	if g.s == nil {
		c.o.mu.RLock()
		g.s = c.o.current[t.lane]
		g.last, g.head, g.first, g.tail = g.s.last, g.s.head, g.s.last+1, g.s.tail
		c.o.mu.RUnlock()
	}
	t.places = make([]Place, len(t.keys))
	places, keys, prints := t.places, t.keys, t.prints
	for _, d := range t.blocks {
		n := d.count
		fresh, err := c.place(g, keys[:n], prints[:n], places[:n])
		if err != nil {
			return err
		}
		if fresh < n {
			known := places
			d = d.without(func(i int) bool { return known[i].Known })
		}
		places, keys, prints = places[n:], keys[n:], prints[n:]
		if d.count == 0 {
			continue
		}
		c.did = true
		if err := g.take(tx, d, c.at); err != nil {
			return err
		}
	}
	return nil
}

// place finds the place of each of a block's movements, and tells how many of
// them are new.
func (c *change) place(g *growth, keys []keyHash, prints []uint64, places []Place) (fresh int, err error) {
	next := g.last + 1
	if g.open != nil {
		next += uint64(g.open.count)
	}
	for i, key := range keys {
		if key != (keyHash{}) {
			known, err := c.keys.find(key)
			if err != nil {
				return 0, err
			}
			if known.Known {
				places[i] = c.o.moved(known)
				continue
			}
			c.o.keys.add(key, g.s, next, prints[i])
		}
		places[i] = Place{Epoch: g.s.epoch, Lane: g.s.lane, Seq: next}
		next++
		fresh++
	}
	return fresh, nil
}

// take adds a draft behind what is there: a small one joins the block being
// filled.
func (g *growth) take(tx *bolt.Tx, d *draft, at time.Time) error {
	if g.open != nil && len(g.open.buf)+len(d.buf) <= blockTarget {
		g.open.join(d)
		return nil
	}
	if err := g.store(tx, at); err != nil {
		return err
	}
	g.open = d
	return nil
}

// flush puts away what is left: small blocks into the tail, others into the
// stream's own bucket.
func (c *change) flush(tx *bolt.Tx) error {
	newest := [3]uint64{}
	grew := false
	for _, lane := range movement.Lanes {
		g := &c.grown[lane]
		if g.s == nil {
			newest[lane] = c.o.current[lane].last
			continue
		}
		if g.open != nil {
			grew = true
			if err := g.finish(tx, c.at); err != nil {
				return err
			}
		}
		newest[lane] = g.last
	}
	if !grew {
		return nil
	}
	return tx.Bucket(tailBucket).SetSequence(packNewest(newest[movement.Live], newest[movement.Bulk]))
}

// finish puts the block being filled into the tail, if it may lie there.
func (g *growth) finish(tx *bolt.Tx, at time.Time) error {
	size := len(g.open.buf)
	if g.stored || size > tailBlock || g.tail+size > tailBytes {
		return g.store(tx, at)
	}
	first := g.last + 1
	value := g.seal(at)
	g.tail += len(value)
	return tx.Bucket(tailBucket).Put(tailKey(g.s.name(), first), value)
}

// store puts the block being filled into the stream's own bucket, behind what
// lies in the tail.
func (g *growth) store(tx *bolt.Tx, at time.Time) error {
	if g.open == nil {
		return nil
	}
	if !g.stored {
		g.stored = true
		more := g.open
		if len(more.buf) > blockTarget {
			more = nil // both would be too large for one block
		}
		last, head, err := settle(tx, g.s, more)
		if err != nil {
			return err
		}
		g.tail = 0
		if last > 0 && more != nil {
			g.last, g.head, g.open = last, head, nil
			return nil
		}
	}
	first := g.last + 1
	value := g.seal(at)
	return putBlock(tx, g.s, first, g.last, value)
}

// seal finishes the block being filled.
func (g *growth) seal(at time.Time) []byte {
	value, head := g.open.seal(g.s.epoch, g.s.lane, g.last+1, at, g.head)
	g.last += uint64(g.open.count)
	g.head, g.open = head, nil
	return value
}

// fillPercent packs pages, as seqs only ever grow.
const fillPercent = 0.95

// apply makes a change visible that is on disk.
func (c *change) apply() {
	o := c.o
	o.mu.Lock()
	defer o.mu.Unlock()
	grew := false
	for _, g := range c.grown {
		if g.s != nil && g.last > g.s.last {
			if g.s.oldest == 0 {
				g.s.oldest = g.first
			}
			g.s.last, g.s.head, g.s.tail = g.last, g.head, g.tail
			grew = true
		}
	}
	if grew {
		o.signal()
	}
}

// update runs one bbolt transaction. A page that cannot be read, and whatever
// else bbolt panics about, comes back as an error.
func (o *Outbox) update(fn func(*bolt.Tx) error) (err error) {
	defer o.caught(&err)
	o.dbMu.RLock()
	defer o.dbMu.RUnlock()
	if err := o.usable(); err != nil {
		return err
	}
	var id int
	err = o.transact(o.db, func(tx *bolt.Tx) error {
		id = tx.ID()
		if _, err := tx.Bucket(stateBucket).NextSequence(); err != nil {
			return err
		}
		return fn(tx)
	})
	if err == nil || id == 0 || errors.Is(err, errNothing) {
		return err
	}
	return o.unsure(id, err)
}

// unsure decides what became of a commit that failed. Where only the very last
// step failed, the transaction is there for whoever reads, but may not be on
// disk: another, empty one over it makes it certain. Where that fails, too, the
// outbox ends: what it has in memory is not what the file may hold, and only
// opening the file tells.
func (o *Outbox) unsure(id int, err error) error {
	var seen int
	if e := o.db.View(func(tx *bolt.Tx) error { seen = tx.ID(); return nil }); e != nil || seen < id {
		return err
	}
	e := o.transact(o.db, func(*bolt.Tx) error { return nil })
	if e == nil {
		return nil
	}
	err = fmt.Errorf("%w; and again: %w", err, e)
	_ = o.end(fault.New(fault.Setup, "outbox_unwritable", "the disk of %s has failed while it was written to: %w", o.cfg.Path, err).
		WithHint("check the disk and restart the agent, which reads what is really there"))
	return fault.New(fault.Setup, "outbox_unsure", "writing %s failed in its last step: %w", o.cfg.Path, err).
		WithHint("check the disk and restart the agent; look then whether what was captured last is recorded, before it is captured again")
}

// fold makes a run of the keys that wait; if that fails, the next commit tries
// again.
func (o *Outbox) fold() {
	if err := o.foldKeys(allFolded); err != nil {
		o.log.Warn("The natural keys stay in memory for now.", "file", o.cfg.Path, "err", o.explain(err))
	}
}
