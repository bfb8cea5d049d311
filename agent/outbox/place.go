package outbox

import (
	"slices"

	"branchline/internal/movement"
)

// What a block's head says of its place (epoch, lane, first seq) no sum
// protects. A wrong byte there must not give its records another seq, or make a
// stream of them that never was. But the hashes tell which block follows which,
// whatever the heads say: blocks are joined to chains, and where a chain lies
// is what most of its blocks say, in their heads, in the keys under which they
// are stored and in the tree that leads to them.

// carved is a block found in the file, and what is said of its place.
type carved struct {
	blockRef
	name   string // of its stream, as its head says; empty where that cannot be
	says   uint64 // the first seq, as its head says
	key    uint64 // the bytes in front of it, where its key lies
	count  int
	before movement.Hash
	after  movement.Hash
}

// spot is a place in a stream, as the tree says; the name may be any bucket's.
type spot struct {
	name string
	seq  uint64
}

// place gives every block to the stream in which it lies, as far as that is
// certain.
func (r *rescue) place(branch string) {
	ch := chains{at: make(map[movement.Hash]int32)}
	for i := range r.carved {
		c := &r.carved[i]
		ch.join(c.before, c.after, int64(c.count))
	}
	where := r.vote(&ch, branch)
	for i := range r.carved {
		c := &r.carved[i]
		root, off := ch.find(c.before)
		w, ok := where[root]
		first := w.base + off + 1
		if !ok || first < 1 {
			continue
		}
		epoch, lane, ok := parseStreamName([]byte(w.name))
		if !ok {
			continue
		}
		s := r.stream(epoch, lane)
		c.first, c.last = uint64(first), uint64(first)+uint64(c.count)-1
		c.epoch, c.lane = epoch, lane
		if _, c.tree = r.led[c.after]; c.tree {
			s.reached = max(s.reached, c.last)
		}
		s.refs = append(s.refs, c.blockRef)
	}
	r.carved = nil
}

// berth is where a chain lies: base is the seq of its root.
type berth struct {
	name string
	base int64
}

// vote finds where each chain lies, by its root; those of which it cannot be
// told are left out.
func (r *rescue) vote(ch *chains, branch string) map[int32]berth {
	type tally struct {
		votes  map[berth]int
		blocks map[berth]int
	}
	polls := make(map[int32]*tally)
	names := make(map[string]bool)
	vote := func(root int32, b berth, votes, blocks int) {
		p := polls[root]
		if p == nil {
			p = &tally{make(map[berth]int), make(map[berth]int)}
			polls[root] = p
		}
		p.votes[b] += votes
		p.blocks[b] += blocks
		names[b.name] = true
	}
	for i := range r.carved {
		c := &r.carved[i]
		root, off := ch.find(c.before)
		if c.name != "" {
			vote(root, berth{c.name, int64(c.says) - 1 - off}, 1, 1)
			vote(root, berth{c.name, int64(c.key) - 1 - off}, 1, 0)
		}
		led := r.led[c.after]
		if _, _, ok := parseStreamName([]byte(led.name)); ok {
			vote(root, berth{led.name, int64(led.seq) - 1 - off}, 2, 0)
		}
	}
	for name := range r.states {
		names[name] = true
	}
	for name := range names {
		epoch, lane, ok := parseStreamName([]byte(name))
		if !ok {
			continue
		}
		if genesis := movement.Genesis(branch, epoch, lane); ch.has(genesis) {
			root, off := ch.find(genesis)
			vote(root, berth{name, -off}, 1<<20, 2)
		}
	}
	where := make(map[int32]berth)
	for root, p := range polls {
		most, tied := 0, false
		var best berth
		for b, n := range p.votes {
			if n >= most {
				best, most, tied = b, n, n == most
			}
		}
		_, named := r.states[best.name]
		named = named || r.named[best.name] || len(r.states) == 0 && len(r.named) == 0
		if !tied && (named || p.blocks[best] > 1) {
			where[root] = best
		}
	}
	return where
}

// chains knows how far apart hashes lie that the same blocks join.
type chains struct {
	at     map[movement.Hash]int32
	parent []int32
	off    []int64 // from the parent
}

func (ch *chains) has(h movement.Hash) bool { _, ok := ch.at[h]; return ok }

func (ch *chains) point(h movement.Hash) int32 {
	i, ok := ch.at[h]
	if !ok {
		i = int32(len(ch.parent))
		ch.at[h] = i
		ch.parent, ch.off = append(ch.parent, i), append(ch.off, 0)
	}
	return i
}

// root is the root of a point's chain, and how far behind it the point lies.
func (ch *chains) root(i int32) (root int32, off int64) {
	var path []int32
	for ch.parent[i] != i {
		path = append(path, i)
		i = ch.parent[i]
	}
	for _, p := range slices.Backward(path) {
		off += ch.off[p]
		ch.parent[p], ch.off[p] = i, off
	}
	return i, off
}

func (ch *chains) find(h movement.Hash) (root int32, off int64) { return ch.root(ch.point(h)) }

// join says that count records lie between two hashes. What contradicts what is
// known already is passed over.
func (ch *chains) join(before, after movement.Hash, count int64) {
	a, aOff := ch.find(before)
	b, bOff := ch.find(after)
	if a != b {
		ch.parent[b], ch.off[b] = a, aOff+count-bOff
	}
}
