package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"branchline/internal/movement"
)

// BranchOverview is one line of the board.
type BranchOverview struct {
	Branch string
	// Received counts the records that the hub has of the branch, Projected
	// those that are movements already.
	Received, Projected int64
	// LastReceived is when the newest batch came; zero for none.
	LastReceived time.Time
	// LastOccurred is the newest event.
	LastOccurred time.Time
	// Pending waits for the planner, Open counts postings to be made in Odoo,
	// Exceptions waits for people.
	Pending, Open, Exceptions int64
	// OldestException is zero for none.
	OldestException time.Time
	// OldestPending is when the oldest of those was recorded that wait for the
	// planner, OldestOpen that of the oldest posting to be made; zero for none.
	OldestPending, OldestOpen time.Time
}

// Overview lists all branches by name. It takes time with the number of
// branches, pending movements and open exceptions, not with that of movements.
func (l *Ledger) Overview(ctx context.Context) ([]BranchOverview, error) {
	var all []BranchOverview
	at := map[int64]int{}
	r := l.reader(ctx)
	err := r.Rows(`SELECT b.id, b.code, COALESCE(t.movements, 0), COALESCE(t.last_occurred_at, 0),
			COALESCE(s.through, 0), COALESCE(s.received_at, 0)
		FROM branches b LEFT JOIN branch_totals t ON t.branch_id = b.id
			LEFT JOIN (SELECT branch_id, SUM(through) AS through, MAX(received_at) AS received_at
				FROM streams GROUP BY branch_id) s ON s.branch_id = b.id
		ORDER BY b.code`, nil, func(row Row) error {
		var o BranchOverview
		var id, occurred, received int64
		if err := row.Scan(&id, &o.Branch, &o.Projected, &occurred, &o.Received, &received); err != nil {
			return err
		}
		o.LastOccurred, o.LastReceived = timeOf(occurred), timeOf(received)
		at[id] = len(all)
		all = append(all, o)
		return nil
	})
	for _, part := range []struct {
		query string
		set   func(o *BranchOverview, n, oldest int64)
	}{
		{`SELECT branch_id, SUM(last_seq - first_seq + 1), 0 FROM gaps g JOIN streams s ON s.id = g.stream_id GROUP BY branch_id`,
			func(o *BranchOverview, n, _ int64) { o.Received -= n }},
		{`SELECT branch_id, COUNT(*), MIN(recorded_at) FROM movements WHERE state = 1 GROUP BY branch_id`,
			func(o *BranchOverview, n, oldest int64) { o.Pending, o.OldestPending = n, timeOf(oldest) }},
		{overviewOpen, func(o *BranchOverview, n, oldest int64) { o.Open, o.OldestOpen = n, timeOf(oldest) }},
		{`SELECT branch_id, COUNT(*), MIN(since) FROM exceptions GROUP BY branch_id`,
			func(o *BranchOverview, n, oldest int64) { o.Exceptions, o.OldestException = n, timeOf(oldest) }},
	} {
		if err != nil {
			break
		}
		err = r.Rows(part.query, nil, func(row Row) error {
			var id, n, oldest int64
			err := row.Scan(&id, &n, &oldest)
			if i, ok := at[id]; ok {
				part.set(&all[i], n, oldest)
			}
			return err
		})
	}
	if err != nil {
		return nil, classify(fmt.Errorf("overview: %w", err))
	}
	return all, nil
}

// overviewOpen looks only at the first posting of each branch for what is oldest: a
// branch's postings are made in the order of its movements.
const overviewOpen = `SELECT o.branch_id, o.n, COALESCE((SELECT MIN(m.recorded_at) FROM posting_sets s
		JOIN movements m ON m.id = s.stream_id * 1099511627776 + s.first_seq WHERE s.posting_id = o.oldest), p.created_at)
	FROM (SELECT branch_id, COUNT(*) AS n, MIN(id) AS oldest FROM postings
		WHERE state IN ('planned', 'posting') GROUP BY branch_id) o JOIN postings p ON p.id = o.oldest`

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// StreamOverview is how far one stream of a branch is.
type StreamOverview struct {
	Stream
	Cursor
	LastReceived time.Time
}

// Streams lists a branch's streams, the newest last.
func (l *Ledger) Streams(ctx context.Context, branch string) ([]StreamOverview, error) {
	var all []StreamOverview
	err := l.reader(ctx).Rows(`SELECT s.epoch, s.lane, s.through, s.hash, s.received_at
		FROM streams s JOIN branches b ON b.id = s.branch_id WHERE b.code = $1 ORDER BY s.id`, []any{branch}, func(row Row) error {
		o := StreamOverview{Stream: Stream{Branch: branch}}
		var through, at int64
		var hash []byte
		err := row.Scan(&o.Epoch, &o.Lane, &through, &hash, &at)
		if err == nil {
			o.Hash, err = hashOf(hash)
		}
		o.Through, o.LastReceived = uint64(through), timeOf(at)
		all = append(all, o)
		return err
	})
	return all, classify(err)
}

