package outbox

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"

	"branchline/internal/movement"
)

// rescue reads a damaged file: first along the newest tree that is whole, or
// else along what is left of it, then byte by byte for the blocks and envelopes
// that no tree leads to.
type rescue struct {
	raw *rawFile
	// incomplete says that no whole tree was found, so that what has no chain
	// may be older than it was, or missing.
	incomplete bool
	// certain says that the tree is the last one that was committed: nothing
	// that it does not lead to ever was.
	certain bool
	reached uint64 // the tree's commit
	newest  uint64 // the tail's sequence
	commit  uint64 // the newest seen
	store   *storeState
	states  map[string]found
	notes   map[string]found
	runs    map[string]found
	streams map[string]*rescued
	named   map[string]bool        // the streams that the tree names
	led     map[movement.Hash]spot // where the tree leads to blocks, by the hash after them
	carved  []carved
}

// found is the content of an envelope.
type found struct {
	commit  uint64
	content []byte
}

// rescued is one stream.
type rescued struct {
	epoch   string
	lane    movement.Lane
	state   streamState
	known   uint64 // the last seq as the tree names it; 0 if it does not
	reached uint64 // the last seq that the tree leads to
	refs    []blockRef
}

// blockRef is where a block lies in the file.
type blockRef struct {
	offset int64
	size   int
	epoch  string
	lane   movement.Lane
	first  uint64
	last   uint64
	at     int64
	tree   bool // the tree leads to it
}

func newRescue(f io.ReaderAt, size int64) *rescue {
	return &rescue{
		raw:    readRaw(f, size),
		states: make(map[string]found), notes: make(map[string]found), runs: make(map[string]found),
		streams: make(map[string]*rescued), named: make(map[string]bool), led: make(map[movement.Hash]spot),
	}
}

// gather reads the file of a branch's outbox.
func (r *rescue) gather(branch string) {
	r.followTree()
	r.carve()
	r.place(branch)
	for name, s := range r.streams {
		if st, ok := r.states[name]; ok && json.Unmarshal(st.content, &s.state) != nil {
			s.state = streamState{}
		}
	}
	if st, ok := r.states[string(storeKey)]; ok {
		r.store = new(storeState)
		if json.Unmarshal(st.content, r.store) != nil {
			r.store = nil
		}
	}
	for _, s := range r.streams {
		if r.store != nil && *r.store.epoch(s.lane) == s.epoch {
			s.known = max(s.known, newestOf(r.newest, s.lane))
		}
		if s.known < s.reached || s.known > s.reached+uint64(r.raw.size)/blockHead {
			s.known = s.reached // no sum protects it
		}
	}
}

// root is a page from which a tree may be walked.
type root struct {
	page, pages uint64
	commit      uint64
}

// followTree walks the newest tree; where that is not whole, the newest whole
// one behind it helps out.
func (r *rescue) followTree() {
	roots := r.roots()
	whole := slices.IndexFunc(roots, func(rt root) bool {
		w := r.raw.walk(rt.pages, func([]byte, item) {})
		w.bucket(nil, rt.page, nil, nil, 0)
		return len(w.wrong) == 0
	})
	r.incomplete = whole != 0
	r.certain = whole == 0 && len(r.raw.metas) == 2 && roots[0].page == r.raw.metas[0].root
	if whole > 0 {
		r.follow(roots[whole])
	}
	if len(roots) > 0 {
		r.follow(roots[0])
	}
	r.reached = r.commit
}

func (r *rescue) follow(rt root) {
	w := r.raw.walk(rt.pages, r.take)
	w.bucket(nil, rt.page, nil, nil, 0)
}

// maxRoots is how many trees are tried.
const maxRoots = 4

// roots lists where trees may begin, the newest first: what the metas name, and
// every leaf page that holds the part "state", whose sequence counts commits.
// The latter is how a commit is found whose own meta is damaged.
func (r *rescue) roots() []root {
	var list []root
	f := r.raw
	all := uint64(f.size) / uint64(f.pageSize)
	for i, m := range f.metas {
		rt := root{page: m.root, pages: m.pages}
		if page, ok := f.walk(m.pages, nil).read(m.root, 0); ok {
			rt.commit = commitOf(page)
		}
		if i == 0 && rt.commit == 0 {
			rt.commit = math.MaxUint64 // unreadable, but what was committed last
		}
		list = append(list, rt)
	}
	page := make([]byte, f.pageSize)
	for id := uint64(2); id < all; id++ {
		if _, err := f.r.ReadAt(page, int64(id)*int64(f.pageSize)); err != nil || order.Uint64(page) != id {
			continue
		}
		if c := commitOf(page); c > 0 && !slices.ContainsFunc(list, func(o root) bool { return o.page == id }) {
			list = append(list, root{page: id, pages: all, commit: c})
		}
	}
	slices.SortStableFunc(list, func(a, b root) int { return cmp.Compare(b.commit, a.commit) })
	return list[:min(len(list), maxRoots)]
}

// commitOf is the number of the commit whose root this page is, 0 for none.
func commitOf(page []byte) uint64 {
	if order.Uint16(page[8:]) != flagLeaf {
		return 0
	}
	list, _ := items(page)
	for _, it := range list {
		if it.bucket && bytes.Equal(it.key, stateBucket) {
			return bucketSequence(it.value)
		}
	}
	return 0
}

