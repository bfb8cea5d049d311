package post_test

import (
	"path/filepath"
	"testing"

	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// The hub is put back to before a box was taken in, and the PC that took it in is
// replaced: Odoo has the box, and its movements never come again. When somebody scans
// the box once more, a person decides.
func TestABoxThatOnlyOdooRemembersIsNotTakenInTwice(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		p := w.product(odoo.ByQuantity)
		number := "ZZB/" + w.branch.Code + "/T261124-093131"
		box := func(n int64, number string) movement.Movement {
			return w.moved(movement.TransferIn, p, n, func(m *movement.Movement) { m.Document = movement.Document{Type: "transfer", Ref: number} })
		}
		w.send(w.moved(movement.Dispense, p, 1))
		w.settle()
		backup := filepath.Join(t.TempDir(), "backup.db")
		w.copyLedger(backup)
		night := w.sender.At
		w.send(box(3, number))
		w.settle()
		before := w.stock()[p.Code+"/"]

		w.putBack(backup, night, 1)
		w.sender, w.sent = ledgertest.NewSender(w.branch.Code, movement.NewEpoch(), movement.Live), nil
		ctx, cancel := contextFor(t)
		defer cancel()
		w.until(ctx, func() bool { return w.poster.Status().Adopted })
		w.send(box(3, number), box(2, "ZZB/"+w.branch.Code+"/T261124-100000"))
		w.settle()
		if got := w.exceptions(); len(got) != 1 || got[1] != "taken_in_before" {
			t.Errorf("exceptions %v, want the box that Odoo has", got)
		}
		if got := w.stock()[p.Code+"/"]; got != before+movement.Units(2) {
			t.Errorf("%s in stock, want %s", got, before+movement.Units(2))
		}
	})
}
