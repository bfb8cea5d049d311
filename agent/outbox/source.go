package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Source is an outbox to be looked at by an administrator: a running [*Outbox],
// or a file opened by [OpenFile]. Use [Inspect], [Verify] and [Export].
type Source interface {
	// survey tells what is there; blocks calls fn for each block of a stream
	// as it is stored, in the order of the keys, key and value valid only
	// during the call.
	survey() (survey, error)
	// Notes are as [Outbox.Notes] gives them.
	Notes(space, prefix string) iter.Seq2[Note, error]
	blocks(epoch string, lane movement.Lane, fn func(key, value []byte) error) error
}

var (
	_ Source = (*Outbox)(nil)
	_ Source = (*File)(nil)
)

// survey is what a source holds besides records.
type survey struct {
	store   storeState
	streams []surveyed
	newest  uint64         // the tail's sequence
	notes   map[string]int // by space
	keys    int            // in runs
	bytes   int64          // in use
	size    int64          // of the file
	wrong   []string
}

type surveyed struct {
	epoch string
	lane  movement.Lane
	state streamState
	last  uint64 // as the bucket says
}

// File is the file of an outbox whose agent does not run, or a file that was
// set aside. It is only read, with code that trusts nothing.
type File struct {
	f    *os.File
	raw  *rawFile
	lock *fileLock
}

// OpenFile opens the outbox at path for reading. While it is open no agent can
// take it. Errors are faults of class Setup: "outbox_locked" when an agent has
// it (ask that one instead), "outbox_unreadable", and "outbox_damaged" when
// nothing in it can be read any more.
func OpenFile(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, unreadable(path, err)
	}
	lock, err := lockFile(path)
	if err != nil {
		f.Close()
		return nil, err
	}
	raw := readRaw(f, info.Size())
	if len(raw.metas) == 0 {
		f.Close()
		lock.release()
		return nil, fault.New(fault.Setup, "outbox_damaged", "%s cannot be read: its root is gone", path).
			WithHint("start the agent; it sets the file aside and carries over what can be read")
	}
	return &File{f: f, raw: raw, lock: lock}, nil
}

// Close lets go of the file.
func (f *File) Close() error {
	defer f.lock.release()
	return f.f.Close()
}

func (f *File) survey() (survey, error) {
	s := survey{size: f.raw.size, notes: make(map[string]int)}
	c := checkFile(f.raw.r, f.raw.size)
	s.wrong, s.bytes = c.wrong, int64(c.used)*int64(f.raw.pageSize)
	m := f.raw.metas[0]
	states := make(map[string][]byte)
	w := f.raw.walk(m.pages, func(bucket []byte, it item) {
		switch {
		case bucket == nil:
			if epoch, lane, ok := parseStreamName(it.key); ok {
				s.streams = append(s.streams, surveyed{epoch: epoch, lane: lane, last: bucketSequence(it.value)})
			}
			if string(it.key) == string(tailBucket) {
				s.newest = bucketSequence(it.value)
			}
		case string(bucket) == string(stateBucket):
			states[string(it.key)] = slices.Clone(it.value)
		default:
			s.count(bucket, it.key, it.value)
		}
	})
	w.bucket(nil, m.root, nil, nil, 0)
	return s, s.states(func(key []byte) []byte { return states[string(key)] })
}

func (f *File) blocks(epoch string, lane movement.Lane, fn func(key, value []byte) error) error {
	m := f.raw.metas[0]
	name := streamName(epoch, lane)
	var err error
	for _, only := range [][]byte{name, tailBucket} {
		w := f.raw.walk(m.pages, func(bucket []byte, it item) {
			key := it.key
			if len(bucket) > 0 && string(only) == string(tailBucket) {
				var seq uint64
				if bucket, seq, _ = parseTailKey(it.key); bucket != nil {
					key = seqKey(seq)
				}
			}
			if err == nil && string(bucket) == string(name) {
				err = fn(key, it.value)
			}
		})
		w.only = only
		w.bucket(nil, m.root, nil, nil, 0)
	}
	return err
}

