package outbox

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"branchline/internal/movement"
)

// A block's bytes, integers big-endian:
//
//	magic    4   "BLR", version
//	lane     1
//	epoch   12
//	first    8   seq of the first record
//	count    4
//	at       8   when its first record was committed, Unix milliseconds
//	then for each record
//	  length 4
//	  hash  32   the chain's hash before the record
//	  bytes
//	hash    32   the chain's hash after the last record
//
// Hash and bytes lie side by side as the chain hashes them, so that neither
// writing nor checking copies a record.
const (
	blockMagic = "BLR\x01"
	blockHead  = 37
	recordHead = 4 + len(movement.Hash{})
	// blockTarget is the size at which a block is closed: large enough that a
	// commit of thousands of records is a few hundred pages, small enough that
	// a bad page costs few records.
	blockTarget = 16 << 10
	// maxBlock is more than any block can have.
	maxBlock = blockTarget + movement.MaxRecord + 1<<10
)

// errBlock is what parseBlock says to bytes that are no block.
var errBlock = errors.New("not a block of records")

// block is a stored value taken apart. Its slices point into the value.
type block struct {
	epoch string
	lane  movement.Lane
	first uint64
	count int
	at    time.Time
	body  []byte // records and last hash
}

// parseBlock checks the form, not the chain: afterwards walking the records
// stays within the value.
func parseBlock(v []byte) (block, error) {
	b, n := cutBlock(v)
	if n == 0 || n != len(v) {
		return block{}, errBlock
	}
	return b, nil
}

// cutBlock reads the block that v begins with and tells its size, 0 for none.
func cutBlock(v []byte) (block, int) {
	b, size := frameBlock(v)
	if size == 0 || !b.placed() {
		return block{}, 0
	}
	return b, size
}

// placed tells whether the head can be right about where the block lies.
func (b *block) placed() bool {
	return b.lane.Valid() && movement.ValidEpoch(b.epoch) && b.first > 0 && b.first <= 1<<62
}

// frameBlock is [cutBlock] whatever the head says of the block's place, which no
// sum protects.
func frameBlock(v []byte) (block, int) {
	var b block
	if len(v) < blockHead+recordHead+len(movement.Hash{}) || string(v[:4]) != blockMagic {
		return b, 0
	}
	b.lane = movement.Lane(v[4])
	b.epoch = string(v[5:17])
	b.first = binary.BigEndian.Uint64(v[17:])
	count := binary.BigEndian.Uint32(v[25:])
	b.at = time.UnixMilli(int64(binary.BigEndian.Uint64(v[29:])))
	if count == 0 || int64(count) > int64(len(v)/recordHead) {
		return b, 0
	}
	b.count = int(count)
	size := blockHead
	for range b.count {
		if len(v)-size < recordHead {
			return b, 0
		}
		n := binary.BigEndian.Uint32(v[size:])
		if n == 0 || n > movement.MaxRecord || int(n) > len(v)-size-recordHead {
			return b, 0
		}
		size += recordHead + int(n)
	}
	size += len(movement.Hash{})
	if size > len(v) || size > maxBlock {
		return b, 0
	}
	b.body = v[blockHead:size]
	return b, size
}

// last is the seq of the last record.
func (b *block) last() uint64 { return b.first + uint64(b.count) - 1 }

// entry is one record within a block.
type entry struct {
	seq uint64
	// chained is the hash before the record and the record itself.
	chained []byte
	// after is the stored hash after it.
	after movement.Hash
}

func (e *entry) before() movement.Hash { return movement.Hash(e.chained) }
func (e *entry) record() []byte        { return e.chained[len(movement.Hash{}):] }

// sound tells whether the hashes around the record are those of its bytes.
func (e *entry) sound() bool { return sha256.Sum256(e.chained) == e.after }

