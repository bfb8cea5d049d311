package room

import (
	"context"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// PostingList is the queue to Odoo, as one moment saw it.
type PostingList struct {
	Page []ledger.Posting
	More bool
	// Counts are of all postings, by state.
	Counts map[ledger.PostingState]int64
	// Tries sums up the newest tries, how fast Odoo was.
	Tries  ledger.Tries
	Status Posting
	Odoo   Odoo
}

// PostingStates are all of them, in the order of a posting's life.
var PostingStates = []ledger.PostingState{ledger.PostingPlanned, ledger.PostingBegun, ledger.PostingDone, ledger.PostingSplit,
	ledger.PostingWithdrawn, ledger.PostingRefused}

// newestTries is how many tries say how fast Odoo is.
const newestTries = 100

// PostingList lists postings, the newest first, a page of at most f.Limit.
func (m *Room) PostingList(ctx context.Context, f ledger.PostingFilter) (list PostingList, err error) {
	limit := f.Limit
	f.Limit++
	list.Status, list.Odoo = m.Posting(), m.Odoo()
	if list.Page, err = m.Ledger.Postings(ctx, f); err != nil {
		return list, err
	}
	if list.More = len(list.Page) > limit; list.More {
		list.Page = list.Page[:limit]
	}
	if list.Counts, err = m.Ledger.CountPostings(ctx); err != nil {
		return list, err
	}
	list.Tries, err = m.Ledger.LatestTries(ctx, newestTries)
	return list, err
}

// PostingOf is all about one posting.
type PostingOf struct {
	ledger.Posting
	// Body is what it does in Odoo; nil for one that was found there.
	Body *ledger.PostingBody
	// From and To name its places, where they are known.
	From, To string
	Lines    []PostingLine
	// Movements are what is in it, at most [shownOfPosting], More how many others.
	Movements []ledger.Movement
	More      int64
	// Attempts are the newest tries, the newest first.
	Attempts []ledger.Attempt
	// Link leads to the document in Odoo; empty for none.
	Link string
	// MayTry tells that the poster can be asked to try now, MayPlan that nothing of
	// it is in Odoo and it can be planned again.
	MayTry, MayPlan bool
}

// PostingLine is a line of the document.
type PostingLine struct {
	ledger.PostingLine
	// Name, Code and Unit are the product's in Odoo, empty where they are not known.
	Name, Code, Unit string
	// Movements are those that it is made of.
	Movements []PostingShare
}

// PostingShare is what a movement has of a line.
type PostingShare struct {
	ledger.PostingPart
	Identity movement.ID
}

const (
	shownOfPosting = 500
	shownAttempts  = 50
)

// PostingNamed gives a posting by its name. None is a fault of class Data,
// "unknown_posting".
func (m *Room) PostingNamed(ctx context.Context, name string) (*PostingOf, error) {
	p, ok, err := m.Ledger.PostingByName(ctx, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.Data, "unknown_posting", "the hub has no posting %.200q", name)
	}
	of := &PostingOf{Posting: p, Link: m.OdooLink(p.Odoo), MayPlan: p.State == ledger.PostingPlanned,
		MayTry: (p.State == ledger.PostingPlanned || p.State == ledger.PostingBegun) && p.NextAt.After(time.Now())}
	all, err := m.Ledger.PostingMovements(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	names := make(map[ledger.MovementID]movement.ID, len(all))
	for i := range all {
		names[all[i].ID] = all[i].Identity
	}
	if of.Movements = all; len(all) > shownOfPosting {
		of.Movements, of.More = all[:shownOfPosting], int64(len(all)-shownOfPosting)
	}
	if of.Attempts, err = m.Ledger.Attempts(ctx, p.ID, shownAttempts); err != nil {
		return nil, err
	}
	if len(p.Body) == 0 {
		return of, nil
	}
	if of.Body, err = ledger.DecodeBody(p.Body); err != nil { // of another version: the rest is shown
		m.Log.Warn("a posting's plan is not shown", "posting", p.Name, "err", err)
		of.Body = nil
		return of, nil
	}
	if m.Place != nil {
		of.From, of.To = m.Place(of.Body.CompanyID, of.Body.FromID), m.Place(of.Body.CompanyID, of.Body.ToID)
	}
	for _, l := range of.Body.Lines {
		line := PostingLine{PostingLine: l}
		if m.Product != nil {
			if product, ok := m.Product(l.ProductID); ok {
				line.Name, line.Code = product.Name, product.Code
				if l.UoMID == product.UoM.ID {
					line.Unit = product.UoM.Name
				}
			}
		}
		for _, part := range l.Parts {
			line.Movements = append(line.Movements, PostingShare{part, names[part.Movement]})
		}
		of.Lines = append(of.Lines, line)
	}
	return of, nil
}

// TryNow lets the poster try a posting at once, from the step at which it stands.
func (m *Room) TryNow(ctx context.Context, name, who, why string) error {
	return m.withPosting(ctx, name, func(id int64) error { return m.Ledger.TryNow(ctx, id, who, why, time.Now()) })
}

// PlanAgain takes back a posting of which nothing is in Odoo, to be planned anew.
func (m *Room) PlanAgain(ctx context.Context, name, who, why string) error {
	return m.withPosting(ctx, name, func(id int64) error { return m.Ledger.PlanAgain(ctx, id, who, why, time.Now()) })
}

func (m *Room) withPosting(ctx context.Context, name string, do func(id int64) error) error {
	p, ok, err := m.Ledger.PostingByName(ctx, name)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.Data, "unknown_posting", "the hub has no posting %.200q", name)
	}
	return do(p.ID)
}
