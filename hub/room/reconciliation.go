package room

import (
	"cmp"
	"context"
	"slices"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
)

// Reconciling is what the comparison with Odoo does now.
type Reconciling struct {
	// Branch is being compared since Since; empty for none.
	Branch string
	Since  time.Time
	// Documents counts those that were looked at so far, Of all of them.
	Documents, Of int
	// Waiting says why it does not go on, since WaitingSince; empty while it does.
	Waiting      string
	WaitingSince time.Time
}

// Reconciliation is how the branches and Odoo compare.
type Reconciliation struct {
	Rows []ReconciledRow
	// Equal, Otherwise and Never count the branches that are, are not and were never
	// compared; Queued those that are to be.
	Equal, Otherwise, Never, Queued int
	Now                             Reconciling
}

// ReconciledRow is a branch, compared or not.
type ReconciledRow struct {
	Code, Name string
	// Last is nil where it was never compared. Queued tells that it is to be, AskedBy
	// by whom.
	Last    *ledger.Reconciled
	Queued  bool
	AskedBy string
}

// Reconciliation lists all branches: those with differences first, then those that
// were never compared.
func (m *Room) Reconciliation(ctx context.Context) (r Reconciliation, err error) {
	last, err := m.Ledger.Reconciliations(ctx)
	if err != nil {
		return r, err
	}
	queue, err := m.Ledger.ReconcileQueue(ctx)
	if err != nil {
		return r, err
	}
	found, asked := map[string]*ledger.Reconciled{}, map[string]string{}
	for i := range last {
		found[last[i].Branch] = &last[i]
	}
	for _, q := range queue {
		asked[q.Branch] = q.Who
	}
	for _, b := range m.Branches {
		row := ReconciledRow{Code: b.Code, Name: b.Name, Last: found[b.Code]}
		if row.AskedBy, row.Queued = asked[b.Code]; row.Queued {
			r.Queued++
		}
		switch {
		case row.Last == nil:
			r.Never++
		case row.Last.Differences > 0:
			r.Otherwise++
		default:
			r.Equal++
		}
		r.Rows = append(r.Rows, row)
	}
	rank := func(x *ReconciledRow) int {
		switch {
		case x.Last == nil:
			return 1
		case x.Last.Differences > 0:
			return 0
		}
		return 2
	}
	slices.SortStableFunc(r.Rows, func(x, y ReconciledRow) int { return cmp.Compare(rank(&x), rank(&y)) })
	r.Now = m.now()
	return r, nil
}

func (m *Room) now() Reconciling {
	if m.Reconciling == nil {
		return Reconciling{}
	}
	return m.Reconciling()
}

// BranchReconciliation is how one branch compares.
type BranchReconciliation struct {
	ReconciledRow
	Now Reconciling
	// Zone is the branch's.
	Zone *time.Location
}

// BranchReconciliation gives all that was found at a branch. One that is not
// configured is a fault of class Data, "unknown_branch".
func (m *Room) BranchReconciliation(ctx context.Context, branch string) (r BranchReconciliation, err error) {
	i, err := m.branchNamed(branch)
	if err != nil {
		return r, err
	}
	r.Code, r.Name, r.Zone, r.Now = branch, m.Branches[i].Name, m.Branches[i].Zone, m.now()
	last, found, err := m.Ledger.Reconciliation(ctx, branch)
	if err != nil {
		return r, err
	}
	if found {
		r.Last = &last
	}
	queue, err := m.Ledger.ReconcileQueue(ctx)
	for _, q := range queue {
		if q.Branch == branch {
			r.Queued, r.AskedBy = true, q.Who
		}
	}
	return r, err
}

// CodeUnknownBranch is of a branch that is not configured.
const CodeUnknownBranch = "unknown_branch"

func (m *Room) branchNamed(code string) (int, error) {
	i := slices.IndexFunc(m.Branches, func(b Branch) bool { return b.Code == code })
	if i < 0 {
		return 0, fault.New(fault.Data, CodeUnknownBranch, "there is no branch %.40q", code)
	}
	return i, nil
}

// AcceptDifference is what a person says of a difference in a document: that it is
// right as it is in Odoo.
type AcceptDifference struct {
	Branch  string `json:"branch"`
	Posting string `json:"posting"`
	// What and Text are the difference as the person saw it; with an empty What it is
	// what was last found of the document.
	What ledger.RecordWhat `json:"what,omitempty"`
	Text string            `json:"text,omitempty"`
	Who  string            `json:"who"`
	Why  string            `json:"why"`
}

// AcceptDifference keeps it, and has the branch compared anew.
func (m *Room) AcceptDifference(ctx context.Context, a AcceptDifference) error {
	if _, err := m.branchNamed(a.Branch); err != nil {
		return err
	}
	if a.What == "" {
		last, known, err := m.Ledger.Reconciliation(ctx, a.Branch)
		if err != nil {
			return err
		}
		if known {
			for _, d := range last.Result.Records {
				if d.Posting == a.Posting {
					a.What, a.Text = d.What, d.Text
				}
			}
		}
	}
	return m.Ledger.AcceptDifference(ctx, a.Branch, ledger.Accepted{Posting: a.Posting, What: a.What, Text: a.Text, At: time.Now(), Who: a.Who, Why: a.Why})
}

// CheckNow is what a person asks for: to compare a branch, or all of them with an
// empty one.
type CheckNow struct {
	Branch string `json:"branch"`
	Who    string `json:"who"`
	// StartWhy, unless empty, says why Odoo's stock of the branch is to be taken as it
	// is from now on.
	StartWhy string `json:"start_why"`
}

// CheckNow has branches compared with Odoo, and tells how many. It does not wait for
// it.
func (m *Room) CheckNow(ctx context.Context, c CheckNow) (int, error) {
	now := time.Now()
	if c.Branch == "" {
		if c.StartWhy != "" {
			return 0, fault.New(fault.Data, CodeUnknownBranch, "the stock is taken as it is of one branch at a time").WithHint("name the branch")
		}
		codes := make([]string, len(m.Branches))
		for i, b := range m.Branches {
			codes[i] = b.Code
		}
		return len(codes), m.Ledger.AskReconcile(ctx, codes, c.Who, now)
	}
	if _, err := m.branchNamed(c.Branch); err != nil {
		return 0, err
	}
	if c.StartWhy != "" {
		return 1, m.Ledger.AskStockStart(ctx, c.Branch, c.Who, c.StartWhy, now)
	}
	return 1, m.Ledger.AskReconcile(ctx, []string{c.Branch}, c.Who, now)
}
