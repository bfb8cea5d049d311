package outbox

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
)

// This file reads bbolt's format without bbolt, which trusts its file: on a
// damaged one it panics, follows wild pointers through its map, or takes pages
// for free that are in use. Everything here is read by offset and checked
// before it is used. The layout is that of bbolt 1.5 (internal/common), in the
// machine's own byte order.

const (
	pageHead   = 16
	leafItem   = 16
	branchItem = 16
	metaSize   = 64
	flagBranch = 0x01
	flagLeaf   = 0x02
	flagMeta   = 0x04
	flagBucket = 0x01
	boltMagic  = 0xED0CDAED
	boltFormat = 2
	// maxPageRun bounds what one page with its overflow may claim: a leaf
	// holds at least two values.
	maxPageRun = 4 * maxContent
	maxDepth   = 32
)

var order = binary.NativeEndian

// meta is the root of one committed state of the file.
type meta struct {
	pageSize int
	root     uint64
	freelist uint64
	pages    uint64 // high water mark
	txid     uint64
}

// rawFile reads a bbolt file.
type rawFile struct {
	r        io.ReaderAt
	size     int64
	pageSize int
	// metas are the valid ones, the newest first; badMetas how many are not.
	metas    []meta
	badMetas int
}

// readRaw finds the metas. A file without one has no metas and a guessed page
// size.
func readRaw(r io.ReaderAt, size int64) *rawFile {
	f := &rawFile{r: r, size: size, pageSize: 4096}
	first, ok := f.readMeta(0)
	if ok {
		f.pageSize = first.pageSize
		f.metas = append(f.metas, first)
	} else {
		f.badMetas++
		// The other one says the page size, once it is found.
		for at := int64(1024); at <= 64<<10 && at < size; at *= 2 {
			if m, ok := f.readMeta(at); ok && int64(m.pageSize) == at {
				f.pageSize = m.pageSize
				break
			}
		}
	}
	if second, ok := f.readMeta(int64(f.pageSize)); !ok {
		f.badMetas++
	} else if len(f.metas) > 0 && second.txid < f.metas[0].txid {
		f.metas = append(f.metas, second)
	} else {
		f.metas = append([]meta{second}, f.metas...)
	}
	return f
}

func (f *rawFile) readMeta(at int64) (m meta, ok bool) {
	var buf [pageHead + metaSize]byte
	if _, err := f.r.ReadAt(buf[:], at); err != nil {
		return m, false
	}
	b := buf[pageHead:]
	sum := fnv.New64a()
	sum.Write(b[:56])
	if order.Uint16(buf[8:]) != flagMeta || order.Uint32(b) != boltMagic || order.Uint32(b[4:]) != boltFormat ||
		order.Uint64(b[56:]) != sum.Sum64() {
		return m, false
	}
	m = meta{pageSize: int(order.Uint32(b[8:])), root: order.Uint64(b[16:]), freelist: order.Uint64(b[32:]), pages: order.Uint64(b[40:]), txid: order.Uint64(b[48:])}
	if m.pageSize < 1024 || m.pageSize > 64<<10 || m.pageSize&(m.pageSize-1) != 0 {
		return m, false
	}
	return m, true
}

// item is one element of a leaf. Its slices are the page's.
type item struct {
	bucket bool
	key    []byte
	value  []byte
}

// items reads a leaf page that begins with page.
func items(page []byte) ([]item, error) {
	count := int(order.Uint16(page[10:]))
	if len(page) < pageHead+count*leafItem {
		return nil, fmt.Errorf("%d elements do not fit", count)
	}
	list := make([]item, 0, count)
	for i := range count {
		at := pageHead + i*leafItem
		e := page[at:]
		pos, k, v := uint64(order.Uint32(e[4:])), uint64(order.Uint32(e[8:])), uint64(order.Uint32(e[12:]))
		from := uint64(at) + pos
		if k == 0 || from < pageHead || from+k+v > uint64(len(page)) {
			return list, fmt.Errorf("element %d lies outside", i)
		}
		list = append(list, item{order.Uint32(e)&flagBucket != 0, page[from : from+k], page[from+k : from+k+v]})
	}
	return list, nil
}

// walk is one pass over the tree below a meta or a root page. It reads all that
// can be read and lists what cannot.
type walk struct {
	f     *rawFile
	pages uint64   // pages at or past this do not belong to the state
	seen  []uint64 // a bit for each page
	used  uint64   // how many pages were seen
	wrong []string // what is damaged, at most maxWrong
	visit func(path []byte, it item)
	only  []byte               // the one bucket to go into; nil for all
	bufs  [maxDepth + 2][]byte // for the page at each depth
}

const maxWrong = 20

func (f *rawFile) walk(pages uint64, visit func(bucket []byte, it item)) *walk {
	pages = min(pages, uint64(f.size)/uint64(f.pageSize))
	return &walk{f: f, pages: pages, seen: make([]uint64, pages/64+1), visit: visit}
}

