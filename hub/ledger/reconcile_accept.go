package ledger

import (
	"context"
	"slices"
	"strings"
	"time"

	"branchline/internal/fault"
)

// Accepted is a difference between a document of ours in Odoo and what was posted, of
// which a person says that Odoo is right. It holds for this document, kind and text.
type Accepted struct {
	Posting string     `json:"posting"`
	What    RecordWhat `json:"what"`
	Text    string     `json:"text"`
	At      time.Time  `json:"at"`
	Who     string     `json:"who"`
	Why     string     `json:"why"`
}

// Of tells whether this is about a difference.
func (a *Accepted) Of(d *RecordDifference) bool {
	return d.Posting != "" && a.Posting == d.Posting && a.What == d.What && a.Text == d.Text
}

// Acceptable tells whether a person can say of a difference that Odoo is right: a
// document was changed, cancelled or deleted there on purpose. What is lost, or not
// known here, stays a difference until it is dealt with; so does what is too much to
// be told whole.
func (d *RecordDifference) Acceptable() bool {
	return d.Posting != "" && !strings.HasSuffix(d.Text, Cut) && slices.Contains([]RecordWhat{DocumentChanged, DocumentCancelled, DocumentGone, DocumentForeign}, d.What)
}

// CodeNoDifference is of a difference that the last comparison did not find, or that
// nobody can accept.
const CodeNoDifference = "no_such_difference"

// AcceptDifference keeps that Odoo is right in a difference that the last comparison
// of a branch found, and has the branch compared anew. Missing words are a fault of
// class Data, "incomplete_decision"; a difference that was not found, or is not
// [RecordDifference.Acceptable], one of code [CodeNoDifference].
func (l *Ledger) AcceptDifference(ctx context.Context, branch string, a Accepted) error {
	if err := checkDecision(a.Who, a.Why); err != nil {
		return err
	}
	last, known, err := l.Reconciliation(ctx, branch)
	if err != nil {
		return err
	}
	found := known && slices.ContainsFunc(last.Result.Records, func(d RecordDifference) bool { return a.Of(&d) && d.Acceptable() })
	if !found {
		return fault.New(fault.Data, CodeNoDifference, "the last comparison of %s with Odoo found no such difference of %.80q that can be accepted", branch, a.Posting).
			WithHint("look at it again: it may have been compared meanwhile")
	}
	return l.Write(ctx, func(tx *Tx) error {
		id, err := tx.ensureBranch(branch)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO accepted_differences (branch_id, posting, what, words, at, who, why) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT DO NOTHING`, id, a.Posting, string(a.What), storable(a.Text), a.At.UnixMilli(), storable(a.Who), storable(a.Why)); err != nil {
			return err
		}
		if err := tx.askReconcile([]string{branch}, a.Who, a.At); err != nil {
			return err
		}
		return tx.Audit(Entry{At: a.At, Who: a.Who, Action: "difference accepted", Subject: branch,
			Detail: a.Posting + ", " + a.What.Words() + " (" + a.Text + "): " + a.Why})
	})
}

// AcceptedDifferences lists all that was accepted at a branch.
func (l *Ledger) AcceptedDifferences(ctx context.Context, branch string) (all []Accepted, err error) {
	err = l.reader(ctx).Rows(`SELECT a.posting, a.what, a.words, a.at, a.who, a.why FROM accepted_differences a JOIN branches b ON b.id = a.branch_id
		WHERE b.code = $1`, []any{branch}, func(row Row) error {
		var a Accepted
		var at int64
		err := row.Scan(&a.Posting, &a.What, &a.Text, &at, &a.Who, &a.Why)
		a.At = timeOf(at)
		all = append(all, a)
		return err
	})
	return all, classify(err)
}
