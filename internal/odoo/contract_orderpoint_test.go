package odoo_test

import (
	"slices"
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/odoo"
)

func TestContractOrderPoints(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		p := w.newProduct(t, odoo.ByQuantity)
		values := map[string]any{"product_id": p.ID, "warehouse_id": w.branch.ID, "location_id": w.branch.StockID, "product_min_qty": 5.0, "product_max_qty": 20.5, "trigger": "manual"}
		ids, err := w.admin.Create(w.ctx, "stock.warehouse.orderpoint", values)
		must(t, err)
		find := func(since time.Time) (odoo.OrderPoint, bool) {
			t.Helper()
			all, err := w.user.OrderPoints(w.ctx, since)
			must(t, err)
			i := slices.IndexFunc(all, func(o odoo.OrderPoint) bool { return o.ID == ids[0] })
			if i < 0 {
				return odoo.OrderPoint{}, false
			}
			return all[i], true
		}
		lately := time.Now().Add(-10 * time.Minute)
		o, found := find(lately)
		want := odoo.OrderPoint{ID: ids[0], Name: o.Name, ProductID: p.ID, WarehouseID: w.branch.ID, LocationID: w.branch.StockID, CompanyID: w.branch.CompanyID,
			Min: 5, Max: 20.5, Active: true}
		if !found || o.Name == "" || o != want {
			t.Errorf("the rule reads as %+v, want %+v", o, want)
		}
		t.Run("a product and place have one rule", func(t *testing.T) {
			_, err := w.admin.Create(w.ctx, "stock.warehouse.orderpoint", values)
			refused(t, err, fault.Data, odoo.CodeRefused)
		})
		t.Run("the stock user reads rules and writes none", func(t *testing.T) {
			if !w.stockUser {
				t.Skip("there is no second user")
			}
			refused(t, w.user.Write(w.ctx, "stock.warehouse.orderpoint", ids, map[string]any{"product_min_qty": 6.0}), fault.Setup, odoo.CodeRight)
		})
		must(t, w.admin.Write(w.ctx, "stock.warehouse.orderpoint", ids, map[string]any{"product_min_qty": 7.0, "trigger": "auto", "active": false}))
		if o, found = find(lately); !found || o.Min != 7 || !o.Auto || o.Active {
			t.Errorf("the archived rule reads as %v %+v", found, o)
		}
		if _, found = find(time.Now().Add(time.Hour)); found {
			t.Error("it changed in the future")
		}
		must(t, w.admin.Unlink(w.ctx, "stock.warehouse.orderpoint", ids))
		if _, found = find(time.Time{}); found {
			t.Error("a deleted rule is read")
		}
	})
}
