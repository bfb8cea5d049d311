package outbox

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/movement"
)

// A run of keys is one stored value, in an envelope:
//
//	newest   8   when its newest key was recorded, Unix milliseconds
//	streams  2   how many; its highest bit is set where items have a print
//	  for each: epoch 12, lane 1
//	then for each key, ordered by hash
//	  hash    16
//	  stream   2   index into the streams above
//	  seq      6
//	  print    8   of the event; runs of earlier versions have none
const (
	runHead   = 10
	runStream = 13
	runItem   = 24
	runPrint  = 8
	withPrint = 1 << 15
	// maxRun is how many keys a run may have, so that it fits into an envelope.
	maxRun = 120_000
)

type keyRun struct {
	newest  time.Time
	streams []byte
	count   int
	items   []byte
	size    int // bytes of an item
}

var errRun = errors.New("a run of natural keys is damaged")

// parseRun reads a stored run without looking at its sum, which was checked
// when the file was opened.
func parseRun(v []byte) (keyRun, error) {
	var r keyRun
	if len(v) < envelopeHead+runHead || v[4] != kindKeys {
		return r, errRun
	}
	c := v[envelopeHead:]
	r.newest = time.UnixMilli(int64(binary.BigEndian.Uint64(c)))
	streams := binary.BigEndian.Uint16(c[8:])
	r.size = runItem
	if streams&withPrint != 0 {
		r.size += runPrint
	}
	n := int(streams&^withPrint) * runStream
	if len(c) < runHead+n || (len(c)-runHead-n)%r.size != 0 {
		return r, errRun
	}
	r.streams, r.items = c[runHead:runHead+n], c[runHead+n:]
	r.count = len(r.items) / r.size
	return r, nil
}

// intactRun checks the sum, and that every key names a stream of the run.
func intactRun(k, v []byte) bool {
	if _, ok := disclose(kindKeys, k, v); !ok {
		return false
	}
	r, err := parseRun(v)
	for i := 0; err == nil && i < r.count; i++ {
		if int(binary.BigEndian.Uint16(r.entry(i)[16:]))*runStream >= len(r.streams) {
			return false
		}
	}
	return err == nil
}

func (r *keyRun) entry(i int) []byte { return r.items[i*r.size : (i+1)*r.size] }

// find looks where a hash should be, as hashes are spread evenly, and closes in
// from there.
func (r *keyRun) find(h keyHash) (Place, bool) {
	want := newRunEntry(h)
	lo, hi := 0, r.count // the hash, if here, is in [lo, hi)
	low, high := uint64(0), ^uint64(0)
	for step := 0; lo < hi; step++ {
		mid := (lo + hi) / 2
		if step < 8 && high > low {
			guess := lo + int(float64(want.high-low)/float64(high-low)*float64(hi-lo))
			mid = min(max(guess, lo), hi-1)
		}
		e := r.entry(mid)
		at := newRunEntry(keyHash(e))
		switch c := compareEntries(at, want); {
		case c == 0:
			return r.place(e), true
		case c < 0:
			lo, low = mid+1, at.high
		default:
			hi, high = mid, at.high
		}
	}
	return Place{}, false
}

func (r *keyRun) place(e []byte) Place {
	s := r.streams[int(binary.BigEndian.Uint16(e[16:]))*runStream:]
	return Place{Epoch: string(s[:12]), Lane: movement.Lane(s[12]), Seq: itemSeq(e), Known: true, Print: itemPrint(e), By: r.newest}
}

// runDraft is a run in the making.
type runDraft struct {
	newest  time.Time
	streams []byte
	entries []runEntry
}

// runEntry is a key's item; the hash is in numbers, as that is how it is
// compared.
type runEntry struct {
	high, low uint64
	stream    uint16
	seq       uint64
	print     uint64
}

func newRunEntry(h keyHash) runEntry {
	return runEntry{high: binary.BigEndian.Uint64(h[:]), low: binary.BigEndian.Uint64(h[8:])}
}

func compareEntries(a, b runEntry) int {
	if a.high != b.high {
		if a.high < b.high {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.low, b.low)
}

// stream gives the index of a stream, which it adds where it is new.
func (d *runDraft) stream(epoch string, lane movement.Lane) uint16 {
	name := append([]byte(epoch), byte(lane))
	for i := 0; i < len(d.streams); i += runStream {
		if bytes.Equal(d.streams[i:i+runStream], name) {
			return uint16(i / runStream)
		}
	}
	d.streams = append(d.streams, name...)
	return uint16(len(d.streams)/runStream - 1)
}

// merge makes one run of several.
func merge(runs []keyRun) *runDraft {
	d := new(runDraft)
	next := make([]int, len(runs))
	heads := make([]runEntry, len(runs))
	total := 0
	indexes := make([][]uint16, len(runs)) // of each run's streams in d
	for i := range runs {
		r := &runs[i]
		total += r.count
		if r.newest.After(d.newest) {
			d.newest = r.newest
		}
		for at := 0; at < len(r.streams); at += runStream {
			s := r.streams[at:]
			indexes[i] = append(indexes[i], d.stream(string(s[:12]), movement.Lane(s[12])))
		}
		if r.count > 0 {
			heads[i] = r.item(0, indexes[i])
		}
	}
	d.entries = make([]runEntry, 0, total)
	for {
		least := -1
		for i := range heads {
			if next[i] < runs[i].count && (least < 0 || compareEntries(heads[i], heads[least]) < 0) {
				least = i
			}
		}
		if least < 0 {
			return d
		}
		d.entries = append(d.entries, heads[least])
		if next[least]++; next[least] < runs[least].count {
			heads[least] = runs[least].item(next[least], indexes[least])
		}
	}
}

// item reads the i-th key; streams are the indexes of the run's streams in
// another run.
func (r *keyRun) item(i int, streams []uint16) runEntry {
	e := r.entry(i)
	x := newRunEntry(keyHash(e))
	x.stream, x.seq, x.print = streams[binary.BigEndian.Uint16(e[16:])], itemSeq(e), itemPrint(e)
	return x
}

// itemPrint is 0 where an item has none.
func itemPrint(e []byte) uint64 {
	if len(e) < runItem+runPrint {
		return 0
	}
	return binary.BigEndian.Uint64(e[runItem:])
}

func itemSeq(e []byte) uint64 {
	return uint64(binary.BigEndian.Uint16(e[18:]))<<32 | uint64(binary.BigEndian.Uint32(e[20:]))
}

// putRun stores a run whose entries are in order.
func putRun(tx *bolt.Tx, id uint64, d *runDraft) error {
	c := make([]byte, 0, runHead+len(d.streams)+len(d.entries)*(runItem+runPrint))
	c = binary.BigEndian.AppendUint64(c, uint64(d.newest.UnixMilli()))
	c = binary.BigEndian.AppendUint16(c, uint16(len(d.streams)/runStream)|withPrint)
	c = append(c, d.streams...)
	for _, e := range d.entries {
		c = binary.BigEndian.AppendUint64(c, e.high)
		c = binary.BigEndian.AppendUint64(c, e.low)
		c = binary.BigEndian.AppendUint16(c, e.stream)
		c = binary.BigEndian.AppendUint16(c, uint16(e.seq>>32))
		c = binary.BigEndian.AppendUint32(c, uint32(e.seq))
		c = binary.BigEndian.AppendUint64(c, e.print)
	}
	key := seqKey(id)
	return tx.Bucket(keysBucket).Put(key, enclose(kindKeys, key, commitNumber(tx), c))
}
