package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// This file is about documents in Odoo that name movements of a stream by their
// seqs, and mean others than the ledger has there: hub and branch were both put
// back, and the branch has recorded anew since, under the same seqs. What such a
// document holds is lost here, and what the ledger has may or may not be among it,
// since the two histories have a beginning in common. So nothing of such a run
// counts as posted, and nothing is posted without a person. The branch is told to
// go on in a stream of a new epoch.

// Reason codes of exceptions of movements that may be in Odoo already.
const (
	ReasonOtherHistory = "other_history"
	ReasonMayBePosted  = "may_be_posted"
)

// What is known of a run that an adopted document names; the numbers stand in the
// tables.
const (
	chainUnknown = 0
	chainSame    = 1
	chainOther   = 2
)

// claim is a run that an adopted document names.
type claim struct {
	posting int64
	run     idRun
	chain   string
}

// claims gives the runs of a stream that adopted documents name and that are not
// compared yet, as where says, by their last seqs.
func (t *Tx) claims(stream int64, where string, args ...any) (all []claim, err error) {
	err = t.Rows(`SELECT s.posting_id, s.first_seq, s.last_seq, s.chain FROM posting_sets s JOIN postings p ON p.id = s.posting_id
		WHERE s.stream_id = $1 AND s.verdict = 0 AND p.state = 'posted' AND `+where+` ORDER BY s.last_seq`,
		append([]any{stream}, args...), func(r Row) error {
			var c claim
			var first, last int64
			err := r.Scan(&c.posting, &first, &last, &c.chain)
			c.run = idRun{MakeID(stream, uint64(first)), MakeID(stream, uint64(last))}
			all = append(all, c)
			return err
		})
	return all, err
}