// Notes reads as [Outbox.Notes] does. A note whose sum is wrong is an error,
// one on a page that cannot be read is missed; [Inspect] tells of both.
func (f *File) Notes(space, prefix string) iter.Seq2[Note, error] {
	return func(yield func(Note, error) bool) {
		start := noteKey(space, prefix)
		var found []Note
		var bad error
		w := f.raw.walk(f.raw.metas[0].pages, func(bucket []byte, it item) {
			if string(bucket) != string(notesBucket) || !bytes.HasPrefix(it.key, start) {
				return
			}
			value, err := noteValue(it.key, it.value)
			if err != nil {
				bad = errors.Join(bad, err)
				return
			}
			found = append(found, Note{space, string(it.key[len(space)+1:]), value})
		})
		w.only = notesBucket
		w.bucket(nil, f.raw.metas[0].root, nil, nil, 0)
		yieldNotes(found, bad, yield)
	}
}

func (o *Outbox) survey() (survey, error) {
	s := survey{notes: make(map[string]int)}
	err := o.view(func(tx *bolt.Tx) error {
		s.size, s.bytes = tx.Size(), usedBytes(tx)
		if err := tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			if epoch, lane, ok := parseStreamName(name); ok {
				s.streams = append(s.streams, surveyed{epoch: epoch, lane: lane, last: b.Sequence()})
				return nil
			}
			return b.ForEach(func(k, v []byte) error { s.count(name, k, v); return nil })
		}); err != nil {
			return err
		}
		s.newest = tx.Bucket(tailBucket).Sequence()
		return s.states(tx.Bucket(stateBucket).Get)
	})
	o.mu.RLock()
	defer o.mu.RUnlock()
	for i := range s.streams { // acknowledgements reach the disk later
		st := &s.streams[i]
		if now := o.find(st.epoch, st.lane); now != nil {
			st.state.Acked = max(st.state.Acked, now.Acked)
		}
	}
	return s, err
}