// take keeps what the tree leads to.
func (r *rescue) take(bucket []byte, it item) {
	if bucket == nil {
		if epoch, lane, ok := parseStreamName(it.key); ok && it.bucket {
			s := r.stream(epoch, lane)
			s.known = max(s.known, bucketSequence(it.value))
			r.named[string(it.key)] = true
		}
		if bytes.Equal(it.key, stateBucket) {
			r.commit = max(r.commit, bucketSequence(it.value))
		}
		if bytes.Equal(it.key, tailBucket) {
			r.newest = bucketSequence(it.value)
		}
		return
	}
	if b, size := frameBlock(it.value); size > 0 && size == len(it.value) {
		var at spot
		if name, seq, ok := parseTailKey(it.key); ok {
			at = spot{string(name), seq}
		} else if seq, err := keySeq(it.key); err == nil {
			at = spot{string(bucket), seq}
		}
		r.led[b.head()] = at
		return
	}
	for _, kind := range []byte{kindState, kindNote, kindKeys} {
		if e, ok := disclose(kind, it.key, it.value); ok {
			r.keep(e)
		}
	}
}

// keep remembers an envelope's content, if it is the newest of its key.
func (r *rescue) keep(e envelope) {
	m := map[byte]map[string]found{kindState: r.states, kindNote: r.notes, kindKeys: r.runs}[e.kind]
	if m == nil {
		return
	}
	if have, ok := m[string(e.key)]; !ok || e.commit > have.commit {
		m[string(e.key)] = found{e.commit, bytes.Clone(e.content)}
	}
	r.commit = max(r.commit, e.commit)
	if epoch, lane, ok := parseStreamName(e.key); ok && e.kind == kindState {
		r.stream(epoch, lane)
	}
}

func (r *rescue) stream(epoch string, lane movement.Lane) *rescued {
	name := string(streamName(epoch, lane))
	s := r.streams[name]
	if s == nil {
		s = &rescued{epoch: epoch, lane: lane}
		r.streams[name] = s
	}
	return s
}

// sorted lists the streams in the order in which they were made, as far as
// that is known.
func (r *rescue) sorted() []*rescued {
	var list []*rescued
	for _, s := range r.streams {
		list = append(list, s)
	}
	earliest := func(s *rescued) int64 {
		var at int64
		for _, b := range s.refs {
			if at == 0 || b.at < at {
				at = b.at
			}
		}
		return at
	}
	slices.SortFunc(list, func(a, b *rescued) int {
		return cmp.Or(cmp.Compare(a.state.Order, b.state.Order), cmp.Compare(earliest(a), earliest(b)),
			strings.Compare(a.epoch, b.epoch), cmp.Compare(a.lane, b.lane))
	})
	return list
}

// forkedInto tells whether another stream is being copied into s.
func (r *rescue) forkedInto(s *rescued) bool {
	for _, o := range r.streams {
		if f := o.state.Fork; f != nil && !f.Done && f.Epoch == s.epoch && o.lane == s.lane {
			return true
		}
	}
	return false
}

// lastOf is the last seq of a stream that was carried over.
func (r *rescue) lastOf(epoch string, lane movement.Lane) uint64 {
	var last uint64
	if s := r.streams[string(streamName(epoch, lane))]; s != nil {
		for _, c := range r.claims(s, "") {
			last = max(last, c.last)
		}
	}
	return last
}

// carve looks at every byte for what identifies itself.
func (r *rescue) carve() {
	const part, overlap = 1 << 20, 8
	buf := make([]byte, part+overlap)
	for at := int64(0); at < r.raw.size; at += part {
		n, _ := r.raw.r.ReadAt(buf[:min(int64(len(buf)), r.raw.size-at)], at)
		if n == 0 {
			n = r.readPieces(buf[:min(int64(len(buf)), r.raw.size-at)], at)
		}
		for i := 0; i < n; {
			j := bytes.Index(buf[i:n], []byte("BL"))
			if j < 0 || i+j >= part {
				break
			}
			i += j
			switch {
			case bytes.HasPrefix(buf[i:n], []byte(blockMagic)):
				r.carveBlock(at + int64(i))
			case !r.certain && bytes.HasPrefix(buf[i:n], []byte(envelopeMagic)):
				r.carveEnvelope(at + int64(i))
			}
			i++
		}
	}
}

// readPieces reads around what the disk refuses; there zeros stay.
func (r *rescue) readPieces(buf []byte, at int64) int {
	const piece = 512
	for i := 0; i < len(buf); i += piece {
		b := buf[i:min(i+piece, len(buf))]
		if n, err := r.raw.r.ReadAt(b, at+int64(i)); err != nil {
			clear(b[n:])
		}
	}
	return len(buf)
}

func (r *rescue) carveBlock(at int64) {
	v := make([]byte, min(maxBlock, r.raw.size-at))
	n, _ := r.raw.r.ReadAt(v, at)
	b, size := frameBlock(v[:n])
	if size == 0 {
		return
	}
	var name string
	if b.placed() {
		name = string(streamName(b.epoch, b.lane))
	}
	var key [8]byte
	_, _ = r.raw.r.ReadAt(key[:], max(at-8, 0)) // where there is none it says nothing that fits
	r.carved = append(r.carved, carved{
		blockRef: blockRef{offset: at, size: size, at: b.at.UnixMilli()},
		name:     name, says: b.first, key: binary.BigEndian.Uint64(key[:]),
		count: b.count, before: movement.Hash(b.body[4:]), after: b.head(),
	})
}

func (r *rescue) carveEnvelope(at int64) {
	var head [envelopeHead]byte
	if _, err := r.raw.r.ReadAt(head[:], at); err != nil {
		return
	}
	key, n := envelopeSize(head[:])
	if n == 0 || key == 0 || int64(key) > at {
		return
	}
	v := make([]byte, key+n)
	if _, err := r.raw.r.ReadAt(v, at-int64(key)); err != nil {
		return
	}
	if e := openEnvelope(v[:key], v[key:]); e.key != nil && (r.incomplete || e.commit > r.reached) {
		r.keep(e)
	}
}
