package reconcile_test

import (
	"testing"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// That a person wants Odoo's stock taken as it is, is not forgotten because a
// document was on its way at that moment.
func TestAStartThatCannotBeTakenNowIsTakenLater(t *testing.T) {
	w := simulated(t, 17)
	plain := w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Dispense, plain, 5))
	w.post()
	w.equal()
	w.counted(plain, "", 9) // a stock-take in Odoo
	w.send(w.moved(movement.Dispense, plain, 1))
	_, err := w.planner.Once(t.Context())
	must(t, err)
	all, err := w.ledger.Postings(t.Context(), ledger.PostingFilter{Branch: w.sender.Branch, State: ledger.PostingPlanned})
	must(t, err)
	for _, p := range all {
		_, err = w.ledger.ChangePosting(t.Context(), p.ID, ledger.PostingChange{At: w.clock(), State: ledger.PostingBegun, Step: "create"})
		must(t, err)
	}
	must(t, w.ledger.AskStockStart(t.Context(), w.sender.Branch, "pia", "counted by hand", w.clock()))
	queue, err := w.ledger.ReconcileQueue(t.Context())
	must(t, err)
	must(t, w.runner.One(t.Context(), queue[0], w.parts.Branches[0]))
	queue, err = w.ledger.ReconcileQueue(t.Context())
	must(t, err)
	if len(queue) != 1 || queue[0].StartWhy != "counted by hand" {
		t.Errorf("what pia decided is forgotten: %+v", queue)
	}
	w.post()
	must(t, w.runner.One(t.Context(), queue[0], w.parts.Branches[0]))
	if c := w.check(); c.Summary.Stock != 0 {
		t.Errorf("the difference stays: %+v", c.Result.Stock.Differences)
	}
	if queue, err = w.ledger.ReconcileQueue(t.Context()); err != nil || len(queue) != 0 {
		t.Errorf("it is asked for again: %+v, %v", queue, err)
	}
}

// What was accepted of a document's lines says nothing about its marker.
func TestWhatIsAcceptedHidesNoMarker(t *testing.T) {
	w := simulated(t, 17)
	plain := w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Dispense, plain, 5))
	w.post()
	w.equal()
	doc := w.document()
	lines, err := w.admin.LinesOf(t.Context(), []int64{doc.Odoo.ID})
	must(t, err)
	must(t, w.admin.Write(t.Context(), "stock.move.line", []int64{lines[doc.Odoo.ID][0].ID}, map[string]any{"quantity": 4.0}))
	d := w.check().Result.Records[0]
	must(t, w.ledger.AcceptDifference(t.Context(), w.sender.Branch, ledger.Accepted{Posting: d.Posting, What: d.What, Text: d.Text, At: w.clock(), Who: "pia", Why: "broken"}))
	if c := w.check(); c.Summary.Records != 0 {
		t.Fatalf("%+v", c.Result.Records)
	}
	must(t, w.admin.Write(t.Context(), "stock.picking", []int64{doc.Odoo.ID}, map[string]any{"note": "", "name": "WH/OTHER/1"}))
	if c := w.check(); c.Summary.Records != 1 {
		t.Errorf("that it is no longer marked as ours is not told: %+v, accepted %+v", c.Result.Records, c.Result.Accepted)
	}
}
