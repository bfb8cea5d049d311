package plan_test

import (
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
)

// What came by a clock that was ahead is waited for no longer than anything else.
func TestAnIncompleteGroupFromAClockThatWasAheadIsPlanned(t *testing.T) {
	d := newDesk(t)
	d.at = d.at.Add(-30 * 24 * time.Hour) // the clock is right again; what was received says otherwise
	d.send(t, ledgertest.Record(movement.Receipt, 1, sku("B"), func(m *movement.Movement) { m.Group = movement.Group{ID: "delivery 9", Size: 2} }))
	if d.once(t); d.open(t) != 1 {
		t.Errorf("%d postings", d.open(t))
	}
}

// Goods that were posted by a clock that was ahead keep no lot unknown for ever.
func TestGoodsPostedByAClockThatWasAheadHoldUpNothing(t *testing.T) {
	d := newDesk(t)
	d.at = d.at.Add(10 * time.Minute)
	d.once(t)
	d.send(t, ledgertest.Record(movement.Receipt, 1, sku("A"), func(m *movement.Movement) { m.Lot, m.Expiry = "NEW", movement.Date{Year: 2029, Month: 1, Day: 1} }))
	d.once(t)
	open, err := d.ledger.OpenPostings(t.Context(), "BR01", time.Time{}, 10)
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	if _, err := d.ledger.ChangePosting(t.Context(), open[0].ID, ledger.PostingChange{At: d.at.Add(30 * 24 * time.Hour), State: ledger.PostingDone}); err != nil {
		t.Fatal(err)
	}
	d.send(t, ledgertest.Record(movement.Dispense, 1, sku("A"), func(m *movement.Movement) { m.Lot = "NOWHERE" }))
	d.at = d.at.Add(time.Minute)
	d.once(t)
	if got := d.reasons(t); got["unknown_lot"] != 1 {
		t.Errorf("exceptions: %v", got)
	}
}
