package post_test

import (
	"path/filepath"
	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// writeOver is a person who puts another note in the place of a document's.
func (w *world) writeOver(d odoo.Picking, note string) {
	w.t.Helper()
	must(w.t, w.admin.Write(w.t.Context(), "stock.picking", []int64{d.ID}, map[string]any{"note": note}))
}

func (w *world) ourDocuments() []odoo.Picking {
	w.t.Helper()
	all, err := w.user.PickingsNamedLike(w.t.Context(), "BL/"+w.branch.Code+"/", 0, 0)
	must(w.t, err)
	return all
}

// Somebody has written over the note of a document of ours that is done, and the
// ledger is put back. Its name still says whose it is, so nothing of its branch is
// posted until a person has settled it: what it moved could be moved again.
func TestADocumentWhoseNoteWasWrittenOverIsNotPostedAgain(t *testing.T) {
	for name, note := range map[string]string{"another note": "<p>Checked by Bob</p>", "none": "",
		"another document's": "<p>branchline:1|BL/XX/abcd/L1-1/00000000|0|x|0</p>"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := simulated(t, 17)
			w.t = t
			p := w.product(odoo.ByQuantity)
			first, _ := w.lostNight(p)
			w.writeOver(first, note)
			ctx, cancel := contextFor(t)
			defer cancel()
			looks := 0
			if !w.until(ctx, func() bool {
				if w.state(3) == ledger.Posted && len(w.poster.Status().Unadopted) == 1 {
					looks++
				}
				return looks > 20
			}) {
				t.Fatalf("the other document is not adopted, or this one not kept: %s", w.describe())
			}
			if got := w.dispensed(p); got != movement.Units(4) {
				t.Errorf("%s were dispensed in Odoo, want 4", got)
			}
			kept := w.poster.Status().Unadopted[0]
			if words := kept.Words(); !strings.Contains(words, "branchline-hub settle "+first.Name) {
				t.Errorf("a person is told %q", words)
			}
			_, err := w.ledger.SettleDocument(t.Context(), first.Name, "ph", "returned in Odoo", w.clock.now())
			must(t, err)
			if !w.until(ctx, func() bool { return len(w.poster.Status().Unadopted) == 0 && w.rest(ctx) }) {
				t.Fatalf("it does not go on: %s", w.describe())
			}
			if got := w.dispensed(p); got != movement.Units(6) {
				t.Errorf("%s were dispensed in Odoo, want the 4 and the 2 anew", got)
			}
			w.on(w.ledger) // it stays settled
			w.settle()
			if kept := w.poster.Status().Unadopted; len(kept) != 0 || w.dispensed(p) != movement.Units(6) {
				t.Errorf("%s were dispensed, kept again: %+v", w.dispensed(p), kept)
			}
			if told := w.trail("document settled"); len(told) != 1 || !strings.Contains(told[0], "returned in Odoo") {
				t.Errorf("the audit trail tells %q", told)
			}
		})
	}
}

// The movements come again and are cut as then: the name says that they are in the
// document, so nobody is asked.
func TestADocumentIsKnownByItsNameWhenItsMovementsAreCutAsThen(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	backup := filepath.Join(t.TempDir(), "backup.db")
	w.copyLedger(backup)
	w.send(w.moved(movement.Dispense, p, 1), w.moved(movement.Dispense, p, 1))
	w.settle()
	w.writeOver(w.ourDocuments()[0], "")
	again := w.sent
	w.putBack(backup, ledger.Cursor{}, 0)
	w.sender = ledgertest.NewSender(w.sender.Branch, w.sender.Epoch, w.sender.Lane)
	w.send(again...)
	w.settle()
	if w.check(); w.dispensed(p) != movement.Units(2) || len(w.poster.Status().Unadopted) != 0 {
		t.Errorf("%s were dispensed, kept %+v", w.dispensed(p), w.poster.Status().Unadopted)
	}
}

// What is posted anew after a document was settled gets a document of its own, also
// where it is cut as then and the settled one bears its name.
func TestWhatIsSettledIsPostedAnewUnderAnotherName(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	backup := filepath.Join(t.TempDir(), "backup.db")
	w.copyLedger(backup)
	w.send(w.moved(movement.Dispense, p, 1), w.moved(movement.Dispense, p, 1))
	w.settle()
	first := w.ourDocuments()[0]
	w.writeOver(first, "")
	again := w.sent
	w.putBack(backup, ledger.Cursor{}, 0)
	w.sender = ledgertest.NewSender(w.sender.Branch, w.sender.Epoch, w.sender.Lane)
	ctx, cancel := contextFor(t)
	defer cancel()
	if !w.until(ctx, func() bool { return len(w.poster.Status().Unadopted) == 1 }) {
		t.Fatalf("it is not kept: %s", w.describe())
	}
	_, err := w.ledger.SettleDocument(t.Context(), first.Name, "ph", "returned in Odoo", w.clock.now())
	must(t, err)
	w.send(again...)
	if !w.until(ctx, func() bool { return len(w.poster.Status().Unadopted) == 0 && w.rest(ctx) }) {
		t.Fatalf("it does not go on: %s", w.describe())
	}
	if all := w.ourDocuments(); len(all) != 2 || all[1].State != odoo.Done || all[1].Name == first.Name {
		t.Errorf("the documents are %+v", all)
	}
	must(t, w.master.Refresh(t.Context()))
	if got := w.dispensed(p); got != movement.Units(4) {
		t.Errorf("%s were dispensed in Odoo, want the 2 and the 2 anew", got)
	}
	if _, marked := odoo.MarkerOf(w.ourDocuments()[1]); !marked {
		t.Error("the new one has no marker of its own")
	}
}
