package ledger

import (
	"context"
	"errors"
	"slices"
	"strings"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// This file tells a question about what there is from one about what there
// never was, which would be answered with nothing.

// Branches lists the codes of all branches that ever sent something.
func (l *Ledger) Branches(ctx context.Context) ([]string, error) {
	return l.words(ctx, `SELECT code FROM branches ORDER BY code`)
}

// CheckBranch refuses a code of no branch, as a fault of class Data,
// "unknown_branch". Empty is fine, it stands for all.
func (l *Ledger) CheckBranch(ctx context.Context, code string) error {
	if code == "" {
		return nil
	}
	_, ok, err := branchID(l.reader(ctx), code)
	if err != nil || ok {
		return classify(err)
	}
	all, err := l.Branches(ctx)
	if err != nil {
		return err
	}
	return fault.New(fault.Data, "unknown_branch", "no branch %q has ever sent anything", code).WithHint(someOf(all))
}

// KnowsProduct tells whether any movement ever came with this code.
func (l *Ledger) KnowsProduct(ctx context.Context, p movement.Product) (bool, error) {
	var id int64
	err := l.reader(ctx).Row(`SELECT id FROM products WHERE code = $1 AND scheme = $2`, p.Code, string(p.Scheme)).Scan(&id)
	if errors.Is(err, errNoRows) {
		return false, nil
	}
	return err == nil, classify(err)
}

// Reasons lists the reason codes that exceptions of any branch have, and those
// that exceptions had before a person settled them.
func (l *Ledger) Reasons(ctx context.Context) ([]string, error) {
	return l.words(ctx, `SELECT reason FROM exceptions UNION SELECT reason FROM rulings WHERE reason <> '' ORDER BY reason`)
}

// CheckReason refuses a reason code that is not among [Ledger.Reasons], as a fault of
// class Data, "unknown_reason". Empty is fine, it stands for all.
func (l *Ledger) CheckReason(ctx context.Context, reason string) error {
	if reason == "" {
		return nil
	}
	all, err := l.Reasons(ctx)
	if err != nil || slices.Contains(all, reason) {
		return err
	}
	return fault.New(fault.Data, "unknown_reason", "no exception has or had the reason %q", reason).WithHint(someOf(all))
}

// PostingStates are all that a posting can have.
var PostingStates = []PostingState{PostingPlanned, PostingBegun, PostingDone, PostingSplit, PostingWithdrawn, PostingRefused}

// CheckPostingState refuses what is no state of a posting, as a fault of class
// Data, "unknown_state". Empty is fine, it stands for all.
func CheckPostingState(s PostingState) error {
	if s == "" || slices.Contains(PostingStates, s) {
		return nil
	}
	names := make([]string, len(PostingStates))
	for i, s := range PostingStates {
		names[i] = string(s)
	}
	return fault.New(fault.Data, "unknown_state", "no posting can be %q", string(s)).WithHint(someOf(names))
}

// someOf says what could have been asked for; of many only the first.
func someOf(known []string) string {
	const enough = 20
	switch n := len(known); {
	case n == 0:
		return "there are none so far"
	case n > enough:
		return "there are " + strings.Join(known[:enough], ", ") + " and others"
	default:
		return "there are " + strings.Join(known, ", ")
	}
}

func (l *Ledger) words(ctx context.Context, query string) ([]string, error) {
	var all []string
	err := l.reader(ctx).Rows(query, nil, func(r Row) error {
		var s string
		err := r.Scan(&s)
		all = append(all, s)
		return err
	})
	return all, classify(err)
}
