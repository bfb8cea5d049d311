package outbox

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/movement"
)

// Small writes of a stream that grows, a scan at a time, go into the bucket
// "tail" first, under the stream's name and the seq. A commit then changes
// three pages however large the stream is: the tail's, the root and the meta.
// When a stream has enough there it becomes one block at the end of the
// stream's own bucket. Only streams that grow have a tail.
var tailBucket = []byte("tail")

const (
	// tailBytes is how much of a stream stays in the tail: what fits into a
	// page beside the other lane's.
	tailBytes = 3 << 10
	// tailBlock is the largest block that goes there.
	tailBlock = 3 << 9
)

func tailKey(name []byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append(append(make([]byte, 0, len(name)+9), name...), 0), seq)
}

func parseTailKey(key []byte) (name []byte, seq uint64, ok bool) {
	i := len(key) - 9
	if i < 0 || key[i] != 0 {
		return nil, 0, false
	}
	return key[:i], binary.BigEndian.Uint64(key[i+1:]), true
}

// The tail's sequence holds the newest seq of both lanes' streams that grow,
// so that a lost page of the tail is noticed: the sequence lies in the root.
func packNewest(live, bulk uint64) uint64 {
	return min(live, math.MaxUint32)<<32 | min(bulk, math.MaxUint32)
}

func newestOf(sequence uint64, lane movement.Lane) uint64 {
	if lane == movement.Live {
		return sequence >> 32
	}
	return sequence & math.MaxUint32
}

// tailOf lists the blocks that a stream has in the tail.
func tailOf(tx *bolt.Tx, name []byte) (values [][]byte) {
	prefix := append(bytes.Clone(name), 0)
	c := tx.Bucket(tailBucket).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		values = append(values, v)
	}
	return values
}

// settle moves a stream's tail into its own bucket, as one block with more
// behind it, and gives the seq and the hash with which that ends; last is 0
// where there was no tail, and nothing happened.
func settle(tx *bolt.Tx, s *stream, more *draft) (last uint64, head movement.Hash, err error) {
	name := s.name()
	var d *draft
	var first uint64
	var at time.Time
	var before movement.Hash
	var keys [][]byte
	values := tailOf(tx, name)
	size := 0
	for _, v := range values {
		size += len(v)
	}
	if more != nil {
		size += len(more.buf)
	}
	for _, v := range values {
		b, err := parseBlock(v)
		if err != nil {
			return 0, head, err
		}
		if d == nil {
			d, first, at = newDraft(size+len(head)), b.first, b.at
			before = movement.Hash(b.body[4:])
		}
		b.entries(func(e entry) bool { d.addRecord(e.record()); return true })
		keys = append(keys, tailKey(name, b.first))
	}
	if d == nil {
		return 0, head, nil
	}
	for _, k := range keys {
		if err := tx.Bucket(tailBucket).Delete(k); err != nil {
			return 0, head, err
		}
	}
	if more != nil {
		d.join(more)
	}
	value, head := d.seal(s.epoch, s.lane, first, at, before)
	last = first + uint64(d.count) - 1
	return last, head, putBlock(tx, s, first, last, value)
}

func putBlock(tx *bolt.Tx, s *stream, first, last uint64, value []byte) error {
	b := tx.Bucket(s.name())
	b.FillPercent = fillPercent
	if err := b.Put(seqKey(first), value); err != nil {
		return err
	}
	return b.SetSequence(last)
}

// blockCursor goes over the blocks of a stream, those in the tail last. Its
// methods give the value, nil past either end.
type blockCursor struct {
	main *bolt.Cursor
	tail [][]byte
	at   int // in the tail; -1 while in the stream's own bucket
}

// cursorOf is nil where the stream is no more.
func cursorOf(tx *bolt.Tx, name []byte) *blockCursor {
	b := tx.Bucket(name)
	if b == nil {
		return nil
	}
	return &blockCursor{main: b.Cursor(), tail: tailOf(tx, name), at: -1}
}

func (c *blockCursor) inTail(i int) []byte {
	if c.at = i; i >= 0 && i < len(c.tail) {
		return c.tail[i]
	}
	return nil
}

func (c *blockCursor) inMain(k, v []byte) []byte {
	if c.at = -1; k == nil {
		return nil
	}
	return v
}

func (c *blockCursor) first() []byte {
	if v := c.inMain(c.main.First()); v != nil {
		return v
	}
	return c.inTail(0)
}

func (c *blockCursor) last() []byte {
	if n := len(c.tail); n > 0 {
		return c.inTail(n - 1)
	}
	return c.inMain(c.main.Last())
}

func (c *blockCursor) next() []byte {
	if c.at < 0 {
		if v := c.inMain(c.main.Next()); v != nil {
			return v
		}
	}
	return c.inTail(c.at + 1)
}

func (c *blockCursor) prev() []byte {
	switch {
	case c.at > 0:
		return c.inTail(c.at - 1)
	case c.at == 0:
		return c.inMain(c.main.Last())
	}
	return c.inMain(c.main.Prev())
}

// seek finds the block that holds seq, or the first one after it.
func (c *blockCursor) seek(seq uint64) []byte {
	for i, v := range c.tail {
		b, err := parseBlock(v)
		if err != nil || b.last() < seq {
			continue
		}
		if b.first <= seq {
			return c.inTail(i)
		}
		break
	}
	k, v := c.main.Seek(seqKey(seq))
	if first, err := keySeq(k); err == nil && first == seq {
		return c.inMain(k, v)
	}
	if k == nil {
		k, v = c.main.Last()
	} else {
		k, v = c.main.Prev()
	}
	if k != nil {
		if b, err := parseBlock(v); err == nil && b.last() >= seq {
			return c.inMain(k, v)
		}
	}
	if k, v = c.main.Seek(seqKey(seq)); k != nil {
		return c.inMain(k, v)
	}
	for i, v := range c.tail {
		if b, err := parseBlock(v); err == nil && b.last() >= seq {
			return c.inTail(i)
		}
	}
	return nil
}
