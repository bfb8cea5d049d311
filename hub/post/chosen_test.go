package post_test

import (
	"maps"
	"slices"
	"testing"

	"branchline/hub/plan"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// A dispensing without a lot leaves Odoo's stock from the lot that expires
// first and has enough, where the configuration says so.
func TestWhatHasNoLotIsOfTheLotThatExpiresFirst(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.plans.WithoutLot = plan.LotByEarliest
		w.on(w.ledger)
		a := w.product(odoo.ByLot)
		w.send(w.moved(movement.Receipt, a, 5, lot("LATE"), w.expiring(24)), w.moved(movement.Receipt, a, 5, lot("SOON"), w.expiring(6)))
		w.settle()
		w.send(w.moved(movement.Dispense, a, 3))
		w.settle()
		w.send(w.moved(movement.Dispense, a, 4), w.moved(movement.Dispense, a, 1), w.moved(movement.Dispense, a, 9))
		w.settle()
		if got := slices.Collect(maps.Values(w.exceptions())); !slices.Equal(got, []string{plan.LotMissing}) {
			t.Errorf("exceptions: %v", got)
		}
		rows, err := w.user.StockOf(t.Context(), w.branch.StockID, []int64{a.ID})
		must(t, err)
		left := map[string]float64{}
		for _, r := range rows {
			left[r.LotName] = r.Quantity
		}
		if !maps.Equal(left, map[string]float64{"LATE": 1, "SOON": 1}) {
			t.Errorf("Odoo has %v; %s", left, w.describe())
		}
	})
}
