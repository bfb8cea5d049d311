package odoo_test

import (
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/odoo"
)

func TestContractWholeDocument(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		tracked, plain := w.newProduct(t, odoo.ByLot), w.newProduct(t, odoo.ByQuantity)
		lot, stale := w.newLot(t, tracked, day(2)), w.newLot(t, tracked, day(-1))
		whole := odoo.NewPicking{Name: w.unique("BL/W"), TypeID: w.branch.OutTypeID, FromID: w.branch.StockID, ToID: w.places.Customers, Origin: "branchline"}
		moves := []odoo.NewMove{{ProductID: tracked.ID, LotID: lot, Quantity: 3}, {ProductID: plain.ID, Quantity: 7}}
		id, err := w.user.CreateDocument(w.ctx, whole, moves)
		must(t, err)
		t.Run("a second call of the same name leaves nothing", func(t *testing.T) {
			_, err := w.user.CreateDocument(w.ctx, whole, moves)
			refused(t, err, fault.Data, odoo.CodeRefused)
			rows, err := w.user.SearchRead(w.ctx, "stock.move", odoo.Query{Domain: odoo.Domain{odoo.Where("product_id", "=", plain.ID)}, Fields: []string{"picking_id"}})
			must(t, err)
			if len(rows) != 1 || rows[0].Int("picking_id") != id {
				t.Errorf("moves %v", rows)
			}
		})
		lines, err := w.user.DocumentLines(w.ctx, id)
		must(t, err)
		if len(lines) != 2 || lines[0].LotID != lot || lines[0].Quantity != 3 || lines[1].Quantity != 7 || !lines[0].Picked {
			t.Fatalf("the lines read as %+v", lines)
		}
		must(t, w.user.ShowLines(w.ctx, id, lines))
		must(t, w.user.ShowLines(w.ctx, id, lines))
		if shown, err := w.user.Lines(w.ctx, id); err != nil || len(shown) != 2 {
			t.Errorf("%d lines shown, %v", len(shown), err)
		}
		v, err := w.user.Validate(w.ctx, id, odoo.Confirm{})
		must(t, err)
		if got := w.onHand(t, w.branch.StockID, plain); !v.Done() || !odoo.SameNumber(got[""], -7) {
			t.Errorf("%+v, on hand %v", v, got)
		}
		if got := w.onHand(t, w.branch.StockID, tracked); !odoo.SameNumber(got[w.lotName(t, lot)], -3) {
			t.Errorf("on hand %v", got)
		}
		t.Run("an expired lot asks once its line is shown", func(t *testing.T) {
			whole.Name = w.unique("BL/W")
			id, err := w.user.CreateDocument(w.ctx, whole, []odoo.NewMove{{ProductID: tracked.ID, LotID: stale, Quantity: 1}})
			must(t, err)
			lines, err := w.user.DocumentLines(w.ctx, id)
			must(t, err)
			must(t, w.user.ShowLines(w.ctx, id, lines))
			v, err := w.user.Validate(w.ctx, id, odoo.Confirm{})
			must(t, err)
			if v.Done() || v.Dialog == nil || v.Dialog.Model != odoo.ExpiryDialog {
				t.Errorf("%+v", v)
			}
		})
	})
}

func TestContractResetReceipt(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		tracked, plain := w.newProduct(t, odoo.ByLot), w.newProduct(t, odoo.ByQuantity)
		r := w.purchase(t, ordered{tracked, 10}, ordered{plain, 5})
		name := w.unique("L")
		must(t, w.user.WriteReceipt(w.ctx, r.ID, prepared(r), []odoo.ReceiptLine{line(r, 0, name, day(1), 4), line(r, 0, w.unique("L"), day(1), 2)}, "<p>ours</p>"))
		written, err := w.user.DocumentLines(w.ctx, r.ID)
		must(t, err)
		must(t, w.user.ResetReceipt(w.ctx, r, written, "<p>theirs</p>"))
		lines, err := w.user.Lines(w.ctx, r.ID)
		must(t, err)
		want := map[int64]float64{tracked.ID: 10, plain.ID: 5}
		if len(lines) != 2 {
			t.Fatalf("%d lines: %+v", len(lines), lines)
		}
		for _, l := range lines {
			if !odoo.SameNumber(l.Quantity, want[l.ProductID]) || l.LotName != "" || l.Picked {
				t.Errorf("a line reads as %+v", l)
			}
		}
		p, _, err := w.user.PickingByID(w.ctx, r.ID)
		must(t, err)
		if p.Note != "<p>theirs</p>" || p.State != odoo.Assigned {
			t.Errorf("note %q, state %s", p.Note, p.State)
		}
		again, open, err := w.user.ReceiptByID(w.ctx, r.ID)
		must(t, err)
		if !open || len(again.Moves) != 2 {
			t.Fatalf("%v %+v", open, again)
		}
		refused(t, w.user.ResetReceipt(w.ctx, again, written, "<p>theirs</p>"), fault.Data, odoo.CodeRefused)
		if v := w.receive(t, again, odoo.Confirm{Backorder: true}, line(again, 0, name, day(1), 10), line(again, 1, "", time.Time{}, 5)); !v.Done() {
			t.Fatalf("%+v", v)
		}
		if got := w.onHand(t, w.branch.StockID, tracked); !odoo.SameNumber(got[name], 10) {
			t.Errorf("on hand %v", got)
		}
	})
}