func (w *walk) complain(format string, args ...any) {
	if len(w.wrong) < maxWrong {
		w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
	}
}

// read gives a page with its overflow, once. It is valid until another page of
// that depth is read.
func (w *walk) read(id uint64, depth int) ([]byte, bool) {
	if id < 2 || id >= w.pages {
		w.complain("page %d is not in the file", id)
		return nil, false
	}
	size := int64(w.f.pageSize)
	page := w.buffer(depth, size)
	if _, err := w.f.r.ReadAt(page, int64(id)*size); err != nil {
		w.complain("page %d: %v", id, err)
		return nil, false
	}
	overflow := uint64(order.Uint32(page[12:]))
	if order.Uint64(page) != id || overflow >= w.pages-id || overflow*uint64(size) > maxPageRun {
		w.complain("page %d does not say that it is", id)
		return nil, false
	}
	for p := id; p <= id+overflow; p++ {
		if w.seen[p/64]&(1<<(p%64)) != 0 {
			w.complain("page %d is used twice", p)
			return nil, false
		}
		w.seen[p/64] |= 1 << (p % 64)
	}
	w.used += overflow + 1
	if overflow > 0 {
		page = w.buffer(depth, int64(overflow+1)*size)
		if _, err := w.f.r.ReadAt(page[size:], int64(id+1)*size); err != nil {
			w.complain("page %d: %v", id, err)
			return nil, false
		}
	}
	return page, true
}

// buffer is depth's, with what it held.
func (w *walk) buffer(depth int, size int64) []byte {
	b := w.bufs[depth]
	if more := size - int64(len(b)); more > 0 {
		b = append(b, make([]byte, more)...)
		w.bufs[depth] = b
	}
	return b[:size]
}

// bucket walks the tree of a bucket below page id. Keys must lie in [low,
// high), where high may be nil.
func (w *walk) bucket(path []byte, id uint64, low, high []byte, depth int) {
	if depth > maxDepth {
		w.complain("page %d lies too deep", id)
		return
	}
	page, ok := w.read(id, depth)
	if !ok {
		return
	}
	switch flags := order.Uint16(page[8:]); {
	case flags == flagLeaf:
		w.leaf(path, id, page, low, high, depth)
	case flags == flagBranch:
		w.branch(path, id, page, low, high, depth)
	default:
		w.complain("page %d is of no known kind", id)
	}
}

func (w *walk) branch(path []byte, id uint64, page, low, high []byte, depth int) {
	count := int(order.Uint16(page[10:]))
	if count == 0 || len(page) < pageHead+count*branchItem {
		w.complain("page %d: %d elements do not fit", id, count)
		return
	}
	type child struct {
		key []byte
		id  uint64
	}
	children := make([]child, 0, count)
	for i := range count {
		at := pageHead + i*branchItem
		pos, k := uint64(order.Uint32(page[at:])), uint64(order.Uint32(page[at+4:]))
		from := uint64(at) + pos
		if k == 0 || from+k > uint64(len(page)) {
			w.complain("page %d: element %d lies outside", id, i)
			continue
		}
		children = append(children, child{page[from : from+k], order.Uint64(page[at+8:])})
	}
	for i, c := range children {
		above := high
		if i+1 < len(children) {
			above = children[i+1].key
		}
		if !ordered(low, c.key, above) {
			w.complain("page %d: the keys are not in order", id)
		}
		low = c.key
		w.bucket(path, c.id, c.key, above, depth+1)
	}
}

func ordered(low, key, high []byte) bool {
	return (low == nil || bytes.Compare(low, key) <= 0) && (high == nil || bytes.Compare(key, high) < 0)
}

func (w *walk) leaf(path []byte, id uint64, page, low, high []byte, depth int) {
	list, err := items(page)
	if err != nil {
		w.complain("page %d: %v", id, err)
	}
	for i, it := range list {
		if !ordered(low, it.key, high) || i > 0 && bytes.Compare(list[i-1].key, it.key) >= 0 {
			w.complain("page %d: the keys are not in order", id)
		}
		low = it.key
		w.visit(path, it)
		if !it.bucket || w.only != nil && !bytes.Equal(it.key, w.only) {
			continue
		}
		if len(it.value) < 16 || path != nil {
			w.complain("page %d: bucket %q has no root", id, it.key)
			continue
		}
		if root := order.Uint64(it.value); root != 0 {
			w.bucket(it.key, root, nil, nil, depth+1)
			continue
		}
		if len(it.value) < 16+pageHead || order.Uint16(it.value[16+8:]) != flagLeaf {
			w.complain("page %d: bucket %q is no bucket", id, it.key)
			continue
		}
		w.leaf(it.key, id, it.value[16:], nil, nil, depth+1)
	}
}

// bucketSequence is the sequence in a bucket's stored value.
func bucketSequence(value []byte) uint64 {
	if len(value) < 16 {
		return 0
	}
	return order.Uint64(value[8:])
}
