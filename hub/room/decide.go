package room

import (
	"context"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Decision is what a person decides about exceptions.
type Decision struct {
	Choice    string   `json:"choice"`
	Movements []string `json:"movements"`
	Who       string   `json:"who"`
	Why       string   `json:"why"`
}

// Decide carries a person's decision out: retry, release or discard. A retry is
// for what has been mended elsewhere; what was set aside because a person must
// say that it is right goes on by a release only, so that nobody posts it by
// trying everything again.
func (m *Room) Decide(ctx context.Context, d Decision) (int, error) {
	decision := ledger.Decision{Choice: ledger.Choice(d.Choice), Who: d.Who, Why: d.Why, At: time.Now()}
	for _, s := range d.Movements {
		name, err := movement.ParseID(s)
		if err != nil {
			return 0, fault.New(fault.Data, "unknown_movement", "%w", err).
				WithHint("name it as branchline-hub exceptions does")
		}
		id, err := m.Ledger.Find(ctx, name)
		if err != nil {
			return 0, err
		}
		decision.Movements = append(decision.Movements, id)
		if decision.Choice != ledger.Retry {
			continue
		}
		if stage, err := m.Ledger.ExceptionStage(ctx, id); err != nil {
			return 0, err
		} else if stage == ledger.StageProjection {
			return 0, fault.New(fault.Data, "not_retryable", "%s was set aside for a person to say whether it is right; a retry changes nothing", name).
				WithHint("branchline-hub release posts it as it is, branchline-hub discard takes it out")
		}
	}
	if d.Choice == "release" {
		return m.Ledger.Release(ctx, decision)
	}
	return m.Ledger.Decide(ctx, decision)
}

// Settlement is what a person says about a document in Odoo that could not be
// adopted.
type Settlement struct {
	// Document is its name, or its id in Odoo.
	Document string `json:"document"`
	Who      string `json:"who"`
	Why      string `json:"why"`
}

// Settle lets the document's branch be posted again, and gives the branch.
func (m *Room) Settle(ctx context.Context, s Settlement) (branch string, err error) {
	u, err := m.Ledger.SettleDocument(ctx, s.Document, s.Who, s.Why, time.Now())
	return u.Branch, err
}
