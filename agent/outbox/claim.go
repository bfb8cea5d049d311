package outbox

import (
	"cmp"
	"fmt"
	"slices"

	"branchline/internal/movement"
)

// claim is a run of sound records of one block that is carried over.
type claim struct {
	ref         blockRef
	first, last uint64
	before      movement.Hash
	after       movement.Hash
}

// claims chooses, for each seq of a stream, the copy to be carried over: the
// one that the tree leads to; failing that any sound one, first of all one that
// follows from the record before it, then the newest. Where the tree is
// certain, nothing past its last seq is taken: that was never committed.
// The result is ordered and does not overlap.
func (r *rescue) claims(s *rescued, branch string) []claim {
	var kept []claim
	slices.SortFunc(s.refs, func(a, b blockRef) int {
		return cmp.Or(cmp.Compare(a.first, b.first), -cmp.Compare(a.at, b.at), cmp.Compare(a.offset, b.offset))
	})
	for _, ref := range s.refs {
		if ref.tree {
			for _, c := range r.sound(s, ref, branch) {
				kept = insert(kept, c)
			}
		}
	}
	for i := 0; i < len(s.refs); {
		j := i + 1
		for j < len(s.refs) && s.refs[j].first == s.refs[i].first {
			j++
		}
		r.fill(s, s.refs[i:j], branch, &kept)
		i = j
	}
	return kept
}

// fill adds what copies of blocks that begin with the same seq still have to
// give.
func (r *rescue) fill(s *rescued, copies []blockRef, branch string, kept *[]claim) {
	var candidates []claim
	for _, ref := range copies {
		last := ref.last
		if r.certain {
			last = min(last, s.known)
		}
		if !covered(*kept, ref.first, last) {
			candidates = append(candidates, r.sound(s, ref, branch)...)
		}
	}
	if len(candidates) == 0 {
		return
	}
	first := copies[0].first
	if i := position(*kept, first); i > 0 && (*kept)[i-1].last == first-1 {
		follows := (*kept)[i-1].after
		slices.SortStableFunc(candidates, func(a, b claim) int {
			return -cmp.Compare(btoi(a.before == follows), btoi(b.before == follows))
		})
	}
	for _, c := range candidates {
		*kept = insert(*kept, c)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sound gives the runs of sound records in a block, up to the last known seq.
func (r *rescue) sound(s *rescued, ref blockRef, branch string) []claim {
	b, err := r.block(ref)
	if err != nil {
		return nil
	}
	var list []claim
	open := false
	b.entries(func(e entry) bool {
		if r.certain && !ref.tree && e.seq > s.known {
			return false
		}
		ok := e.sound() && (e.seq > 1 || branch == "" || e.before() == movement.Genesis(branch, s.epoch, s.lane))
		switch {
		case ok && open:
			c := &list[len(list)-1]
			c.last, c.after = e.seq, e.after
		case ok:
			list = append(list, claim{ref, e.seq, e.seq, e.before(), e.after})
		}
		open = ok
		return true
	})
	return list
}

// position is the index of the first claim that ends at or after seq.
func position(kept []claim, seq uint64) int {
	i, _ := slices.BinarySearchFunc(kept, seq, func(c claim, seq uint64) int { return cmp.Compare(c.last, seq) })
	return i
}

// covered tells whether every seq from first to last is claimed.
func covered(kept []claim, first, last uint64) bool {
	for i := position(kept, first); first <= last; i++ {
		if i == len(kept) || kept[i].first > first {
			return false
		}
		first = kept[i].last + 1
	}
	return true
}

// insert adds the parts of c that are not claimed yet.
func insert(kept []claim, c claim) []claim {
	for c.first <= c.last {
		i := position(kept, c.first)
		if i == len(kept) || kept[i].first > c.last {
			return slices.Insert(kept, i, c)
		}
		if kept[i].first > c.first {
			part := c
			part.last, part.after = kept[i].first-1, kept[i].before
			kept = slices.Insert(kept, i, part)
			i++
		}
		c.first, c.before = kept[i].last+1, kept[i].after
	}
	return kept
}

func (r *rescue) block(ref blockRef) (block, error) {
	v := make([]byte, ref.size)
	if _, err := r.raw.r.ReadAt(v, ref.offset); err != nil {
		return block{}, err
	}
	b, size := frameBlock(v)
	if size != len(v) {
		return block{}, errBlock
	}
	b.epoch, b.lane, b.first = ref.epoch, ref.lane, ref.first // see place
	return b, nil
}

// value is what is stored for a claim: the block itself, or a smaller one with
// the claim's records.
func (r *rescue) value(c claim) ([]byte, error) {
	b, err := r.block(c.ref)
	if err != nil {
		return nil, fmt.Errorf("the file changes while it is read: %w", err)
	}
	return b.part(c.first, c.last), nil
}

// part is the block of some of a block's records.
func (b *block) part(first, last uint64) []byte {
	d := newDraft(len(b.body) + blockHead)
	var before movement.Hash
	b.entries(func(e entry) bool {
		if e.seq == first {
			before = e.before()
		}
		if e.seq >= first && e.seq <= last {
			d.addRecord(e.record())
		}
		return e.seq < last
	})
	value, _ := d.seal(b.epoch, b.lane, first, b.at, before)
	return value
}
