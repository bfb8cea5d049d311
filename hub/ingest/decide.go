package ingest

import (
	"bytes"
	"fmt"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// Decision is what to do with a batch and what to answer.
type Decision struct {
	Verdict wire.Verdict
	// Through is what the answer names.
	Through uint64
	// From is the first seq of the batch that is new and to be committed,
	// after which the cursor is the batch's end; 0 for none. Prev is the chain's
	// hash before it.
	From uint64
	Prev movement.Hash
	// Lost says that what lies between the cursor and From is gone at the
	// branch, and is to be recorded as a gap.
	Lost bool
	// Code and Text explain a refusal or a fork.
	Code, Text string
}

// Reasons that only the rule gives.
const (
	// CodeForeignChain: the first record of a stream does not follow that
	// stream's genesis.
	CodeForeignChain = "foreign_chain"
	// CodeInsideGap: the branch sends again what it had once declared gone.
	CodeInsideGap = "inside_gap"
	// CodeForked: the branch's outbox is a copy, or was restored from one.
	CodeForked = "forked"
)

// lookBack is how many records earlier a branch is asked to begin when the
// place of a fork lies before what it sent.
const lookBack = 10_000

// Run is consecutive records of a stream that are committed: the seq of the
// first, and the chain's hash before it.
type Run struct {
	First   uint64
	Prev    movement.Hash
	Records [][]byte
}

// Decide says what to do with b, an opened batch of a stream that the hub has
// through at. stored gives a committed run that holds a seq, nil where a gap is
// recorded; it is asked only for seqs through the cursor, and its errors are
// passed on. Of a stream that has ended nothing more is taken, but for what tells of
// a loss. Decide changes nothing.
func Decide(b *wire.Batch, at ledger.Cursor, stored func(seq uint64) (*Run, error)) (Decision, error) {
	d, err := place(b, at, stored)
	if err == nil && at.Ended && d.From != 0 && !d.Lost {
		d = Decision{Verdict: wire.Fork, Through: at.Through, Code: CodeForked, Text: fmt.Sprintf(
			"documents in Odoo name other records of this stream than the branch has: both it and the hub were put back; it goes on in a new stream after %d", at.Through)}
	}
	return d, err
}

// place says where b belongs in a stream that goes on.
func place(b *wire.Batch, at ledger.Cursor, stored func(seq uint64) (*Run, error)) (Decision, error) {
	next := at.Through + 1
	taken := Decision{Verdict: wire.Taken, Through: b.Through(), From: b.First, Prev: b.Prev}
	switch {
	case b.First == next && b.Prev == at.Hash:
		return taken, nil
	case b.First == next && at.Through == 0:
		return Decision{Verdict: wire.Refused, Code: CodeForeignChain,
			Text: "the first record of the stream was chained for another branch or stream"}, nil
	case b.First == next:
		return diverged(b, at.Through), nil
	case b.First > next && b.MissingFrom() <= next:
		taken.Lost = true
		return taken, nil
	case b.First > next:
		return Decision{Verdict: wire.Resend, Through: at.Through}, nil
	}
	return compare(b, at, stored)
}

// compare holds b, which begins at or before the cursor, against what is
// stored.
func compare(b *wire.Batch, at ledger.Cursor, stored func(seq uint64) (*Run, error)) (Decision, error) {
	ours, err := stored(b.First)
	if err != nil {
		return Decision{}, err
	}
	if ours == nil {
		return insideGap(b.First), nil
	}
	before := movement.NewChain(ours.Prev)
	for _, r := range ours.Records[:b.First-ours.First] {
		before.Add(r)
	}
	if before.Head() != b.Prev {
		return diverged(b, b.First-1), nil
	}
	for seq := b.First; seq <= min(b.Through(), at.Through); seq++ {
		if seq-ours.First >= uint64(len(ours.Records)) {
			if ours, err = stored(seq); err != nil {
				return Decision{}, err
			}
			if ours == nil {
				return insideGap(seq), nil
			}
		}
		if !bytes.Equal(ours.Records[seq-ours.First], b.Records[seq-b.First]) {
			return forked(seq - 1), nil
		}
	}
	d := Decision{Verdict: wire.Taken, Through: b.Through()}
	if b.Through() > at.Through {
		d.From, d.Prev = at.Through+1, at.Hash // what is new in b follows what is equal
	}
	return d, nil
}

// diverged answers a batch whose past is not the hub's: its chain differs at
// seq, the one before it, or earlier.
func diverged(b *wire.Batch, seq uint64) Decision {
	if b.Oldest == b.First {
		// The branch has nothing older, so nothing of it is lost when all it
		// has goes into a new stream. What it had before, the hub once took.
		d := forked(seq)
		if seq > 0 {
			d.Text = fmt.Sprintf("the branch had other records than the hub before %d, which it keeps no longer: "+
				"its outbox is a copy, or was restored from one, and so was the hub; earlier backups of the hub may hold more", b.First)
		}
		return d
	}
	back := min(b.First, b.MissingFrom()) - 1 // the last that the branch still has
	return Decision{Verdict: wire.Resend, Through: max(b.Oldest-1, back-min(back, lookBack))}
}

func forked(common uint64) Decision {
	return Decision{Verdict: wire.Fork, Through: common, Code: CodeForked, Text: fmt.Sprintf(
		"the branch's records are the hub's only through %d: its outbox is a copy, or was restored from one", common)}
}

func insideGap(seq uint64) Decision {
	return Decision{Verdict: wire.Refused, Code: CodeInsideGap, Text: fmt.Sprintf(
		"the record %d was recorded as lost at the branch; export the outbox of this agent and have it looked at", seq)}
}
