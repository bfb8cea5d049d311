package odoo_test

import (
	"slices"
	"testing"
	"time"

	"branchline/internal/odoo"
)

func TestContractExpected(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		began := time.Now().Add(-5 * time.Minute)
		tracked, plain := w.newProduct(t, odoo.ByLot), w.newProduct(t, odoo.ByQuantity)
		r := w.purchase(t, ordered{tracked, 10}, ordered{plain, 5})
		other := w.newBranch(t, "B")
		types := []int64{w.branch.InTypeID, other.InTypeID}
		one := func() odoo.Expected {
			t.Helper()
			list, err := w.user.Expected(w.ctx, types)
			must(t, err)
			if len(list) != 1 {
				t.Fatalf("expected is %+v", list)
			}
			return list[0]
		}
		e := one()
		if e.ID != r.ID || e.Name != r.Name || e.TypeID != w.branch.InTypeID || e.Origin != r.Origin || e.Partner != r.Partner || e.State != odoo.Assigned ||
			!e.Scheduled.Equal(r.Scheduled) || e.Changed.Before(began) {
			t.Errorf("%+v, want as %+v", e, r)
		}
		if list, err := w.user.Expected(w.ctx, []int64{other.InTypeID}); err != nil || len(list) != 0 {
			t.Errorf("another branch expects %+v, %v", list, err)
		}
		moves, err := w.user.ExpectedMoves(w.ctx, []int64{e.ID})
		must(t, err)
		if len(moves) != 2 || moves[0].Product.ID != tracked.ID || moves[0].Quantity != 10 || moves[1].Quantity != 5 || moves[0].PickingID != e.ID ||
			moves[0].UoM.ID != tracked.UoM.ID || moves[0].UoM.Name == "" || moves[0].OrderLine == 0 {
			t.Fatalf("%+v", moves)
		}

		v := w.receive(t, r, odoo.Confirm{Backorder: true}, line(r, 0, w.unique("L"), day(1), 4))
		if !v.Done() {
			t.Fatalf("%+v", v)
		}
		rest := one()
		if rest.ID == e.ID || rest.Origin != e.Origin {
			t.Errorf("what is left is %+v", rest)
		}
		changed, err := w.user.ExpectedChanged(w.ctx, types, began)
		must(t, err)
		if !slices.Contains(changed, rest.ID) {
			t.Errorf("%v were changed, want %d among them", changed, rest.ID)
		}
		if later, err := w.user.ExpectedChanged(w.ctx, types, time.Now().Add(time.Hour)); err != nil || len(later) != 0 {
			t.Errorf("%v changed in the future, %v", later, err)
		}
		moves, err = w.user.ExpectedMoves(w.ctx, []int64{rest.ID})
		must(t, err)
		open := map[int64]float64{}
		var lines []int64
		for _, m := range moves {
			open[m.Product.ID] += m.Quantity
			lines = append(lines, m.OrderLine)
		}
		if open[tracked.ID] != 6 || open[plain.ID] != 5 {
			t.Errorf("still expected is %v", open)
		}
		received, err := w.user.OrderLines(w.ctx, lines)
		must(t, err)
		if len(received) != 2 || received[0].Received != 4 || received[1].Received != 0 || received[0].Order.Name != e.Origin || received[0].UoM.ID != tracked.UoM.ID {
			t.Errorf("of the order has come %+v", received)
		}
	})
}

// Stock that was moved out whole leaves no quant to be found by its date, but
// the line that moved it.
func TestContractMoved(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		began := time.Now().Add(-5 * time.Minute)
		p := w.newProduct(t, odoo.ByLot)
		lot := w.newLot(t, p, day(1))
		in, v := w.post(t, w.branch.InTypeID, w.places.Suppliers, w.branch.StockID, odoo.Confirm{}, odoo.NewMove{ProductID: p.ID, LotID: lot, Quantity: 3})
		if !v.Done() {
			t.Fatalf("%+v", v)
		}
		out, v := w.post(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers, odoo.Confirm{}, odoo.NewMove{ProductID: p.ID, LotID: lot, Quantity: 3})
		if !v.Done() {
			t.Fatalf("%+v", v)
		}
		w.draft(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers, odoo.NewMove{ProductID: p.ID, LotID: lot, Quantity: 7})
		all, err := w.user.MovedSince(w.ctx, began)
		must(t, err)
		var ways [][2]int64
		for _, l := range all {
			if l.ProductID == p.ID {
				ways = append(ways, [2]int64{l.FromID, l.ToID})
				if l.Changed.Before(began) {
					t.Errorf("changed at %v", l.Changed)
				}
			}
		}
		if want := [][2]int64{{in.FromID, in.ToID}, {out.FromID, out.ToID}}; !slices.Equal(ways, want) {
			t.Errorf("moved %v, want %v", ways, want)
		}

		shelf, err := w.admin.Create(w.ctx, "stock.location", map[string]any{"name": "Shelf", "location_id": w.branch.StockID, "usage": "internal"})
		must(t, err)
		board, err := w.admin.Create(w.ctx, "stock.location", map[string]any{"name": "Board", "location_id": shelf[0], "usage": "internal"})
		must(t, err)
		other := w.newBranch(t, "C")
		under, err := w.user.LocationsUnder(w.ctx, []int64{w.branch.StockID, other.StockID})
		must(t, err)
		want := map[int64]int64{w.branch.StockID: w.branch.StockID, shelf[0]: w.branch.StockID, board[0]: w.branch.StockID, other.StockID: other.StockID}
		if len(under) != len(want) {
			t.Errorf("%v, want %v", under, want)
		}
		for id, root := range want {
			if under[id] != root {
				t.Errorf("%d is under %d, want %d", id, under[id], root)
			}
		}
	})
}
