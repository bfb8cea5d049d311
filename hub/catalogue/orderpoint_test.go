package catalogue_test

import (
	"testing"

	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

func TestOrderPointsAreReadAndKept(t *testing.T) {
	w := open(t)
	if rules, why := w.OrderPoints(1); len(rules) != 0 || why == "" {
		t.Errorf("before they were read: %v, %q", rules, why)
	}
	archived := odoo.OrderPoint{ID: 2, WarehouseID: 1, ProductID: 8}
	w.server.rules = []odoo.OrderPoint{{ID: 3, WarehouseID: 1, ProductID: 9, Min: 1, Active: true}, archived, {ID: 1, WarehouseID: 1, ProductID: 7, Active: true}, {ID: 4, WarehouseID: 2, Active: true}}
	w.refresh(t)
	if rules, why := w.OrderPoints(1); len(rules) != 2 || rules[0].ID != 1 || rules[1].ID != 3 || why != "" {
		t.Errorf("%+v, %q", rules, why)
	}
	w.server.rules = []odoo.OrderPoint{{ID: 1, WarehouseID: 1, ProductID: 7}}
	w.refresh(t)
	if w.server.rulesSince[1].IsZero() {
		t.Error("all of them were read again")
	}
	w.again()
	if rules, why := w.OrderPoints(1); len(rules) != 1 || rules[0].Min != 1 || why != "" {
		t.Errorf("kept: %+v, %q", rules, why)
	}
}

// Nothing that documents are made of waits for the right to read reordering rules, and
// when it is given, all of them are read.
func TestAMissingRightForOrderPointsKeepsNothingElse(t *testing.T) {
	w := open(t)
	w.server.products = []odoo.Product{product(1, "A", "")}
	w.server.rulesErr = fault.New(fault.Setup, odoo.CodeRight, "may not read rules")
	w.refresh(t)
	if found, _ := w.Find(movement.Product{Scheme: movement.SKU, Code: "A"}); len(found) != 1 {
		t.Error("the product is not known")
	}
	if rules, why := w.OrderPoints(1); len(rules) != 0 || why == "" {
		t.Errorf("%v, %q", rules, why)
	}
	w.server.rules, w.server.rulesErr = []odoo.OrderPoint{{ID: 1, WarehouseID: 1, Active: true}}, nil
	w.refresh(t)
	if rules, why := w.OrderPoints(1); len(rules) != 1 || why != "" || !w.server.rulesSince[1].IsZero() {
		t.Errorf("%v, %q, since %v", rules, why, w.server.rulesSince)
	}
	w.server.rulesErr = fault.New(fault.Transient, odoo.CodeAway, "away")
	if err := w.Refresh(t.Context()); err == nil {
		t.Error("an outage is not told")
	}
}
