package ledger

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"branchline/internal/movement"
)

// PostingPrefix begins the names of all documents of a branch.
func PostingPrefix(branch string) string { return "BL/" + branch + "/" }

// BranchOfPosting tells the branch whose document bears a name; false for a name
// that no branch's document can have.
func BranchOfPosting(name string) (branch string, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) < 3 || parts[0] != "BL" || !movement.ValidBranch(parts[1]) {
		return "", false
	}
	return parts[1], true
}

// PostingName gives the posting of exactly these movements its name: the same
// for the same movements for ever, also in a hub that was restored from a
// backup, and whatever the order of the runs. They are of one branch, joined as
// [RunsOf] does, and not empty.
//
//	BL/<branch>/<epoch's first letters>/<L or B><first>-<last>/<hash>
//
// names the first run's stream, with the first and last seq taken from it.
func PostingName(kind movement.Kind, runs []Run) string {
	return postingName(kind, runs, func(Run) string { return "" })
}

// ChainedName is a name that tells movements apart which were recorded under the
// same numbers, one time before the branch was put back and one time after. Each run
// has its Hash.
func ChainedName(kind movement.Kind, runs []Run) string {
	return postingName(kind, runs, func(r Run) string { return "@" + r.Hash })
}

func postingName(kind movement.Kind, runs []Run, hash func(Run) string) string {
	runs = slices.SortedFunc(slices.Values(runs), func(a, b Run) int {
		return cmp.Or(strings.Compare(a.Stream.Epoch, b.Stream.Epoch), cmp.Compare(a.Stream.Lane, b.Stream.Lane), cmp.Compare(a.First, b.First))
	})
	h := sha256.New()
	fmt.Fprintln(h, kind)
	head, last := runs[0], runs[0].Last
	for _, r := range runs {
		fmt.Fprintf(h, "%s %d-%d%s\n", r.Stream, r.First, r.Last, hash(r))
		if r.Stream == head.Stream {
			last = r.Last
		}
	}
	lane := strings.ToUpper(head.Stream.Lane.String()[:1])
	return fmt.Sprintf("%s%s/%s%d-%d/%s", PostingPrefix(head.Stream.Branch), head.Stream.Epoch[:min(4, len(head.Stream.Epoch))],
		lane, head.First, last, hex.EncodeToString(h.Sum(nil)[:4]))
}

// RunsOf joins movements into runs of their streams, ordered by stream and seq;
// one that comes twice counts once.
func RunsOf(ids []movement.ID) []Run {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b movement.ID) int {
		return cmp.Or(strings.Compare(a.Branch, b.Branch), strings.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Seq, b.Seq))
	})
	var runs []Run
	for _, id := range ids {
		s := Stream{id.Branch, id.Epoch, id.Lane}
		if n := len(runs); n > 0 && runs[n-1].Stream == s && id.Seq <= runs[n-1].Last+1 {
			runs[n-1].Last = id.Seq
			continue
		}
		runs = append(runs, Run{Stream: s, First: id.Seq, Last: id.Seq})
	}
	return runs
}