// PostingFilter chooses postings; zero fields choose all.
type PostingFilter struct {
	Branch string
	State  PostingState
	// Before is the id of the last posting of the page before.
	Before int64
	// Limit is 100 if it is 0, and at most 1000.
	Limit int
}

// Postings lists postings, the newest first, without their bodies.
func (l *Ledger) Postings(ctx context.Context, f PostingFilter) ([]Posting, error) {
	if f.Before <= 0 {
		f.Before = 1 << 62
	}
	if f.Limit <= 0 {
		f.Limit = 100
	}
	where, args := `WHERE p.id < $1`, []any{f.Before}
	if f.Branch != "" {
		args = append(args, f.Branch)
		where += fmt.Sprintf(` AND p.branch_id = (SELECT id FROM branches WHERE code = $%d)`, len(args))
	}
	if f.State != "" {
		args = append(args, string(f.State))
		where += fmt.Sprintf(` AND p.state = $%d`, len(args))
	}
	args = append(args, min(f.Limit, 1000))
	all, err := l.postings(ctx, where+fmt.Sprintf(` ORDER BY p.id DESC LIMIT $%d`, len(args)), args...)
	for i := range all {
		all[i].Body = nil
	}
	return all, err
}

// Trace is the whole way of one movement, as far as it has come.
type Trace struct {
	// Record is what came, with the hash that proves it.
	Record Record
	// Movement is nil as long as it is not projected.
	Movement *Movement
	// Exception is set while it waits for a person.
	Exception *Exception
	// Rulings is what was said about it, in order.
	Rulings []TracedRuling
	// Posting is the document that it is in, and Attempts what was tried for
	// it, newest first.
	Posting  *Posting
	Attempts []Attempt
}

// TracedRuling is a ruling and who made it: a stage, or a person.
type TracedRuling struct {
	At                time.Time
	Who, What, Reason string
	Text              string
	PostingID         int64
	// Corrected is what it should have been; nil in all but a correction.
	Corrected *Correction
}

// Trace follows a movement. One that the hub never received is a fault of class
// Data, "unknown_movement".
func (l *Ledger) Trace(ctx context.Context, name movement.ID) (*Trace, error) {
	id, err := l.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	t := new(Trace)
	if t.Record, err = l.Record(ctx, id); err != nil {
		return nil, err
	}
	found, err := l.movements(ctx, `WHERE m.id = $1`, int64(id))
	if err != nil || len(found) == 0 {
		return t, err
	}
	t.Movement = &found[0]
	r := l.reader(ctx)
	if err := r.Rows(`SELECT at, what, who, stage, reason, text, posting_id, corrected FROM rulings WHERE movement_id = $1 ORDER BY id`,
		[]any{int64(id)}, func(row Row) error {
			var g TracedRuling
			var at, what int64
			var stage, corrected string
			err := row.Scan(&at, &what, &g.Who, &stage, &g.Reason, &g.Text, &g.PostingID, &corrected)
			if err == nil {
				g.Corrected, err = readCorrection(corrected)
			}
			g.At, g.What = timeOf(at), map[int64]string{ruledRefused: "refused", ruledRetry: "released", ruledDiscard: "discarded", ruledCorrected: "corrected"}[what]
			if g.Who == "" {
				g.Who = stage
			}
			t.Rulings = append(t.Rulings, g)
			return err
		}); err != nil {
		return nil, classify(err)
	}
	if m, err := movement.Decode(t.Record.Bytes); err == nil { // what is no movement is settled by nobody
		g, ok, err := settled(r, id, &m)
		if err != nil {
			return nil, classify(err)
		}
		if ok {
			t.Rulings = append(t.Rulings, g)
		}
	}
	var e Exception
	var since int64
	err = r.Row(`SELECT stage, reason, field, text, hint, since, posting_id FROM exceptions WHERE id = $1`, int64(id)).
		Scan(&e.Stage, &e.Reason, &e.Field, &e.Text, &e.Hint, &since, &e.PostingID)
	if err == nil {
		e.ID, e.Identity, e.Since = id, name, timeOf(since)
		t.Exception = &e
	} else if !errors.Is(err, errNoRows) {
		return nil, classify(err)
	}
	if t.Movement.PostingID == 0 {
		return t, nil
	}
	p, err := l.Posting(ctx, t.Movement.PostingID)
	if err != nil {
		return nil, err
	}
	p.Body = nil
	t.Posting = &p
	t.Attempts, err = l.Attempts(ctx, p.ID, 100)
	return t, err
}

// CountPostings counts all postings by state.
func (l *Ledger) CountPostings(ctx context.Context) (map[PostingState]int64, error) {
	counts := map[PostingState]int64{}
	err := l.reader(ctx).Rows(`SELECT state, COUNT(*) FROM postings GROUP BY state`, nil, func(row Row) error {
		var state string
		var n int64
		err := row.Scan(&state, &n)
		counts[PostingState(state)] = n
		return err
	})
	return counts, classify(err)
}

// millis is the other way round; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
