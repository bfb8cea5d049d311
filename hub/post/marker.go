package post

import (
	"strconv"
	"strings"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// mark makes a document's marker: the branch, the kind, and the exact movements
// as runs of their streams, each with the chain's [ledger.ShortHash] after its
// last, by which a hub that was put back knows whether the branch has the same
// movements there still.
//
//	BR01 dispense 3kq7x2m4p9ab/bulk:1-400@9f2c41d0,402@77b01c3e;5aaaaaaaaaaa/live:7@00d1e94a
//
// Markers of older hubs have no hashes. A run whose batch can no longer be read
// has none, and of a document of very many runs only the last of each stream: it
// says all that the others do, once the hub has the chain to there.
func mark(p *ledger.Posting, picking int64, runs []ledger.Run) odoo.Marker {
	body := markBody(p, runs, func(int) bool { return true })
	if len(body) > odoo.MaxMarker {
		body = markBody(p, runs, func(i int) bool { return i+1 == len(runs) || runs[i+1].Stream != runs[i].Stream })
	}
	return odoo.Marker{Posting: p.Name, PickingID: picking, Body: body}
}

// markBody lists the runs, with the hashes of those that hashed chooses.
func markBody(p *ledger.Posting, runs []ledger.Run, hashed func(i int) bool) string {
	var b strings.Builder
	b.WriteString(p.Branch + " " + string(p.Kind) + " ")
	for i, r := range runs {
		switch {
		case i > 0 && runs[i-1].Stream == r.Stream:
			b.WriteByte(',')
		case i > 0:
			b.WriteByte(';')
			fallthrough
		default:
			b.WriteString(r.Stream.Epoch + "/" + r.Stream.Lane.String() + ":")
		}
		b.WriteString(strconv.FormatUint(r.First, 10))
		if r.Last > r.First {
			b.WriteString("-" + strconv.FormatUint(r.Last, 10))
		}
		if r.Hash != "" && hashed(i) {
			b.WriteString("@" + r.Hash)
		}
	}
	return b.String()
}

// marked is what a marker says.
type marked struct {
	posting string
	branch  string
	kind    movement.Kind
	runs    []ledger.Run
}

func unreadable(m odoo.Marker, why string) error {
	return fault.New(fault.Data, "malformed_marker", "the marker of %s in Odoo %s", m.Posting, why)
}

// read takes a marker apart. It comes from outside: anybody may have written it.
func read(m odoo.Marker) (marked, error) {
	parts := strings.Split(m.Body, " ")
	if len(parts) != 3 || !movement.ValidBranch(parts[0]) || !strings.HasPrefix(m.Posting, ledger.PostingPrefix(parts[0])) {
		return marked{}, unreadable(m, "names no branch and kind")
	}
	out := marked{posting: m.Posting, branch: parts[0], kind: movement.Kind(parts[1])}
	if ledger.KindNumber(out.kind) == 0 {
		return marked{}, unreadable(m, "names no kind of movement")
	}
	for stream := range strings.SplitSeq(parts[2], ";") {
		head, list, ok := strings.Cut(stream, ":")
		epoch, lane, ok2 := strings.Cut(head, "/")
		s := ledger.Stream{Branch: out.branch, Epoch: epoch}
		if !ok || !ok2 || !movement.ValidEpoch(epoch) || s.Lane.UnmarshalText([]byte(lane)) != nil {
			return marked{}, unreadable(m, "names no stream")
		}
		for run := range strings.SplitSeq(list, ",") {
			run, hash, hashed := strings.Cut(run, "@")
			if hashed && !ledger.ValidShortHash(hash) {
				return marked{}, unreadable(m, "names no hash of the chain")
			}
			first, last, isRun := strings.Cut(run, "-")
			if !isRun {
				last = first
			}
			a, err1 := strconv.ParseUint(first, 10, 63)
			z, err2 := strconv.ParseUint(last, 10, 63)
			if err1 != nil || err2 != nil || a < 1 || z < a || z > ledger.MaxSeq {
				return marked{}, unreadable(m, "names no run of movements")
			}
			out.runs = append(out.runs, ledger.Run{Stream: s, First: a, Last: z, Hash: hash})
		}
	}
	if ledger.PostingName(out.kind, out.runs) != out.posting && ledger.ChainedName(out.kind, out.runs) != out.posting {
		return marked{}, unreadable(m, "names other movements than its posting's name")
	}
	return out, nil
}
