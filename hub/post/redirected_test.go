package post_test

import (
	"path/filepath"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// personReceives puts n of a product into the one open receipt of an order, as a person in Odoo does.
func (w *world) personReceives(order string, p odoo.Product, n float64) {
	w.t.Helper()
	ctx := w.t.Context()
	all, err := w.user.OpenReceipts(ctx, w.branch)
	must(w.t, err)
	for _, r := range all {
		if r.Origin != order {
			continue
		}
		m := r.Moves[0]
		must(w.t, w.admin.WriteReceipt(ctx, r.ID, m.Lines, []odoo.ReceiptLine{{MoveID: m.ID, ProductID: p.ID, Quantity: n, UoMID: p.UoM.ID, FromID: m.FromID, ToID: m.ToID}}, ""))
		v, err := w.admin.Validate(ctx, r.ID, odoo.Confirm{Backorder: true, Expired: true})
		must(w.t, err)
		if !v.Done() {
			w.t.Fatalf("%+v", v)
		}
		return
	}
	w.t.Fatalf("no receipt of %s", order)
}

// The backup holds a posting planned for receipt X. After the backup a person
// received part of X, so the posting went, under the same name, into the backorder
// Y. After the restore Y's marker names a posting that is alive (for X): Y is not adopted.
func TestAReceiptPostedElsewhereThanTheBackupPlannedIsAdopted(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	order := w.order(map[int64]float64{p.ID: 100})
	w.send(w.moved(movement.Receipt, p, 30, forOrder(order)))
	must(t, w.plan(t.Context())) // planned for X; Odoo is away, say
	if got := w.state(1); got != ledger.Planned {
		t.Fatal(got)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	w.copyLedger(backup)
	w.personReceives(order, p, 20)
	w.settle()
	must(t, w.master.Refresh(t.Context()))
	if got := w.stock()[p.Code+"/"]; got != movement.Units(50) {
		t.Fatalf("before the restore %s in Odoo, want 50", got)
	}
	w.on(ledgertest.OpenAt(t, backup))
	w.settle()
	must(t, w.master.Refresh(t.Context()))
	if got := w.stock()[p.Code+"/"]; got != movement.Units(50) {
		t.Errorf("after the restore %s in Odoo, want 50: posted twice; trail %q", got, w.trail("posted twice"))
	}
}
