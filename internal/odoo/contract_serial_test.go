package odoo_test

import (
	"testing"

	"branchline/internal/fault"
	"branchline/internal/odoo"
)

func TestContractSerial(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		p := w.newProduct(t, odoo.BySerial)
		if p.Tracking != odoo.BySerial {
			t.Fatalf("the product reads as %+v", p)
		}
		r := w.purchase(t, ordered{p, 2})
		if n := len(r.Moves[0].Lines); n != 2 {
			t.Errorf("%d lines prepared for two units", n)
		}
		s1, s2 := w.unique("S"), w.unique("S")
		if v := w.receive(t, r, odoo.Confirm{Backorder: true}, line(r, 0, s1, day(1), 1), line(r, 0, s2, day(1), 1)); !v.Done() {
			t.Fatalf("%+v", v)
		}
		if got := w.onHand(t, w.branch.StockID, p); got[s1] != 1 || got[s2] != 1 {
			t.Errorf("on hand %v", got)
		}
		lot, _, err := w.user.LotByName(w.ctx, p.ID, w.branch.CompanyID, s1)
		must(t, err)
		t.Run("one serial is one unit", func(t *testing.T) {
			d := w.draft(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers)
			err := w.user.CreateMoves(w.ctx, d, []odoo.NewMove{{ProductID: p.ID, LotID: lot.ID, Quantity: 2}})
			if err == nil {
				_, err = w.user.Validate(w.ctx, d.ID, odoo.Confirm{})
			}
			refused(t, err, fault.Data, odoo.CodeRefused)
		})
		t.Run("it can be dispensed", func(t *testing.T) {
			if _, v := w.post(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers, odoo.Confirm{}, odoo.NewMove{ProductID: p.ID, LotID: lot.ID, Quantity: 1}); !v.Done() {
				t.Fatalf("%+v", v)
			}
			if got := w.onHand(t, w.branch.StockID, p); got[s1] != 0 || got[s2] != 1 {
				t.Errorf("on hand %v", got)
			}
		})
		t.Run("dispensed again it is refused: the customers have it already", func(t *testing.T) {
			d := w.draft(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers, odoo.NewMove{ProductID: p.ID, LotID: lot.ID, Quantity: 1})
			_, err := w.user.Validate(w.ctx, d.ID, odoo.Confirm{})
			refused(t, err, fault.Data, odoo.CodeRefused)
		})
		t.Run("received again while it is in stock it is refused", func(t *testing.T) {
			r := w.purchase(t, ordered{p, 1})
			must(t, w.user.WriteReceipt(w.ctx, r.ID, prepared(r), []odoo.ReceiptLine{line(r, 0, s2, day(1), 1)}, ""))
			_, err := w.user.Validate(w.ctx, r.ID, odoo.Confirm{Backorder: true})
			refused(t, err, fault.Data, odoo.CodeRefused)
		})
	})
}
