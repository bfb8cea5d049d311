package plan_test

import (
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
)

// What people say that a code means while a plan waits for Odoo is in the plan:
// neither a document nor an exception is made by what it meant before.
func TestAnAliasChangedWhileAPlanWaitsForOdooIsNotIgnored(t *testing.T) {
	means := func(id int64) ledger.Alias {
		return ledger.Alias{Product: movement.Product{Scheme: movement.SKU, Code: "B"}, ProductID: id, Who: "ann", Why: "the old number", At: ledgertest.Noon}
	}
	for name, change := range map[string]func(d *desk) error{
		"corrected":  func(d *desk) error { _, err := d.ledger.SetAlias(t.Context(), means(2)); return err },
		"taken back": func(d *desk) error { _, err := d.ledger.RemoveAlias(t.Context(), means(0)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.at = d.at.Add(time.Hour)
			if _, err := d.ledger.SetAlias(t.Context(), means(1)); err != nil {
				t.Fatal(err)
			}
			order := func(m *movement.Movement) { m.Document = movement.Document{Type: "order", Ref: "P9"} }
			d.send(t, ledgertest.Record(movement.Dispense, 1, sku("B")), ledgertest.Record(movement.Receipt, 1, sku("B"), order))
			d.receipts.meanwhile = func() {
				if err := change(d); err != nil {
					t.Error(err)
				}
			}
			d.once(t)
			if d.receipts.meanwhile != nil {
				t.Fatal("Odoo was not asked")
			}
			if d.open(t) != 0 || len(d.reasons(t)) != 0 {
				t.Errorf("%d postings and the exceptions %v by what the code meant before", d.open(t), d.reasons(t))
			}
			d.at = d.at.Add(time.Minute)
			d.once(t)
			if d.open(t) != 1 || d.reasons(t)["order_not_open"] != 1 {
				t.Errorf("then %d postings and the exceptions %v", d.open(t), d.reasons(t))
			}
		})
	}
}
