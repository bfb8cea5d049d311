package outbox

import "encoding/binary"

// keyFilter is a Bloom filter over hashes, in blocks of 64 bytes so that a
// look costs one line of the processor's cache. At 16 bits a key about one new
// key in a thousand is looked for on disk in vain.
type keyFilter struct {
	words []uint64 // a power of two of blocks, eight each
	count int
}

const filterBits = 16

func newKeyFilter(capacity int) *keyFilter {
	blocks := 1
	for blocks*512/filterBits < capacity {
		blocks *= 2
	}
	return &keyFilter{words: make([]uint64, blocks*8)}
}

func (f *keyFilter) capacity() int          { return len(f.words) * 64 / filterBits }
func (f *keyFilter) roomFor(n int) bool     { return f.count+n <= f.capacity() }
func (f *keyFilter) grown(n int) *keyFilter { return newKeyFilter(2 * (f.count + n)) }

// bits gives the block's first word and five places within it.
func (f *keyFilter) bits(h keyHash) (block []uint64, places uint64) {
	at := binary.LittleEndian.Uint64(h[:]) & uint64(len(f.words)/8-1) * 8
	return f.words[at : at+8], binary.LittleEndian.Uint64(h[8:])
}

func (f *keyFilter) add(h keyHash) {
	block, p := f.bits(h)
	for range 5 {
		block[p>>6&7] |= 1 << (p & 63)
		p >>= 9
	}
	f.count++
}

func (f *keyFilter) has(h keyHash) bool {
	block, p := f.bits(h)
	for range 5 {
		if block[p>>6&7]&(1<<(p&63)) == 0 {
			return false
		}
		p >>= 9
	}
	return true
}
