package ingest

import (
	"errors"
	"fmt"
	"testing"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

const epoch = "abcdefgh2345"

var genesis = movement.Genesis("BR01", epoch, movement.Live)

// history is a stream as somebody has it: one letter a record. A dot is a record
// that is no longer there; its hash is that of the letter in past.
type history struct{ past, kept string }

func (h history) hash(through uint64) movement.Hash {
	c := movement.NewChain(genesis)
	for i := range through {
		c.Add([]byte{h.past[i]})
	}
	return c.Head()
}

// batch is the records first to last, as the outbox would send them.
func (h history) batch(first, last int) *wire.Batch {
	b := &wire.Batch{Header: wire.Header{V: 1, Branch: "BR01", Epoch: epoch, Lane: movement.Live, First: uint64(first),
		Count: last - first + 1, Prev: h.hash(uint64(first - 1)), Last: h.hash(uint64(last)), Oldest: uint64(first)}}
	for i := first; i <= last; i++ {
		b.Records = append(b.Records, []byte{h.past[i-1]})
	}
	for i := first - 1; i >= 1; i-- {
		if h.kept[i-1] != '.' {
			b.Oldest = uint64(i)
		} else if b.Oldest == b.First {
			b.Gone++
		}
	}
	return b
}

func (h history) cursor() ledger.Cursor {
	n := uint64(len(h.past))
	return ledger.Cursor{Through: n, Hash: h.hash(n)}
}

// stored gives runs of at most two records, never across a gap.
func (h history) stored(seq uint64) (*Run, error) {
	if h.kept[seq-1] == '.' {
		return nil, nil
	}
	first := seq - (seq-1)%2
	for first < seq && h.kept[first-1] == '.' {
		first++
	}
	r := &Run{First: first, Prev: h.hash(first - 1)}
	for i := first; i <= first+(first%2) && i <= uint64(len(h.kept)) && h.kept[i-1] != '.'; i++ {
		r.Records = append(r.Records, []byte{h.kept[i-1]})
	}
	return r, nil
}

func all(past string) history { return history{past, past} }

func TestDecide(t *testing.T) {
	cases := map[string]struct {
		branch, hub history
		first, last int
		want        string // verdict, through, from, lost
	}{
		"the very first":               {all("abc"), all(""), 1, 3, "taken 3 from 1"},
		"what follows":                 {all("abcde"), all("abc"), 4, 5, "taken 5 from 4"},
		"the same again":               {all("abc"), all("abc"), 1, 3, "taken 3"},
		"a part again":                 {all("abc"), all("abcde"), 2, 3, "taken 3"},
		"an overlap":                   {all("abcde"), all("abc"), 2, 5, "taken 5 from 4"},
		"a gap that can be filled":     {all("abcdef"), all("abc"), 5, 6, "resend 3"},
		"a gap that cannot":            {history{"abcdef", "....ef"}, all("abc"), 5, 6, "taken 6 from 5 lost"},
		"a hole reaching the hub":      {history{"abcdef", "abc.ef"}, all("abc"), 5, 6, "taken 6 from 5 lost"},
		"a hole, and more before":      {history{"abcdef", "abc.ef"}, all("ab"), 5, 6, "resend 2"},
		"a hub that knows nothing":     {history{"abcdef", "....ef"}, all(""), 5, 6, "taken 6 from 5 lost"},
		"differs in the middle":        {all("abXY"), all("abcd"), 1, 4, "fork 2"},
		"differs in its first":         {all("abXY"), all("abcd"), 3, 4, "fork 2"},
		"differs from the start":       {all("XY"), all("abcd"), 1, 2, "fork 0"},
		"differs beyond the overlap":   {all("abcX"), all("abcde"), 2, 4, "fork 3"},
		"differed before":              {all("aXcd"), all("abcd"), 3, 4, "resend 0"},
		"follows, but differed before": {all("aXcd"), all("abc"), 4, 4, "resend 0"},
		"differed, nothing older":      {history{"aXcd", "...d"}, all("abc"), 4, 4, "fork 3"},
		"differed inside, none older":  {history{"aXcd", "..cd"}, all("abcd"), 3, 4, "fork 2"},
		"chained for another stream":   {history{"Xbc", "Xbc"}, all(""), 1, 3, "taken 3 from 1"},
		"inside a recorded gap":        {all("abcdef"), history{"abcdef", "ab..ef"}, 3, 4, "refused inside_gap"},
		"into a recorded gap":          {all("abcdef"), history{"abcdef", "ab..ef"}, 1, 6, "refused inside_gap"},
		"after a recorded gap":         {all("abcdef"), history{"abcdef", "ab..ef"}, 5, 6, "taken 6"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if d := decide(t, c.branch, c.hub, c.first, c.last); describe(d) != c.want {
				t.Errorf("%s, want %s", describe(d), c.want)
			}
		})
	}
}

func TestFirstRecordOfAnotherStreamIsRefused(t *testing.T) {
	b := all("abc").batch(1, 3)
	b.Prev = movement.Genesis("BR02", epoch, movement.Live)
	d, err := Decide(b, all("").cursor(), all("").stored)
	if err != nil || describe(d) != "refused foreign_chain" {
		t.Errorf("%s, %v", describe(d), err)
	}
}

