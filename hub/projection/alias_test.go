package projection_test

import (
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// What is in Odoo stays as it is when an alias changes or goes; all else is
// planned again.
func TestAnAliasIsTakenBack(t *testing.T) {
	code := ledgertest.Movement(movement.Dispense, 1).Product
	for name, change := range map[string]struct {
		do        func(f fixture) (int, error)
		again     int
		exception ledger.State // of what Odoo refused
		audit     string
	}{
		"removed": {func(f fixture) (int, error) {
			return f.RemoveAlias(f.Context(), ledger.Alias{Product: code, Who: "bob", Why: "wrong pack", At: ledgertest.Noon})
		}, 3, ledger.Pending, "alias removed: meant Aspirin (42): wrong pack"},
		"changed": {func(f fixture) (int, error) {
			return f.SetAlias(f.Context(), ledger.Alias{Product: code, ProductID: 43, ProductName: "Aspirin N", Who: "bob", Why: "wrong pack", At: ledgertest.Noon,
				Overrules: "Heparin (H1)"})
		}, 1, ledger.Pending, "alias: means Aspirin N (43), though in Odoo it is Heparin (H1): wrong pack"},
		"said once more": {func(f fixture) (int, error) {
			return f.SetAlias(f.Context(), ledger.Alias{Product: code, ProductID: 42, ProductName: "Aspirin", Who: "bob", Why: "indeed", At: ledgertest.Noon})
		}, 1, ledger.Pending, "alias: means Aspirin (42): indeed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, append(dispensings(6), ledgertest.Record(movement.Dispense, 1,
				func(m *movement.Movement) { m.Product.Code = "04012345678902" }))...)
			if _, err := f.SetAlias(t.Context(), ledger.Alias{Product: code, ProductID: 42, ProductName: "Aspirin", Who: "ann", Why: "old code", At: ledgertest.Noon}); err != nil {
				t.Fatal(err)
			}
			f.change(f.post("done", 1), ledger.PostingChange{State: ledger.PostingDone})
			f.change(f.post("begun", 2), ledger.PostingChange{State: ledger.PostingBegun, Step: "created"})
			planned := f.post("planned", 3, 4, 7)
			if err := f.Refuse(t.Context(), []ledger.Refusal{{Movement: f.ids(5)[0], Stage: "plan", Reason: "archived_product", Aliases: f.aliases()}}, ledgertest.Noon); err != nil {
				t.Fatal(err)
			}
			f.change(f.post("taken back", 6), ledger.PostingChange{State: ledger.PostingWithdrawn})
			n, err := change.do(f)
			if err != nil || n != change.again {
				t.Errorf("%d looked at again, %v", n, err)
			}
			free := ledger.Pending
			if name == "said once more" {
				free = ledger.Planned
			}
			f.states(ledger.Posted, ledger.Planned, free, free, change.exception, ledger.Pending, free)
			if p, err := f.Posting(t.Context(), planned); err != nil || (p.State == ledger.PostingWithdrawn) != (free == ledger.Pending) {
				t.Errorf("%+v, %v", p.State, err)
			}
			trail, err := f.AuditTrail(t.Context(), 2, 1)
			if err != nil || len(trail) != 1 || trail[0].Who != "bob" || trail[0].Subject != "gtin "+code.Code || trail[0].Action+": "+trail[0].Detail != change.audit {
				t.Errorf("audit %+v, %v", trail, err)
			}
			if all, err := f.Aliases(t.Context()); err != nil || (len(all) == 0) != (name == "removed") {
				t.Errorf("aliases %+v, %v", all, err)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		f := newFixture(t)
		if _, err := f.RemoveAlias(t.Context(), ledger.Alias{Product: code, Who: "bob", Why: "wrong"}); fault.CodeOf(err) != "unknown_alias" || fault.ClassOf(err) != fault.Data {
			t.Error(err)
		}
		if _, err := f.RemoveAlias(t.Context(), ledger.Alias{Product: code}); fault.CodeOf(err) != "incomplete_decision" {
			t.Error(err)
		}
	})
}