// entries calls fn for each record until it returns false.
func (b *block) entries(fn func(entry) bool) {
	rest := b.body
	for i := range b.count {
		n := int(binary.BigEndian.Uint32(rest))
		e := entry{seq: b.first + uint64(i), chained: rest[4 : recordHead+n]}
		rest = rest[recordHead+n:]
		if i+1 < b.count {
			e.after = movement.Hash(rest[4:])
		} else {
			e.after = movement.Hash(rest)
		}
		if !fn(e) {
			return
		}
	}
}

// head is the stored hash after the last record.
func (b *block) head() movement.Hash { return movement.Hash(b.body[len(b.body)-len(movement.Hash{}):]) }

// draft is a block in the making: everything but its place in the stream.
type draft struct {
	buf   []byte
	count int
}

func newDraft(capacity int) *draft {
	return &draft{buf: make([]byte, blockHead, capacity)}
}

// largeDrafts are those of files, by the thousand a second: they are used
// again once what they hold is committed.
var largeDrafts = sync.Pool{New: func() any { return newDraft(blockTarget + 4<<10) }}

func largeDraft() *draft {
	d := largeDrafts.Get().(*draft)
	d.buf, d.count = d.buf[:blockHead], 0
	return d
}

// letGo gives a draft back that nobody reads any more.
func (d *draft) letGo() {
	if cap(d.buf) >= blockTarget && cap(d.buf) <= maxBlock {
		largeDrafts.Put(d)
	}
}

// add appends a movement's record and tells its size.
func (d *draft) add(m *movement.Movement) int {
	start := len(d.buf)
	d.buf = append(d.buf, make([]byte, recordHead)...)
	d.buf = m.AppendJSON(d.buf)
	n := len(d.buf) - start - recordHead
	binary.BigEndian.PutUint32(d.buf[start:], uint32(n))
	d.count++
	return n
}

// addRecord appends a record's bytes.
func (d *draft) addRecord(record []byte) {
	d.buf = binary.BigEndian.AppendUint32(d.buf, uint32(len(record)))
	d.buf = append(d.buf, make([]byte, len(movement.Hash{}))...)
	d.buf = append(d.buf, record...)
	d.count++
}

// join appends all of o's records.
func (d *draft) join(o *draft) {
	d.buf = append(d.buf, o.buf[blockHead:]...)
	d.count += o.count
}

// without leaves out the records whose index is in drop.
func (d *draft) without(drop func(i int) bool) *draft {
	kept := newDraft(len(d.buf))
	rest := d.buf[blockHead:]
	for i := range d.count {
		size := recordHead + int(binary.BigEndian.Uint32(rest))
		if !drop(i) {
			kept.buf = append(kept.buf, rest[:size]...)
			kept.count++
		}
		rest = rest[size:]
	}
	return kept
}

// seal gives the draft its place after head and returns the finished block and
// the hash after it.
func (d *draft) seal(epoch string, lane movement.Lane, first uint64, at time.Time, head movement.Hash) ([]byte, movement.Hash) {
	v := d.buf
	copy(v, blockMagic)
	v[4] = byte(lane)
	copy(v[5:17], epoch)
	binary.BigEndian.PutUint64(v[17:], first)
	binary.BigEndian.PutUint32(v[25:], uint32(d.count))
	binary.BigEndian.PutUint64(v[29:], uint64(at.UnixMilli()))
	off := blockHead
	for range d.count {
		n := int(binary.BigEndian.Uint32(v[off:]))
		copy(v[off+4:], head[:])
		head = sha256.Sum256(v[off+4 : off+recordHead+n])
		off += recordHead + n
	}
	return append(v, head[:]...), head
}

// seqKey is the key of the block that begins with seq.
func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func keySeq(key []byte) (uint64, error) {
	if len(key) != 8 {
		return 0, fmt.Errorf("a key of %d bytes among the blocks: %w", len(key), errBlock)
	}
	return binary.BigEndian.Uint64(key), nil
}
