package outbox

import (
	"bytes"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// dropBlocks is how many blocks one commit deletes.
	dropBlocks = 256
	// lookEvery is how often old records are looked for.
	lookEvery = time.Minute
)

// tend does the housekeeping, a little at a time, so that whoever appends
// waits for a few milliseconds at most.
func (o *Outbox) tend() {
	o.saveAcks()
	if err := o.mergeSome(); err != nil {
		o.log.Warn("Natural keys could not be merged; it will be tried again.", "file", o.cfg.Path, "err", o.explain(err))
	}
	now := o.clock()
	if now.Sub(o.tended).Abs() < lookEvery {
		return
	}
	more, err := o.dropOld(now)
	if err == nil && !more {
		o.tended = now
		err = o.dropKeys()
	}
	if err != nil {
		o.tended = now
		o.log.Warn("Old records could not be deleted; it will be tried again.", "file", o.cfg.Path, "err", o.explain(err))
	}
}

// disposal is what may go from one stream in one portion.
type disposal struct {
	s      *stream
	blocks [][]byte // keys
	marks  [][]byte // keys
	rest   uint64   // the oldest seq that stays, 0 for none
	whole  bool     // nothing stays, and nothing will come
}

// dropOld deletes one portion of what has been acknowledged for longer than the
// retention, and tells whether there is more.
func (o *Outbox) dropOld(now time.Time) (more bool, err error) {
	var plan []disposal
	fold := false
	err = o.view(func(tx *bolt.Tx) error {
		for _, s := range o.streams {
			through, marks, err := o.expired(tx, s, now)
			if err != nil {
				return err
			}
			fold = fold || through > s.Folded
			p := disposal{s: s, marks: marks}
			if p.blocks, p.rest, err = oldBlocks(tx, s, through, o.grows(s)); err != nil {
				return err
			}
			p.whole = p.rest == 0 && !o.grows(s) && (!s.forked() || s.Fork.Done)
			if p.whole || len(p.blocks)+len(p.marks) > 0 {
				plan = append(plan, p)
			}
			more = more || len(p.blocks) == dropBlocks
		}
		return nil
	})
	if err != nil || len(plan) == 0 {
		return false, err
	}
	if fold { // the records hold the only copy of their keys
		if err := o.foldKeys(allFolded); err != nil {
			return false, err
		}
	}
	if err := o.update(func(tx *bolt.Tx) error {
		for _, p := range plan {
			if err := p.carryOut(tx); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return false, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range plan {
		p.s.oldest = p.rest
		if p.whole {
			o.streams = slices.DeleteFunc(o.streams, func(s *stream) bool { return s == p.s })
		}
	}
	return more, nil
}

func (p *disposal) carryOut(tx *bolt.Tx) error {
	for _, k := range p.marks {
		if err := tx.Bucket(acksBucket).Delete(k); err != nil {
			return err
		}
	}
	if p.whole {
		return dropStream(tx, p.s)
	}
	b := tx.Bucket(p.s.name())
	for _, k := range p.blocks {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// grows tells whether s is one of the streams that take new records.
func (o *Outbox) grows(s *stream) bool { return o.current[s.lane] == s }

// expired is the seq through which s was acknowledged longer ago than the
// retention, and the marks that say less than that.
func (o *Outbox) expired(tx *bolt.Tx, s *stream, now time.Time) (through uint64, stale [][]byte, err error) {
	var newest []byte
	c := tx.Bucket(acksBucket).Cursor()
	prefix := append(s.name(), 0)
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix) && len(stale) < 4*dropBlocks; k, v = c.Next() {
		hour, acked, err := parseMark(k, v)
		if err != nil {
			return 0, nil, err
		}
		if now.Sub(hour.Add(time.Hour)) < o.cfg.Retention {
			break // the hour may have been running still
		}
		if newest != nil {
			stale = append(stale, newest)
		}
		newest, through = bytes.Clone(k), max(through, acked)
	}
	if s.forked() && s.Fork.Done && now.Sub(s.Fork.At) > o.cfg.Retention {
		through = s.last
	}
	return through, stale, nil
}

// oldBlocks lists the keys of a portion of the blocks that end at or before
// through, and the first seq of what stays, 0 for nothing. The newest block of
// a stream that grows stays, as it says how the chain goes on; so does its
// tail.
func oldBlocks(tx *bolt.Tx, s *stream, through uint64, grows bool) (keys [][]byte, rest uint64, err error) {
	c := cursorOf(tx, s.name())
	for v := c.first(); v != nil; v = c.next() {
		b, err := parseBlock(v)
		if err != nil {
			return nil, 0, err
		}
		if b.last() > through || len(keys) == dropBlocks || c.at >= 0 || grows && b.last() == s.last {
			return keys, b.first, nil
		}
		keys = append(keys, seqKey(b.first))
	}
	return keys, 0, nil
}

// dropStream removes what is left of a stream that has nothing to send.
func dropStream(tx *bolt.Tx, s *stream) error {
	prefix := append(s.name(), 0)
	var marks [][]byte
	c := tx.Bucket(acksBucket).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		marks = append(marks, bytes.Clone(k))
	}
	for _, k := range marks {
		if err := tx.Bucket(acksBucket).Delete(k); err != nil {
			return err
		}
	}
	if err := tx.Bucket(stateBucket).Delete(s.name()); err != nil {
		return err
	}
	return tx.DeleteBucket(s.name())
}
