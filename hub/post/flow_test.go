package post_test

import (
	"maps"
	"regexp"
	"testing"
	"time"

	"branchline/internal/movement"
	"branchline/internal/odoo"
)

func TestEveryKindOfMovementReachesOdoo(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		a, b := w.product(odoo.ByLot), w.product(odoo.ByQuantity)
		s := w.product(odoo.BySerial)
		order := w.order(map[int64]float64{a.ID: 20, b.ID: 100})
		serial := func(no string) func(*movement.Movement) { return func(m *movement.Movement) { m.Serial = no } }
		yesterday := func(m *movement.Movement) { m.OccurredAt = m.OccurredAt.AddDate(0, 0, -1) }
		w.send(
			// Two lots of one line, and part of the other: a partial receipt.
			w.moved(movement.Receipt, a, 8, forOrder(order), lot("L1"), w.expiring(12), group("g1", 3)),
			w.moved(movement.Receipt, a, 12, forOrder(order), lot("L2"), w.expiring(18), group("g1", 3)),
			w.moved(movement.Receipt, b, 60, forOrder(order), group("g1", 3)),
			// A delivery without an order.
			w.moved(movement.Receipt, s, 1, serial("S1"), w.expiring(12)),
			// Dispensed before the receipt can be in Odoo.
			w.moved(movement.Dispense, a, 3, lot("L1")),
			w.moved(movement.Dispense, a, 2, lot("L1")),
			w.moved(movement.Dispense, b, 5, yesterday),
			w.moved(movement.Dispense, s, 1, serial("S1")),
			w.moved(movement.Return, a, 1, lot("L1")),
			w.moved(movement.Wastage, a, 1, lot("L2"), func(m *movement.Movement) { m.Reason = "broken" }),
			w.moved(movement.TransferOut, b, 10),
			w.moved(movement.TransferIn, b, 4),
			w.moved(movement.Adjustment, b, 7),
			w.moved(movement.Adjustment, b, -2),
		)
		w.settle()
		if got := w.exceptions(); len(got) > 0 {
			t.Fatalf("exceptions: %v", got)
		}
		w.check()
		// The rest of the order comes later, into its backorder.
		w.send(w.moved(movement.Receipt, b, 40, forOrder(order)))
		w.settle()
		if got := w.exceptions(); len(got) > 0 {
			t.Fatalf("exceptions: %v", got)
		}
		w.check()
		open, err := w.user.OpenReceipts(t.Context(), w.branch)
		must(t, err)
		if len(open) != 0 {
			t.Errorf("the order is still open: %+v", open)
		}
		// Yesterday's dispensing keeps its date.
		found, err := w.user.PickingsNamedLike(t.Context(), "BL/"+w.branch.Code+"/", 0, 0)
		must(t, err)
		dated := 0
		for _, p := range found {
			if p.State != odoo.Done {
				t.Errorf("%s is %s", p.Name, p.State)
			}
			if movement.DateOf(p.Done) == movement.DateOf(w.sent[6].OccurredAt) {
				dated++
			}
		}
		if dated != 1 {
			t.Errorf("%d documents are dated yesterday, want 1", dated)
		}
	})
}