// blocks reads in short transactions, between which the file's map may grow
// and the stream's tail may become a block.
func (o *Outbox) blocks(epoch string, lane movement.Lane, fn func(key, value []byte) error) error {
	const portion = 64
	for next, more := uint64(1), true; more; {
		var values [][]byte
		err := o.view(func(tx *bolt.Tx) error {
			c := cursorOf(tx, streamName(epoch, lane))
			if c == nil {
				return unknownStream(epoch, lane)
			}
			v := c.seek(next)
			for ; v != nil && len(values) < portion; v = c.next() {
				values = append(values, slices.Clone(v))
			}
			more = v != nil
			o.trim(tx, portion*blockTarget)
			return nil
		})
		if err != nil {
			return err
		}
		for _, v := range values {
			b, err := parseBlock(v)
			if err != nil {
				return err
			}
			if b.first < next { // some of it was seen in the tail
				v = b.part(next, b.last())
				b.first = next
			}
			next = b.last() + 1
			if err := fn(seqKey(b.first), v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *survey) count(bucket, key, value []byte) {
	switch string(bucket) {
	case string(notesBucket):
		space, _, _ := bytes.Cut(key, []byte{0})
		s.notes[string(space)]++
	case string(keysBucket):
		if r, err := parseRun(value); err == nil {
			s.keys += r.count
		}
	}
}

func (s *survey) states(get func([]byte) []byte) error {
	var err error
	if e := decodeState(storeKey, get(storeKey), &s.store); e != nil {
		err = errors.Join(err, e)
	}
	for i := range s.streams {
		st := &s.streams[i]
		name := streamName(st.epoch, st.lane)
		if e := decodeState(name, get(name), &st.state); e != nil {
			err = errors.Join(err, e)
		}
		if *s.store.epoch(st.lane) == st.epoch {
			st.last = max(st.last, newestOf(s.newest, st.lane))
		}
	}
	slices.SortFunc(s.streams, func(a, b surveyed) int { return int(a.state.Order) - int(b.state.Order) })
	if err != nil && len(s.wrong) == 0 {
		return fmt.Errorf("the outbox is damaged: %w", err)
	}
	return nil
}

// Overview is what [Inspect] tells.
type Overview struct {
	Branch  string           `json:"branch"`
	Created time.Time        `json:"created"`
	Size    int64            `json:"size"` // of the file, in bytes
	Used    int64            `json:"used"`
	Streams []StreamOverview `json:"streams"`
	Notes   map[string]int   `json:"notes"` // how many, by space
	// Keys is how many natural keys are remembered.
	Keys   int     `json:"keys"`
	Alarms []Alarm `json:"alarms"`
	// Damage lists what is wrong with a file; a running outbox was looked
	// through when it was opened.
	Damage []string `json:"damage"`
}

// StreamOverview is one stream of an [Overview].
type StreamOverview struct {
	Epoch string        `json:"epoch"`
	Lane  movement.Lane `json:"lane"`
	// Grows says that new records are added to it.
	Grows bool `json:"grows"`
	// Records are kept, of the seqs First to Last; Acked is the last that the
	// hub has confirmed.
	Records uint64 `json:"records"`
	First   uint64 `json:"first"`
	Last    uint64 `json:"last"`
	Acked   uint64 `json:"acked"`
	// ForkedAfter is the last seq that the hub has, too, and ForkedInto the
	// epoch in which the rest was recorded again; empty for most.
	ForkedAfter uint64 `json:"forked_after,omitempty"`
	ForkedInto  string `json:"forked_into,omitempty"`
	// From is when the first block that is kept was begun, To when the last
	// record was recorded.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// waitingKeys counts the natural keys of a block's records that are in no run
// yet. Those that a fork has recorded again count there.
func (st *surveyed) waitingKeys(b *block) (n int) {
	if b.last() <= st.state.Folded {
		return 0
	}
	b.entries(func(e entry) bool {
		if e.seq > st.state.Folded && (st.state.Fork == nil || e.seq <= st.state.Fork.Common) && mayHaveKey(e.record()) {
			n++
		}
		return true
	})
	return n
}

// Inspect tells what is in an outbox.
func Inspect(src Source) (Overview, error) {
	s, err := src.survey()
	if err != nil {
		return Overview{}, err
	}
	v := Overview{Branch: s.store.Branch, Created: s.store.Created, Size: s.size, Used: s.bytes,
		Notes: s.notes, Keys: s.keys, Alarms: s.store.Alarms, Damage: s.wrong}
	for _, st := range s.streams {
		o := StreamOverview{Epoch: st.epoch, Lane: st.lane, Grows: *s.store.epoch(st.lane) == st.epoch,
			Last: st.last, Acked: st.state.Acked}
		if f := st.state.Fork; f != nil {
			o.ForkedAfter, o.ForkedInto = f.Common, f.Epoch
		}
		var newest []byte // record
		err := src.blocks(st.epoch, st.lane, func(_, value []byte) error {
			b, err := parseBlock(value)
			if err != nil {
				return nil // Verify says more
			}
			if o.Records == 0 {
				o.First, o.From = b.first, b.at
			}
			o.Records += uint64(b.count)
			o.To = b.at
			var r []byte
			b.entries(func(e entry) bool { r = e.record(); return true })
			newest = append(newest[:0], r...)
			v.Keys += st.waitingKeys(&b)
			return nil
		})
		if err != nil {
			return v, err
		}
		// A block is begun with its first record, and filled for hours.
		if m, err := movement.Decode(newest); err == nil {
			o.To = m.RecordedAt
		}
		v.Streams = append(v.Streams, o)
	}
	return v, nil
}
