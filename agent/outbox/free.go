package outbox

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
)

// When bbolt opens a file that has no list of its free pages, it looks through
// all of the file by way of its map, which then counts as the agent's memory.
// The check has just seen which pages are in use: so it writes the list, as a
// commit that changes nothing else. It does what a commit does: pages that
// nobody uses first, then the older of the two metas.

const (
	flagFree = 0x10
	// noFreelist is what a meta says that names no list.
	noFreelist = 1<<64 - 1
	// longList says in a page's count that the first number is the count.
	longList = 0xFFFF
)

// noteFree writes down which pages of the file at path are free, unless that is
// what the file says already. Where it fails the file is what it was.
func noteFree(path string, c *checkup) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = c.noteFree(f)
	return errors.Join(err, f.Close())
}

func (c *checkup) noteFree(f *os.File) error {
	free, old := c.free(), c.oldList(f)
	if old != nil && slices.Equal(old.ids, without(free, old.first, old.pages)) {
		return nil
	}
	size := uint64(c.pageSize)
	pages := (pageHead + 8*(uint64(len(free))+1) + size - 1) / size
	at := c.meta.pages
	if i := runOf(free, pages, old); i >= 0 {
		at = free[i]
		free = slices.Delete(free, i, i+int(pages))
	}
	page := make([]byte, pages*size)
	order.PutUint64(page, at)
	order.PutUint16(page[8:], flagFree)
	order.PutUint32(page[12:], uint32(pages-1))
	ids := page[pageHead:]
	if n := len(free); n < longList {
		order.PutUint16(page[10:], uint16(n))
	} else {
		order.PutUint16(page[10:], longList)
		order.PutUint64(ids, uint64(n))
		ids = ids[8:]
	}
	for i, id := range free {
		order.PutUint64(ids[8*i:], id)
	}
	if err := writeSynced(f, page, int64(at*size)); err != nil {
		return fmt.Errorf("the list of free pages: %w", err)
	}
	m := c.meta
	m.freelist, m.pages, m.txid = at, max(m.pages, at+pages), m.txid+1
	return writeSynced(f, m.page(), int64(m.txid%2*size))
}

func writeSynced(f *os.File, b []byte, at int64) error {
	if _, err := f.WriteAt(b, at); err != nil {
		return err
	}
	return f.Sync()
}

// page is the beginning of the page that holds the meta; nothing follows that
// counts.
func (m *meta) page() []byte {
	page := make([]byte, pageHead+metaSize)
	order.PutUint64(page, m.txid%2)
	order.PutUint16(page[8:], flagMeta)
	b := page[pageHead:]
	order.PutUint32(b, boltMagic)
	order.PutUint32(b[4:], boltFormat)
	order.PutUint32(b[8:], uint32(m.pageSize))
	order.PutUint64(b[16:], m.root)
	order.PutUint64(b[32:], m.freelist)
	order.PutUint64(b[40:], m.pages)
	order.PutUint64(b[48:], m.txid)
	sum := fnv.New64a()
	sum.Write(b[:56])
	order.PutUint64(b[56:], sum.Sum64())
	return page
}

// free lists the pages that nothing in the tree uses.
func (c *checkup) free() []uint64 {
	free := make([]uint64, 0, c.pages-min(c.used, c.pages))
	for id := uint64(2); id < c.pages; id++ {
		if c.seen[id/64]&(1<<(id%64)) == 0 {
			free = append(free, id)
		}
	}
	return free
}

// freeList is a list of free pages as it lies in the file.
type freeList struct {
	first, pages uint64
	ids          []uint64
}

// oldList reads the list that the meta names, nil for none that can be read.
func (c *checkup) oldList(f *os.File) *freeList {
	at, size := c.meta.freelist, uint64(c.pageSize)
	if at < 2 || at >= c.pages {
		return nil
	}
	page := make([]byte, size)
	if _, err := f.ReadAt(page, int64(at*size)); err != nil {
		return nil
	}
	l := &freeList{first: at, pages: uint64(order.Uint32(page[12:])) + 1}
	if order.Uint64(page) != at || order.Uint16(page[8:]) != flagFree || l.pages > c.pages-at {
		return nil
	}
	page = make([]byte, l.pages*size)
	if _, err := f.ReadAt(page, int64(at*size)); err != nil {
		return nil
	}
	ids, n := page[pageHead:], uint64(order.Uint16(page[10:]))
	if n == longList {
		n, ids = order.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids)/8) {
		return nil
	}
	for i := range n {
		l.ids = append(l.ids, order.Uint64(ids[8*i:]))
	}
	return l
}

// runOf finds pages consecutive ids in a sorted list, none of them the old
// list's; -1 where there are none.
func runOf(free []uint64, pages uint64, old *freeList) int {
	start := 0
	for i, id := range free {
		if old != nil && id >= old.first && id < old.first+old.pages {
			start = i + 1
			continue
		}
		if i > start && id != free[i-1]+1 {
			start = i
		}
		if uint64(i-start)+1 == pages {
			return start
		}
	}
	return -1
}

// without leaves out count ids from first on.
func without(ids []uint64, first, count uint64) []uint64 {
	return slices.DeleteFunc(slices.Clone(ids), func(id uint64) bool { return id >= first && id < first+count })
}
