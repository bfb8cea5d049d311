package post_test

import (
	"path/filepath"
	"testing"

	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// A document that holds movements of both lanes is found again by a ledger that
// was put back, in whatever order the lanes were first heard of.
func TestADocumentOfTwoLanesIsAdopted(t *testing.T) {
	for name, lanes := range map[string][]movement.Lane{"live first": {movement.Live, movement.Bulk}, "bulk first": {movement.Bulk, movement.Live}} {
		t.Run(name, func(t *testing.T) {
			w := simulated(t, 17)
			p := w.product(odoo.ByQuantity)
			backup := filepath.Join(t.TempDir(), "backup.db")
			w.copyLedger(backup)
			epoch := movement.NewEpoch()
			day := []movement.Movement{w.moved(movement.Dispense, p, 3), w.moved(movement.Dispense, p, 4)}
			happen := func() {
				for i, lane := range lanes {
					w.sender = ledgertest.NewSender(w.branch.Code, epoch, lane)
					w.send(day[i])
				}
				w.settle()
			}
			happen()
			before := w.stock()
			w.plans.Movements = 1 // now it would be cut otherwise
			w.on(ledgertest.OpenAt(t, backup))
			happen()
			if after := w.stock(); len(after) != len(before) {
				t.Fatalf("stock %v became %v", before, after)
			} else {
				for item, q := range before {
					if after[item] != q {
						t.Errorf("%v: %v became %v", item, q, after[item])
					}
				}
			}
		})
	}
}
