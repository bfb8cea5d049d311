package post_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"branchline/hub/ledger"
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

// A hub that shares its Odoo with another leaves the other's documents alone.
func TestDocumentsOfOtherHubsAreLeftAlone(t *testing.T) {
	w := simulated(t, 17)
	backup := filepath.Join(t.TempDir(), "backup.db")
	w.copyLedger(backup)
	w.send(w.moved(movement.Dispense, w.product(odoo.ByQuantity), 3))
	w.settle()
	fresh := ledgertest.OpenAt(t, backup)
	for _, own := range [][]string{{"ELSEWHERE"}, {}} {
		w.posts.Branches = own
		w.on(fresh)
		ctx, cancel := contextFor(t)
		defer cancel()
		if !w.until(ctx, func() bool { return w.poster.Status().Adopted }) {
			t.Fatal(w.describe())
		}
		if all, err := fresh.Postings(t.Context(), ledger.PostingFilter{}); err != nil || len(all) != 0 {
			t.Errorf("a hub of %v adopted %+v, %v", own, all, err)
		}
	}
}

// A document that holds movements of two epochs, as after an outbox was
// salvaged, is found again whole.
func TestADocumentOfTwoEpochsIsAdopted(t *testing.T) {
	w := simulated(t, 17)
	p := w.product(odoo.ByQuantity)
	backup := filepath.Join(t.TempDir(), "backup.db")
	w.copyLedger(backup)
	day := []movement.Movement{w.moved(movement.Dispense, p, 3), w.moved(movement.Dispense, p, 4)}
	epochs := []string{movement.NewEpoch(), movement.NewEpoch()}
	happen := func() {
		for i, epoch := range epochs {
			w.sender = ledgertest.NewSender(w.branch.Code, epoch, movement.Live)
			w.send(day[i])
		}
		w.settle()
	}
	happen()
	before := w.stock()
	w.on(ledgertest.OpenAt(t, backup))
	happen()
	if diff := cmp.Diff(before, w.stock()); diff != "" {
		t.Errorf("stock (- before, + after):\n%s", diff)
	}
}