// Of a stream that has ended what is new goes into a new one; what was taken is
// acknowledged again, and what is missing asked for.
func TestAStreamThatHasEndedTakesNothingNew(t *testing.T) {
	for name, c := range map[string]struct {
		branch, hub history
		first, last int
		want        string
	}{
		"what follows":    {all("abcde"), all("abc"), 4, 5, "fork 3"},
		"the same again":  {all("abc"), all("abc"), 1, 3, "taken 3"},
		"an overlap":      {all("abcde"), all("abc"), 2, 5, "fork 3"},
		"a gap":           {all("abcdef"), all("abc"), 5, 6, "resend 3"},
		"lost, then more": {history{"abcdef", "....ef"}, all("abc"), 5, 6, "taken 6 from 5 lost"},
	} {
		at := c.hub.cursor()
		at.Ended = true
		if d, err := Decide(c.branch.batch(c.first, c.last), at, c.hub.stored); err != nil || describe(d) != c.want {
			t.Errorf("%s: %s, want %s; %v", name, describe(d), c.want, err)
		}
	}
}

func TestUnreadableLedgerDecidesNothing(t *testing.T) {
	broken := errors.New("broken")
	_, err := Decide(all("abc").batch(1, 2), all("abc").cursor(), func(uint64) (*Run, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func decide(t testing.TB, branch, hub history, first, last int) Decision {
	t.Helper()
	d, err := Decide(branch.batch(first, last), hub.cursor(), hub.stored)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func describe(d Decision) string {
	if d.Verdict == wire.Refused {
		return "refused " + d.Code
	}
	s := fmt.Sprintf("%s %d", d.Verdict, d.Through)
	if d.From > 0 {
		s += fmt.Sprintf(" from %d", d.From)
	}
	if d.Lost {
		s += " lost"
	}
	return s
}

// TestEveryDecisionIsSound goes through all pairs of short histories, every
// record of which is one of two, kept or not, and every batch between them, and
// holds each decision against what is true.
func TestEveryDecisionIsSound(t *testing.T) {
	const longest = 4
	histories := everyHistory(longest)
	n := 0
	for _, branch := range histories {
		for _, hub := range histories {
			if len(hub.kept) > 0 && hub.kept[len(hub.kept)-1] == '.' {
				continue // a cursor stands at a record that came
			}
			for first := 1; first <= len(branch.past); first++ {
				for last := first; last <= len(branch.past) && branch.kept[last-1] != '.'; last++ {
					n++
					d := decide(t, branch, hub, first, last)
					if why := unsound(branch, hub, uint64(first), uint64(last), d); why != "" {
						t.Fatalf("branch %v, hub %v, batch %d to %d: %s: %s", branch, hub, first, last, describe(d), why)
					}
				}
			}
		}
	}
	t.Logf("%d decisions", n)
}

func everyHistory(longest int) []history {
	list := []history{{}}
	for from := 0; len(list[from].past) < longest; from++ {
		h := list[from]
		for _, r := range "ab" {
			list = append(list, history{h.past + string(r), h.kept + string(r)}, history{h.past + string(r), h.kept + "."})
		}
	}
	return list
}

// unsound says what is wrong with a decision, from knowing everything.
func unsound(branch, hub history, first, last uint64, d Decision) string {
	through := uint64(len(hub.past))
	same := uint64(0) // how far the true histories are equal
	for same < min(through, uint64(len(branch.past))) && branch.past[same] == hub.past[same] {
		same++
	}
	keepsBefore := func(from, to uint64) bool { // the branch has any of from to to-1
		for i := from; i < to; i++ {
			if branch.kept[i-1] != '.' {
				return true
			}
		}
		return false
	}
	switch d.Verdict {
	case wire.Taken:
		switch {
		case d.Through != last:
			return "taken names another end"
		case d.From == 0 && (last > through || last > same):
			return "not all of it is in the hub"
		case d.From == 0:
			for i := first; i <= last; i++ {
				if hub.kept[i-1] == '.' {
					return "a record of it is in a gap"
				}
			}
		case d.From <= through || d.From < first || d.From > last:
			return "what is in the hub would be committed again, or too little"
		case !d.Lost && (d.From != through+1 || same != through):
			return "it does not follow what is in the hub"
		case d.Lost && (d.From == through+1 || keepsBefore(through+1, d.From)):
			return "nothing is lost there"
		}
	case wire.Resend:
		switch {
		case d.Through+1 >= first && first <= through+1:
			return "asks for what was just sent"
		case first > through+1 && d.Through != through:
			return "asks for another place than where the hub ends"
		case !keepsBefore(d.Through+1, first):
			return "asks for what the branch does not have"
		}
	case wire.Fork:
		switch {
		case d.Through >= last || d.Through+1 < first:
			return "forks outside of the batch"
		case d.Through > same && keepsBefore(same+1, d.Through+1):
			return "records that the hub lacks would count as acknowledged"
		case d.Through < same && hub.kept[d.Through] != '.':
			return "records that the hub has would go into a new stream"
		}
	case wire.Refused:
		gap := false
		for i := first; i <= min(last, through); i++ {
			gap = gap || hub.kept[i-1] == '.'
		}
		if !gap {
			return "nothing is wrong with it"
		}
	}
	return ""
}