// compareClaims holds what documents in Odoo name of a stream against what has
// come, from one seq to another.
func (t *Tx) compareClaims(k known, from, through uint64, at time.Time) error {
	all, err := t.claims(k.id, `s.chain <> '' AND s.last_seq BETWEEN $2 AND $3`, int64(from), int64(through))
	if err != nil || len(all) == 0 {
		return err
	}
	chain := &chainReader{l: t.w.l, r: t, stream: k.id}
	for i, c := range all {
		ours, err := chain.after(c.run.last.Seq())
		if err != nil {
			return err
		}
		if ours == "" {
			continue
		}
		if ours != c.chain {
			// A chain that has parted does not meet again.
			rest, err := t.claims(k.id, `s.chain <> '' AND s.last_seq > $2`, int64(through))
			if err != nil {
				return err
			}
			return t.contest(k, append(all[i:], rest...), at)
		}
		if err := t.verdict(c, chainSame); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) verdict(c claim, what int64) error {
	_, err := t.Exec(`UPDATE posting_sets SET verdict = $1 WHERE posting_id = $2 AND stream_id = $3 AND first_seq = $4`,
		what, c.posting, c.run.first.Stream(), int64(c.run.first.Seq()))
	return err
}

// contest says that documents name other movements than the ledger has, or will
// have, in their runs, and that the stream goes on no further.
func (t *Tx) contest(k known, claims []claim, at time.Time) error {
	for _, c := range claims {
		// Of a document with very many runs only the last of a stream has a hash,
		// which says that one of them is another, and not which.
		unsaid, err := t.claims(k.id, `s.chain = '' AND s.posting_id = $2 AND s.last_seq < $3`, c.posting, int64(c.run.last.Seq()))
		if err != nil {
			return err
		}
		claims = append(claims, unsaid...)
	}
	for _, c := range claims {
		if err := t.verdict(c, chainOther); err != nil {
			return err
		}
		if err := t.withdrawOthers(c.posting, []idRun{c.run}, at); err != nil {
			return err
		}
		if _, err := t.Exec(`INSERT INTO reconsider (id) SELECT id FROM movements WHERE id BETWEEN $1 AND $2 ON CONFLICT (id) DO NOTHING`,
			int64(c.run.first), int64(c.run.last)); err != nil {
			return err
		}
		doc, err := t.Document(c.posting)
		if err != nil {
			return err
		}
		if err := t.Audit(Entry{At: at, Who: "hub", Action: "other movements in Odoo", Subject: doc.Odoo.Name,
			Detail: fmt.Sprintf("it names %d to %d of %s, and means others than the branch has under these numbers since it was put back",
				c.run.first.Seq(), c.run.last.Seq(), k.Stream)}); err != nil {
			return err
		}
		t.Stir(c.run.first)
	}
	t.Tell(Ruled)
	return t.fork(k, claims[0], at)
}

// fork has the branch go on in another stream.
func (t *Tx) fork(k known, c claim, at time.Time) error {
	n, err := t.Exec(`INSERT INTO forks (stream_id, posting_id, first_seq, batch_id, noted_at)
		VALUES ($1, $2, $3, (SELECT COALESCE(MAX(id), 0) FROM batches), $4) ON CONFLICT (stream_id) DO NOTHING`,
		k.id, c.posting, int64(c.run.first.Seq()), at.UnixMilli())
	if err != nil || n == 0 {
		return err
	}
	// What follows is planned again, if it is in no doubt.
	rest := idRun{c.run.first, MakeID(k.id, MaxSeq)}
	if err := t.withdrawOthers(c.posting, []idRun{rest}, at); err != nil {
		return err
	}
	if _, err := t.Exec(`INSERT INTO reconsider (id) SELECT id FROM movements WHERE id BETWEEN $1 AND $2 AND state = 1
		ON CONFLICT (id) DO NOTHING`, int64(rest.first), int64(rest.last)); err != nil {
		return err
	}
	t.After(func() {
		t.w.l.log.Error("hub and branch were both put back: documents in Odoo hold other movements under the same numbers; "+
			"what is not certain waits for a person, and the branch goes on in a new stream",
			"branch", k.Branch, "epoch", k.Epoch, "lane", k.Lane.String(), "seq", c.run.last.Seq())
	})
	return t.Audit(Entry{At: at, Who: "hub", Action: "stream ended", Subject: k.String(),
		Detail: "hub and branch were both put back; the branch goes on in a new stream"})
}

// Doubt is that events of a branch may be in Odoo though nothing says so.
type Doubt struct {
	// Stream and First say from which movement on, AfterBatch from which batch on
	// in any stream: that is those with a greater id. Stream is 0 for none.
	Stream     int64
	First      uint64
	AfterBatch int64
	// Until is when the latest of these events can have happened.
	Until time.Time
}

// DoubtsOf gives the doubts about a branch that was put back together with the
// hub.
func (t *Tx) DoubtsOf(branch int64) (all []Doubt, err error) {
	err = t.Rows(`SELECT f.stream_id, f.first_seq, f.batch_id, f.noted_at FROM forks f JOIN streams s ON s.id = f.stream_id
		WHERE s.branch_id = $1 ORDER BY f.stream_id`, []any{branch}, func(r Row) error {
		var d Doubt
		var first, at int64
		err := r.Scan(&d.Stream, &first, &d.AfterBatch, &at)
		d.First, d.Until = uint64(first), timeOf(at)
		all = append(all, d)
		return err
	})
	return all, err
}

// NoteEnd is told the last seq that a branch has of a stream. When documents in
// Odoo name more of it, the branch was put back since, and the stream is ended;
// ended tells whether it was by this.
func (l *Ledger) NoteEnd(ctx context.Context, s Stream, last uint64, at time.Time) (ended bool, err error) {
	var n int64
	if last > MaxSeq {
		return false, nil
	}
	const beyond = `s.last_seq > $2 AND s.last_seq > (SELECT through FROM streams WHERE id = $1)`
	r := l.reader(ctx)
	k, ok, err := l.findStream(r, s)
	if err != nil || !ok {
		return false, classify(err)
	}
	if err := r.Row(`SELECT COUNT(*) FROM posting_sets s JOIN postings p ON p.id = s.posting_id
		WHERE s.stream_id = $1 AND s.verdict = 0 AND p.state = 'posted' AND `+beyond, k.id, int64(last)).Scan(&n); err != nil || n == 0 {
		return false, classify(err)
	}
	err = l.Write(ctx, func(tx *Tx) error {
		ended = false
		all, err := tx.claims(k.id, beyond, int64(last))
		if err != nil || len(all) == 0 {
			return err
		}
		ended = true
		return tx.contest(k, all, at)
	})
	return ended, err
}

// otherHistory tells whether a posting that is alive is a document which means
// other movements than the ledger has.
func (t *Tx) otherHistory(posting int64) (bool, error) {
	var n int64
	err := t.Row(`SELECT COUNT(*) FROM posting_sets WHERE posting_id = $1 AND verdict = $2`, posting, chainOther).Scan(&n)
	return n > 0, err
}

// chainedName is a posting's name that says by the chain, too, which movements it
// holds: for those whose plain name a document in Odoo bears that is not theirs.
func (t *Tx) chainedName(p *NewPosting) (string, error) {
	var runs []Run
	for _, r := range runsOf(p.Movements) {
		k, err := t.w.l.streamByID(t, r.first.Stream())
		if err != nil {
			return "", err
		}
		runs = append(runs, Run{Stream: k.Stream, First: r.first.Seq(), Last: r.last.Seq()})
	}
	runs, err := t.w.l.chainRuns(t, runs)
	if err != nil {
		return "", err
	}
	for _, r := range runs {
		if r.Hash == "" {
			return "", errors.New("a movement to be posted is not in the ledger")
		}
	}
	return ChainedName(p.Kind, runs), nil
}
