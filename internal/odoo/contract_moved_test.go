package odoo_test

import (
	"testing"
	"time"

	"branchline/internal/odoo"
)

// count makes what lies of a product and lot at the branch equal to n, as a person
// does who has counted it.
func (w *world) count(t *testing.T, p odoo.Product, lot int64, n float64) {
	t.Helper()
	vals := map[string]any{"product_id": p.ID, "location_id": w.branch.StockID, "inventory_quantity": n}
	if lot != 0 {
		vals["lot_id"] = lot
	}
	v, err := w.admin.Call(w.ctx, "stock.quant", "create", odoo.Args{Named: map[string]any{"vals_list": []any{vals}}, Context: map[string]any{"inventory_mode": true}})
	must(t, err)
	_, err = w.admin.Call(w.ctx, "stock.quant", "action_apply_inventory", odoo.Args{IDs: odoo.IDs(v)})
	must(t, err)
}

// What a reconciliation relies on: who else moved the stock, and what became of a
// document that was done.
func TestContractWhoMovedTheStock(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		tracked, plain, other := w.newProduct(t, odoo.ByLot), w.newProduct(t, odoo.ByQuantity), w.newProduct(t, odoo.ByQuantity)
		lot := w.newLot(t, tracked, day(2))
		began := time.Now().Add(-time.Minute)
		made := func(p odoo.Product, lot int64, n float64) int64 {
			id, err := w.user.CreateDocument(w.ctx, odoo.NewPicking{Name: w.unique("BL/M"), TypeID: w.branch.OutTypeID, FromID: w.branch.StockID, ToID: w.places.Customers},
				[]odoo.NewMove{{ProductID: p.ID, LotID: lot, Quantity: n}})
			must(t, err)
			v, err := w.user.Validate(w.ctx, id, odoo.Confirm{})
			must(t, err)
			if !v.Done() {
				t.Fatalf("%+v", v)
			}
			return id
		}
		first, second := made(tracked, lot, 3), made(plain, 0, 2)
		made(other, 0, 1)
		w.count(t, tracked, lot, 10)
		w.count(t, plain, 0, -5)

		all, more, err := w.user.StockMovesSince(w.ctx, w.branch.ViewID, []int64{tracked.ID, plain.ID}, began, 10)
		must(t, err)
		if len(all) != 4 || more {
			t.Fatalf("%d moves, more %v: %+v", len(all), more, all)
		}
		// The newest first.
		if m := all[0]; m.PickingID != 0 || m.ProductID != plain.ID || !odoo.SameNumber(m.Quantity, -3) || m.Document == "" || m.Who == "" || m.LotName != "" || m.At.Before(began) {
			t.Errorf("the second count reads as %+v", m)
		}
		if m := all[1]; m.PickingID != 0 || m.ProductID != tracked.ID || !odoo.SameNumber(m.Quantity, 13) || m.LotName != w.lotName(t, lot) || m.UoMID != tracked.UoM.ID {
			t.Errorf("the first count reads as %+v", m)
		}
		if m := all[3]; m.PickingID != first || !odoo.SameNumber(m.Quantity, -3) || m.Who == all[0].Who && w.stockUser {
			t.Errorf("the document reads as %+v", m)
		}
		if some, more, err := w.user.StockMovesSince(w.ctx, w.branch.ViewID, []int64{tracked.ID}, began, 1); err != nil || len(some) != 1 || !more {
			t.Errorf("%+v, more %v, %v", some, more, err)
		}
		if none, _, err := w.user.StockMovesSince(w.ctx, w.branch.ViewID, []int64{tracked.ID}, time.Now().Add(time.Hour), 10); err != nil || len(none) != 0 {
			t.Errorf("%+v, %v", none, err)
		}

		found, err := w.user.PickingsByID(w.ctx, []int64{first, second, 1 << 30})
		must(t, err)
		if len(found) != 2 || found[0].ID != first || found[1].State != odoo.Done {
			t.Errorf("%+v", found)
		}
		lines, err := w.user.LinesOf(w.ctx, []int64{first, second, 1 << 30})
		must(t, err)
		if len(lines) != 2 || len(lines[first]) != 1 || lines[first][0].LotID != lot || len(lines[second]) != 1 || !odoo.SameNumber(lines[second][0].Quantity, 2) {
			t.Errorf("%+v", lines)
		}
		if written, err := w.user.PickingsWritten(w.ctx, w.branch.ViewID, began); err != nil || len(written) != 3 || !written[first] || !written[second] {
			t.Errorf("%v, %v", written, err)
		}
		if written, err := w.user.PickingsWritten(w.ctx, w.branch.ViewID, time.Now().Add(time.Hour)); err != nil || len(written) != 0 {
			t.Errorf("%v, %v", written, err)
		}
		// What is done can be changed, and the stock follows.
		must(t, w.admin.Write(w.ctx, "stock.move.line", []int64{lines[second][0].ID}, map[string]any{"quantity": 4.0}))
		if lines, err = w.user.LinesOf(w.ctx, []int64{second}); err != nil || !odoo.SameNumber(lines[second][0].Quantity, 4) {
			t.Errorf("%+v, %v", lines, err)
		}
		if got := w.onHand(t, w.branch.ViewID, plain); !odoo.SameNumber(got[""], -7) {
			t.Errorf("on hand %v", got)
		}
	})
}
