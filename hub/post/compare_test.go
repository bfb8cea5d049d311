package post_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/plan"
	"branchline/hub/post"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

func (w *world) toCompare() int {
	w.t.Helper()
	all, err := w.ledger.ToCompare(w.t.Context(), 0, 1000)
	must(w.t, err)
	return len(all)
}

// comparedAll searches Odoo once more, until all adopted documents are compared, and
// gives what was told of changes.
func (w *world) comparedAll() []string {
	w.t.Helper()
	w.on(w.ledger)
	must(w.t, w.master.Refresh(w.t.Context()))
	ctx, cancel := contextFor(w.t.(*testing.T))
	defer cancel()
	if !w.until(ctx, func() bool { return w.poster.Status().Adopted && w.toCompare() == 0 }) {
		w.t.Errorf("%d adopted documents are not compared", w.toCompare())
	}
	return w.told()
}

// What a person changed in Odoo before a document was validated is told by a ledger,
// too, that was put back and had to adopt it, once its movements have come again;
// nothing is told where nobody has changed anything.
func TestAChangedDocumentThatIsAdoptedIsTold(t *testing.T) {
	for _, when := range []string{"before our validation", "never"} {
		for _, kind := range []movement.Kind{movement.Receipt, movement.Dispense} {
			t.Run(string(kind)+" "+when, func(t *testing.T) {
				t.Parallel()
				w := simulated(t, 17)
				w.t = t
				backup := filepath.Join(t.TempDir(), "backup.db")
				w.copyLedger(backup)
				w.betweenOdoo = func(o post.Odoo) post.Odoo { return &meddler{Odoo: o, w: w, when: when} }
				w.on(w.ledger)
				p := w.product(odoo.ByQuantity)
				m := w.moved(kind, p, 10)
				if kind == movement.Receipt {
					forOrder(w.order(map[int64]float64{p.ID: 10}))(&m)
				}
				w.send(m)
				w.settle()
				w.betweenOdoo = nil
				w.putBack(backup, ledger.Cursor{}, 0)
				w.sender = ledgertest.NewSender(w.sender.Branch, w.sender.Epoch, w.sender.Lane)
				ctx, cancel := contextFor(t)
				defer cancel()
				if !w.until(ctx, func() bool { return w.poster.Status().Adopted }) || w.toCompare() != 1 || len(w.told()) != 0 {
					t.Fatalf("adopted, to compare %d, told %q", w.toCompare(), w.told())
				}
				w.send(m)
				w.settle()
				told := w.comparedAll()
				if want := map[bool]int{true: 0, false: 1}[when == "never"]; len(told) != want {
					t.Fatalf("the audit trail tells %q", told)
				}
				if len(told) == 1 && !strings.Contains(told[0], "4 of product") {
					t.Errorf("the audit trail tells %q", told)
				}
				if again := w.comparedAll(); !slices.Equal(again, told) {
					t.Errorf("told again: %q", again)
				}
			})
		}
	}
}

// What a code means was forgotten with the rest: the document is compared when
// somebody has said it again.
func TestAnAdoptedDocumentIsComparedWhenItsCodesAreKnown(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	code := "X-" + w.unique()
	backup := filepath.Join(t.TempDir(), "backup.db")
	w.copyLedger(backup)
	_, err := w.ledger.SetAlias(t.Context(), aliasFor(w, code, p))
	must(t, err)
	w.betweenOdoo = func(o post.Odoo) post.Odoo { return &meddler{Odoo: o, w: w, when: "before our validation"} }
	w.on(w.ledger)
	m := w.moved(movement.Dispense, p, 10, func(m *movement.Movement) { m.Product.Code = code })
	w.send(m)
	w.settle()
	w.betweenOdoo = nil
	w.putBack(backup, ledger.Cursor{}, 0)
	w.sender = ledgertest.NewSender(w.sender.Branch, w.sender.Epoch, w.sender.Lane)
	w.send(m)
	w.settle()
	if n := w.toCompare(); n != 1 || len(w.told()) != 0 {
		t.Fatalf("%d to compare, told %q", n, w.told())
	}
	_, err = w.ledger.SetAlias(t.Context(), aliasFor(w, code, p))
	must(t, err)
	if told := w.comparedAll(); len(told) != 1 || !strings.Contains(told[0], "4 of product") {
		t.Errorf("the audit trail tells %q", told)
	}
}

// What never comes again is not waited for for ever, and that is told.
func TestAnAdoptedDocumentWhoseMovementsNeverComeIsTold(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	backup := filepath.Join(t.TempDir(), "backup.db")
	w.copyLedger(backup)
	w.send(w.moved(movement.Dispense, p, 1))
	w.settle()
	w.putBack(backup, ledger.Cursor{}, 0)
	ctx, cancel := contextFor(t)
	defer cancel()
	w.until(ctx, func() bool { return w.poster.Status().Adopted })
	w.clock.forward(100 * 24 * time.Hour)
	if told := w.comparedAll(); len(told) != 1 || !strings.Contains(told[0], "could not be compared") {
		t.Errorf("the audit trail tells %q", told)
	}
}

// A movement that names no lot is in the document of a lot that the hub had chosen:
// that is no change.
func TestALotThatTheHubHadChosenIsNoChange(t *testing.T) {
	w := simulated(t, 19)
	w.plans.WithoutLot = plan.LotByEarliest
	backup := filepath.Join(t.TempDir(), "backup.db")
	w.copyLedger(backup)
	a := w.product(odoo.ByLot)
	w.send(w.moved(movement.Receipt, a, 5, lot("LATE"), w.expiring(24)), w.moved(movement.Receipt, a, 5, lot("SOON"), w.expiring(6)))
	w.settle()
	w.send(w.moved(movement.Dispense, a, 3), w.moved(movement.Dispense, a, 4), w.moved(movement.Dispense, a, 1, lot("LATE")))
	w.settle()
	again := w.sent
	w.putBack(backup, ledger.Cursor{}, 0)
	w.sender = ledgertest.NewSender(w.sender.Branch, w.sender.Epoch, w.sender.Lane)
	w.send(again...)
	w.settle()
	for i := range again {
		if got := w.state(uint64(i + 1)); got != ledger.Posted {
			t.Errorf("movement %d is %s", i+1, got)
		}
	}
	if told := w.comparedAll(); len(told) != 0 {
		t.Errorf("the audit trail tells %q", told)
	}
}
