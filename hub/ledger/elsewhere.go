package ledger

import (
	"context"
	"fmt"
	"time"
)

// This file is about branches that say that a hub has acknowledged a stream which
// this ledger never held. One alone may come from another hub, a pilot's or a test
// hub's: that is told of it, and touches no other branch. Several at a time, or a
// ledger that holds nothing at all, are a ledger that was put back.

// Elsewhere is a branch that has sent to another hub before, or to this one before
// its ledger was put back.
type Elsewhere struct {
	Branch  string
	NotedAt time.Time
}

// Words say what that means and what a person can do, in sentences.
func (e Elsewhere) Words() string {
	return fmt.Sprintf("Branch %s says that a hub has taken movements of it that this one never had. If it was at another hub before, look in the Odoo of that one: "+
		"what is posted there, and comes again, is posted here, too. If instead this ledger was put back from a backup, what people decided since is gone: "+
		"look at branchline-hub alias list, user list and exceptions. When that is done, branchline-hub restored ends this warning.", e.Branch)
}

// foreign tells whether a stream that is ahead is no sign that the ledger was put
// back, and takes it down; isNew tells whether that was done now.
func (t *Tx) foreign(s Stream, at time.Time) (foreign, isNew bool, err error) {
	var held, any, others int64
	// A stream is known from documents of this hub in Odoo, too, before it comes again.
	if err := t.Row(`SELECT COUNT(*) FROM streams s JOIN branches b ON b.id = s.branch_id WHERE b.code = $1 AND s.epoch = $2 AND s.lane = $3`,
		s.Branch, s.Epoch, int64(s.Lane)).Scan(&held); err != nil || held > 0 {
		return false, false, err
	}
	if err := t.Row(`SELECT COUNT(*) FROM streams WHERE through > 0`).Scan(&any); err != nil || any == 0 {
		return false, false, err
	}
	n, err := t.Exec(`INSERT INTO elsewhere (branch, epoch, lane, noted_at, done_at) VALUES ($1, $2, $3, $4, 0) ON CONFLICT (branch, epoch, lane) DO NOTHING`,
		s.Branch, s.Epoch, int64(s.Lane), at.UnixMilli())
	if err != nil || n == 0 {
		return true, false, err
	}
	err = t.Row(`SELECT COUNT(*) FROM elsewhere WHERE branch <> $1 AND done_at = 0 AND noted_at BETWEEN $2 AND $3`,
		s.Branch, at.Add(-catchUp).UnixMilli(), at.UnixMilli()).Scan(&others)
	return others == 0, true, err
}

// noteElsewhere tells people of one branch.
func (t *Tx) noteElsewhere(s Stream, at time.Time) error {
	e := Elsewhere{Branch: s.Branch, NotedAt: at}
	t.After(func() { t.w.l.log.Warn(e.Words(), "branch", s.Branch, "epoch", s.Epoch, "lane", s.Lane.String()) })
	return t.Audit(Entry{At: at, Who: "hub", Action: "taken by another hub", Subject: s.String(), Detail: e.Words()})
}

// Elsewhere lists the branches that were noted since and of which nobody has said
// that they were looked at.
func (l *Ledger) Elsewhere(ctx context.Context, since time.Time) ([]Elsewhere, error) {
	var all []Elsewhere
	err := l.reader(ctx).Rows(`SELECT branch, MIN(noted_at) FROM elsewhere WHERE done_at = 0 AND noted_at >= $1 GROUP BY branch ORDER BY branch`,
		[]any{max(since.UnixMilli(), 1)}, func(row Row) error {
			var e Elsewhere
			var at int64
			err := row.Scan(&e.Branch, &at)
			e.NotedAt = timeOf(at)
			all = append(all, e)
			return err
		})
	return all, classify(err)
}
