package odoo_test

import (
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/odoo"
)

func TestADocumentIsMadeWholeAndOnlyOnce(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		a, b := w.newProduct(t, odoo.ByLot), w.newProduct(t, odoo.ByQuantity)
		lot := w.newLot(t, a, time.Now().AddDate(1, 0, 0))
		name := w.unique("BL/W")
		p := odoo.NewPicking{Name: name, TypeID: w.branch.OutTypeID, FromID: w.branch.StockID, ToID: w.places.Customers, Origin: "branchline"}
		moves := []odoo.NewMove{{ProductID: a.ID, LotID: lot, Quantity: 3}, {ProductID: b.ID, Quantity: 2.5}}
		id, err := w.user.CreateDocument(w.ctx, p, moves)
		must(t, err)
		_, err = w.user.CreateDocument(w.ctx, p, moves)
		refused(t, err, fault.Data, odoo.CodeRefused)

		lines, err := w.user.DocumentLines(w.ctx, id)
		must(t, err)
		if len(lines) != 2 || lines[0].LotID != lot || lines[0].Quantity != 3 || lines[1].Quantity != 2.5 {
			t.Fatalf("the document's lines are %+v", lines)
		}
		must(t, w.user.ShowLines(w.ctx, id, lines))
		must(t, w.user.ShowLines(w.ctx, id, lines))
		shown, err := w.user.Lines(w.ctx, id)
		must(t, err)
		if len(shown) != 2 {
			t.Fatalf("the picking shows %+v", shown)
		}
		v, err := w.user.Validate(w.ctx, id, odoo.Confirm{Backorder: true, Expired: true})
		must(t, err)
		if !v.Done() {
			t.Fatalf("not done: %+v", v)
		}
		if got := w.onHand(t, w.branch.StockID, a)[w.lotName(t, lot)]; got != -3 {
			t.Errorf("%v of the lot on hand, want -3", got)
		}
		if got := w.onHand(t, w.branch.StockID, b)[""]; got != -2.5 {
			t.Errorf("%v on hand, want -2.5", got)
		}
		// The day on which it happened.
		past := time.Now().AddDate(0, 0, -3).UTC().Truncate(time.Second)
		must(t, w.user.SetDates(w.ctx, id, past))
		done, _, err := w.user.PickingByID(w.ctx, id)
		must(t, err)
		if !done.Done.Equal(past) {
			t.Errorf("done at %v, want %v", done.Done, past)
		}
	})
}

func TestARefusedDocumentLeavesNothingBehind(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		a, b := w.newProduct(t, odoo.ByLot), w.newProduct(t, odoo.ByLot)
		lot := w.newLot(t, a, time.Time{})
		p := odoo.NewPicking{Name: w.unique("BL/W"), TypeID: w.branch.OutTypeID, FromID: w.branch.StockID, ToID: w.places.Customers}
		_, err := w.user.CreateDocument(w.ctx, p, []odoo.NewMove{{ProductID: a.ID, LotID: lot, Quantity: 1}, {ProductID: b.ID, LotID: lot, Quantity: 1}})
		refused(t, err, fault.Data, odoo.CodeRefused)
		if _, found, err := w.user.PickingByName(w.ctx, w.branch.CompanyID, p.Name); err != nil || found {
			t.Fatalf("the refused document is there: %v, %v", found, err)
		}
		// One without its lot is made, and refused at validation; then it can
		// be withdrawn, and its name used again.
		for range 2 {
			id, err := w.user.CreateDocument(w.ctx, p, []odoo.NewMove{{ProductID: a.ID, LotID: lot, Quantity: 1}, {ProductID: b.ID, Quantity: 1}})
			must(t, err)
			lines, err := w.user.DocumentLines(w.ctx, id)
			must(t, err)
			must(t, w.user.ShowLines(w.ctx, id, lines))
			_, err = w.user.Validate(w.ctx, id, odoo.Confirm{Backorder: true, Expired: true})
			refused(t, err, fault.Data, odoo.CodeRefused)
			p, _, err := w.user.PickingByID(w.ctx, id)
			must(t, err)
			must(t, w.user.WithdrawPicking(w.ctx, p))
			p, _, err = w.user.PickingByID(w.ctx, id)
			must(t, err)
			if p.State != odoo.Cancelled {
				t.Fatalf("the withdrawn document is %s", p.State)
			}
		}
	})
}

func TestAReceiptIsWrittenOnlyOnceAndCanBeTakenBack(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		a := w.newProduct(t, odoo.ByLot)
		r := w.purchase(t, ordered{a, 10})
		write := func(r odoo.Receipt, lot string) error {
			m := r.Moves[0]
			return w.user.WriteReceipt(w.ctx, r.ID, m.Lines, []odoo.ReceiptLine{{MoveID: m.ID, ProductID: a.ID, LotName: lot,
				Expires: time.Now().AddDate(1, 0, 0), Quantity: 4, FromID: m.FromID, ToID: m.ToID}}, "<p>x</p>")
		}
		lot := w.unique("L")
		must(t, write(r, lot))
		// The lines it replaced are gone: the same write again, late or
		// repeated, is refused as a whole.
		refused(t, write(r, lot), fault.Data, odoo.CodeRefused)
		lines, err := w.user.Lines(w.ctx, r.ID)
		must(t, err)
		if len(lines) != 1 || lines[0].LotName != lot || lines[0].Quantity != 4 || !lines[0].Picked {
			t.Fatalf("the receipt's lines are %+v", lines)
		}
		must(t, w.user.ResetReceipt(w.ctx, r, lines, ""))
		again, found, err := w.user.ReceiptByID(w.ctx, r.ID)
		must(t, err)
		if !found || len(again.Moves) != 1 || len(again.Moves[0].Lines) != 1 || again.Moves[0].Ordered != 10 {
			t.Fatalf("after taking it back: %v %+v", found, again)
		}
		lines, err = w.user.Lines(w.ctx, r.ID)
		must(t, err)
		if len(lines) != 1 || lines[0].Picked || lines[0].LotName != "" || lines[0].Quantity != 10 {
			t.Fatalf("prepared again: %+v", lines)
		}
		must(t, write(again, lot))
		v, err := w.user.Validate(w.ctx, r.ID, odoo.Confirm{Backorder: true})
		must(t, err)
		if !v.Done() || w.onHand(t, w.branch.StockID, a)[lot] != 4 {
			t.Fatalf("%+v, on hand %v", v, w.onHand(t, w.branch.StockID, a))
		}
	})
}