func TestWhatWouldBeAGuessGoesToAPerson(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		a, b := w.product(odoo.ByLot), w.product(odoo.ByQuantity)
		w.lot(a, "KNOWN")
		order := w.order(map[int64]float64{a.ID: 10})
		unknown := a
		unknown.Code = "NOSUCH" + w.unique()
		g := group("g", 4)
		w.send(
			w.moved(movement.Receipt, a, 6, forOrder(order), lot("R1"), w.expiring(12), g),               // 1 goes
			w.moved(movement.Receipt, a, 5, forOrder(order), lot("R2"), w.expiring(12), g),               // 2 more than ordered
			w.moved(movement.Receipt, b, 1, forOrder(order), g),                                          // 3 not on the order
			w.moved(movement.Receipt, a, 1, forOrder(order), lot("KNOWN"), w.expiring(1), g),             // 4 another expiry
			w.moved(movement.Dispense, a, 1),                                                             // 5 no lot
			w.moved(movement.Dispense, a, 1, lot("NEVER SEEN")),                                          // 6
			w.moved(movement.Dispense, unknown, 1),                                                       // 7
			w.moved(movement.Receipt, a, 1, lot("OLD"), w.expiring(-1)),                                  // 8 expired
			w.moved(movement.Receipt, b, 1, forOrder("P-none")),                                          // 9
			w.moved(movement.Dispense, b, 1, func(m *movement.Movement) { m.Unit = "Fathoms" }),          // 10
			w.moved(movement.Count, b, 3),                                                                // 11
			w.moved(movement.Dispense, b, 1, lot("IGNORED"), func(m *movement.Movement) { m.Unit = "" }), // 12 goes, without the lot
			w.moved(movement.Receipt, a, 2, lot("TWICE"), w.expiring(12)),                                // 13 one lot, two dates
			w.moved(movement.Receipt, a, 2, lot("TWICE"), w.expiring(13)),                                // 14
			w.moved(movement.Dispense, b, 1, func(m *movement.Movement) { m.Quantity = 333_333 }),        // 15 Odoo would round it
		)
		w.settle()
		want := map[uint64]string{2: "over_receipt", 3: "not_on_order", 4: "lot_expiry_conflict", 5: "lot_missing", 6: "unknown_lot",
			7: "unknown_product", 8: "expired_lot", 9: "order_not_open", 10: "unknown_unit", 11: "count_needs_decision",
			13: "lot_expiry_conflict", 14: "lot_expiry_conflict", 15: "unit_inexact"}
		if got := w.exceptions(); !maps.Equal(got, want) {
			t.Fatalf("exceptions\n%v\nwant\n%v", got, want)
		}
		open, err := w.ledger.Exceptions(t.Context(), exceptionsOf(w))
		must(t, err)
		for _, e := range open {
			if bare := bareCommand.FindString(namedCommand.ReplaceAllString(e.Hint, "")); e.Hint == "" || bare != "" {
				t.Errorf("the hint of %s names no command for %q: %s", e.Reason, bare, e.Hint)
			}
		}
		w.sent[11].Lot = "" // Odoo keeps no lots of it
		w.check()

		// People decide: the released goods are received after all, a code is
		// mapped to a product, and what was refused is refused again.
		by := func(seqs ...uint64) (d decision) {
			for _, s := range seqs {
				d.Movements = append(d.Movements, w.sender.Find(t, w.ledger, s))
			}
			d.Who, d.Why, d.At = "ph", "seen it", w.clock.now()
			return d
		}
		if n, err := w.ledger.Release(t.Context(), by(2, 3, 6, 8, 9)); err != nil || n != 5 {
			t.Fatalf("released %d: %v", n, err)
		}
		if _, err := w.ledger.Release(t.Context(), by(4)); err == nil {
			t.Error("a conflict of expiry dates was released")
		}
		retry := by(5)
		retry.Choice = "retry"
		_, err = w.ledger.Decide(t.Context(), retry)
		must(t, err)
		n, err := w.ledger.SetAlias(t.Context(), aliasFor(w, unknown.Code, b))
		if err != nil || n != 1 {
			t.Fatalf("the alias released %d: %v", n, err)
		}
		w.settle()
		for _, seq := range []uint64{2, 3, 6, 7, 8, 9} {
			delete(want, seq)
		}
		if got := w.exceptions(); !maps.Equal(got, want) {
			t.Fatalf("then exceptions\n%v\nwant\n%v", got, want)
		}
		w.sent[6].Product.Code = b.Code
		w.check()
	})
}

func TestTwoDeliveriesForOneOrderAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		a := w.product(odoo.ByLot)
		order := w.order(map[int64]float64{a.ID: 10})
		w.send(w.moved(movement.Receipt, a, 4, forOrder(order), lot("L1"), w.expiring(12), group("g1", 1)),
			w.moved(movement.Receipt, a, 4, forOrder(order), lot("L1"), w.expiring(12), group("g2", 1)),
			w.moved(movement.Receipt, a, 4, forOrder(order), lot("L2"), w.expiring(12), group("g3", 1)))
		w.settle()
		if got := w.exceptions(); len(got) != 1 || got[3] != "over_receipt" {
			t.Errorf("exceptions: %v", got)
		}
		w.check()
	})
}

func TestDispensingsAreSummed(t *testing.T) {
	w := simulated(t, 19)
	products := w.products(odoo.ByLot, 17)
	for i, p := range products {
		for j := range 10 {
			w.lot(p, lotName(i, j))
		}
	}
	w.sim.ResetSpent()
	var all []movement.Movement
	for i := range 400 {
		n := i % 170
		all = append(all, w.moved(movement.Dispense, products[n/10], 1, lot(lotName(n/10, n%10))))
	}
	must(t, w.master.Refresh(t.Context()))
	w.sim.ResetSpent()
	w.send(all...)
	w.settle()
	w.check()
	spent := w.sim.Spent()
	if spent.Methods["stock.picking.create"] != 1 || spent.Methods["stock.picking.button_validate"] != 1 {
		t.Errorf("calls: %v", spent.Methods)
	}
	if per := spent.Time / 400; per > 15*time.Millisecond {
		t.Errorf("%s a movement in Odoo", per)
	}
}

// What a person is to do is said by the command that does it.
var (
	namedCommand = regexp.MustCompile(`branchline-hub (retry|release|discard|alias set)`)
	bareCommand  = regexp.MustCompile(`\b(retry|release|discard|alias set)\b`)
)
