package outbox

import (
	"fmt"
	"io"
)

// checkup is what a look at a whole file has found.
type checkup struct {
	wrong []string
	// pages is how many pages the file's state spans, used how many of them
	// hold something.
	pages, used uint64
	pageSize    int
	meta        meta
	seen        []uint64 // a bit for each page that is used
}

func (c *checkup) sound() bool { return len(c.wrong) == 0 }

// sparse tells whether the file is worth being compacted.
func (c *checkup) sparse() bool {
	free := int64(c.pages-c.used) * int64(c.pageSize)
	return free > compactFrom && c.used < c.pages/2
}

const compactFrom = 16 << 20

// checkFile looks at every page in use, at every block's place and chain, and
// at every envelope's sum. It uses one page of memory at a time.
func checkFile(r io.ReaderAt, size int64) checkup {
	f := readRaw(r, size)
	c := checkup{pageSize: f.pageSize}
	if len(f.metas) == 0 {
		c.wrong = append(c.wrong, "both pages that say where everything is are damaged")
		return c
	}
	m := f.metas[0]
	c.pages, c.meta = m.pages, m
	p := parts{seen: make(map[string]bool), last: make(map[string]uint64)}
	w := f.walk(m.pages, nil)
	w.visit = func(bucket []byte, it item) {
		if err := p.look(bucket, it); err != nil {
			w.complain("%v", err)
		}
	}
	if f.badMetas > 0 {
		// A commit that a crash cuts short leaves both as they were: one that
		// cannot be read is damage, and may have been the newer one.
		w.complain("one of the two pages that say where everything is is damaged")
	}
	if m.pageSize != f.pageSize {
		w.complain("the page size is %d, not %d", m.pageSize, f.pageSize)
	}
	if have := uint64(size) / uint64(f.pageSize); have < m.pages {
		w.complain("the file ends after %d of %d pages", have, m.pages)
	}
	w.bucket(nil, m.root, nil, nil, 0)
	for _, name := range partBuckets {
		if !p.seen[string(name)] {
			w.complain("the part %q is missing", name)
		}
	}
	c.wrong, c.used, c.seen = w.wrong, w.used+2, w.seen
	return c
}

// parts checks what a walk comes by.
type parts struct {
	seen map[string]bool   // buckets
	last map[string]uint64 // by stream: the last seq so far
}

func (p *parts) look(bucket []byte, it item) error {
	if bucket == nil {
		p.seen[string(it.key)] = true
		return nil
	}
	ok := true
	switch string(bucket) {
	case string(stateBucket):
		_, ok = disclose(kindState, it.key, it.value)
	case string(notesBucket):
		_, ok = disclose(kindNote, it.key, it.value)
	case string(keysBucket):
		ok = intactRun(it.key, it.value)
	case string(acksBucket):
		_, _, err := parseMark(it.key, it.value)
		ok = err == nil
	case string(tailBucket):
		name, seq, whole := parseTailKey(it.key)
		if ok = whole; ok {
			return p.block(name, seqKey(seq), it.value)
		}
	default:
		return p.block(bucket, it.key, it.value)
	}
	if !ok {
		return fmt.Errorf("the value %q in %s is damaged", it.key, bucket)
	}
	return nil
}

func (p *parts) block(bucket, key, value []byte) error {
	epoch, lane, ok := parseStreamName(bucket)
	if !ok {
		return fmt.Errorf("the part %q is not known", bucket)
	}
	first, err := keySeq(key)
	if err != nil {
		return err
	}
	b, err := parseBlock(value)
	if err != nil {
		return fmt.Errorf("%s/%s/%d: %w", epoch, lane, first, err)
	}
	if b.epoch != epoch || b.lane != lane || b.first != first || first <= p.last[string(bucket)] {
		return fmt.Errorf("%s/%s/%d is in the wrong place", epoch, lane, first)
	}
	p.last[string(bucket)] = b.last()
	b.entries(func(e entry) bool {
		if ok = e.sound(); !ok {
			err = fmt.Errorf("the record %s/%s/%d is not what was recorded", epoch, lane, e.seq)
		}
		return ok
	})
	return err
}
