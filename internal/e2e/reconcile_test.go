//go:build linux

package e2e

import (
	"fmt"
	"testing"

	"branchline/internal/odoo"
	"branchline/internal/rig"
)

// A branch is compared with Odoo when a person asks: equal until somebody changes the
// stock there, which is named, until a person says that it is right.
func TestABranchIsComparedWithOdoo(t *testing.T) {
	o := newOffice(t)
	paracetamol, branch := o.Chain.Products[3], o.Chain.Branches[0]
	o.drop("a.csv", "R1;1;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;1;CD", "R1;2;TIME;Erika;1958-03-14;"+paracetamol.GTIN+";;2;CD",
		"R1;3;TIME;Erika;1958-03-14;04099999999996;;1;CD")
	if err := rig.Until(o.ctx, "it is in Odoo", func() (bool, error) {
		stock, err := o.Chain.Stock(o.ctx, branch)
		return stock[rig.Item{GTIN: paracetamol.GTIN}] == -3, err
	}); err != nil {
		t.Fatal(err)
	}
	o.until("unknown_product", "exceptions")
	o.until("posted", "postings", "--state", "posted")
	o.ok([]string{"reconcile", "list"}, "No branch was compared yet.")
	o.no([]string{"reconcile", "now", "--branch", "BR99"}, "there is no branch")
	o.ok([]string{"reconcile", "now"}, "1 branch is being compared")
	o.until(branch.Code+"  equal", "reconcile", "list")
	o.ok([]string{"reconcile", "list"}, "captured 3, received 3, posted 2, found in Odoo 2; on the way 0, for a person 1")
	o.tells(o.HubPage+"reconciliation", "Equal", true)

	ids, err := o.Chain.Client.Create(o.ctx, "stock.quant", map[string]any{"product_id": paracetamol.ID, "location_id": branch.Warehouse.StockID, "inventory_quantity": 20.0})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Chain.Client.Call(o.ctx, "stock.quant", "action_apply_inventory", odoo.Args{IDs: ids}); err != nil {
		t.Fatal(err)
	}
	o.ok([]string{"reconcile", "now", "--branch", branch.Code}, "1 branch is being compared")
	o.until("1 difference for", "reconcile", "show", branch.Code)
	o.ok([]string{"reconcile", "show", branch.Code}, fmt.Sprintf("%s: should be -3, Odoo has 20 (23 too many)", paracetamol.Name), "23 by Mitchell Admin", "Product Quantity Updated")
	o.tells(o.HubPage+"reconciliation/"+branch.Code, "Product Quantity Updated", true)
	o.no([]string{"reconcile", "start", branch.Code, "--why", "  "}, "a decision needs a word why")
	o.ok([]string{"reconcile", "start", branch.Code, "--why", "counted by hand"}, "taken as it is")
	o.until(branch.Code+"  equal", "reconcile", "list")
	o.ok([]string{"audit", "list", "--text", branch.Code}, "stock to be taken as it is", "counted by hand", "reconciled")
	o.ok([]string{"verify"}, "the chain is whole")
}
