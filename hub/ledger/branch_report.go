package ledger

import (
	"context"
	"encoding/json"
	"time"

	"branchline/internal/wire"
)

// BranchReport is what a branch last said of itself.
type BranchReport struct {
	Branch string
	// At is when it came, by the hub's clock.
	At    time.Time
	State wire.State
}

// BranchReports gives the last report of every branch that ever made one. One that
// no longer reads is left out: the next one takes its place.
func (l *Ledger) BranchReports(ctx context.Context) ([]BranchReport, error) {
	var all []BranchReport
	err := l.reader(ctx).Rows(`SELECT branch, at, report FROM branch_reports ORDER BY branch`, nil, func(r Row) error {
		var b BranchReport
		var at int64
		var text []byte
		if err := r.Scan(&b.Branch, &at, &text); err != nil {
			return err
		}
		if b.At = timeOf(at); json.Unmarshal(text, &b.State) == nil {
			all = append(all, b)
		}
		return nil
	})
	return all, classify(err)
}

// KeepReport puts a report in the place of the branch's last one.
func (t *Tx) KeepReport(b BranchReport) error {
	text, err := b.State.Marshal()
	if err != nil {
		return err
	}
	_, err = t.Exec(`INSERT INTO branch_reports (branch, at, report) VALUES ($1, $2, $3)
		ON CONFLICT (branch) DO UPDATE SET at = excluded.at, report = excluded.report`, b.Branch, millis(b.At), text)
	return err
}

// LineChange is that a branch's line came or went.
type LineChange struct {
	Branch string
	At     time.Time
	Online bool
	// Why says why it went; empty for one that came. [WhyHubStopped] is said of
	// those that were there when the hub ended.
	Why string
}

// WhyHubStopped is why a line went that was there until the hub ended: it says
// nothing about the branch.
const WhyHubStopped = "the hub stopped"

// Bounds of what is kept of lines.
const (
	LinesKeptFor  = 30 * 24 * time.Hour
	linesOfBranch = 1000
)

// KeepLine keeps that a line came or went.
func (t *Tx) KeepLine(c LineChange) error {
	_, err := t.Exec(`INSERT INTO branch_lines (branch, at, online, why) VALUES ($1, $2, $3, $4)`,
		c.Branch, millis(c.At), flag(c.Online), storable(c.Why))
	return err
}

// ForgetLines forgets changes from before a moment, and of each branch all but its
// newest thousand; the newest of each branch stays in any case.
func (t *Tx) ForgetLines(before time.Time) error {
	_, err := t.Exec(`DELETE FROM branch_lines WHERE id IN (SELECT id FROM
		(SELECT id, at, ROW_NUMBER() OVER (PARTITION BY branch ORDER BY id DESC) AS n FROM branch_lines) AS x
		WHERE n > $1 OR n > 1 AND at < $2)`, int64(linesOfBranch), millis(before))
	return err
}

// LastLines gives the newest change of each branch.
func (l *Ledger) LastLines(ctx context.Context) ([]LineChange, error) {
	return l.lines(ctx, `WHERE id IN (SELECT MAX(id) FROM branch_lines GROUP BY branch) ORDER BY branch`)
}

// Lines gives a branch's changes, the newest first, since a moment and at most so
// many, and the one before that moment, which says how it was then.
func (l *Ledger) Lines(ctx context.Context, branch string, since time.Time, limit int) ([]LineChange, error) {
	all, err := l.lines(ctx, `WHERE branch = $1 AND at >= $2 ORDER BY at DESC, id DESC LIMIT $3`, branch, millis(since), limit)
	if err != nil {
		return nil, err
	}
	before, err := l.lines(ctx, `WHERE branch = $1 AND at < $2 ORDER BY at DESC, id DESC LIMIT 1`, branch, millis(since))
	return append(all, before...), err
}

func (l *Ledger) lines(ctx context.Context, where string, args ...any) ([]LineChange, error) {
	var all []LineChange
	err := l.reader(ctx).Rows(`SELECT branch, at, online, why FROM branch_lines `+where, args, func(r Row) error {
		var c LineChange
		var at, online int64
		err := r.Scan(&c.Branch, &at, &online, &c.Why)
		c.At, c.Online = timeOf(at), online == 1
		all = append(all, c)
		return err
	})
	return all, classify(err)
}
