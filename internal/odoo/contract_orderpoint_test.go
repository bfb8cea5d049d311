package odoo_test

import (
	"slices"
	"strings"
	"sync"
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

// A rule replenishes what Odoo's own forecast lacks, and asking again orders nothing
// more: what is ordered counts, as a draft already.
func TestContractReplenish(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		rule := func(t *testing.T, vendor bool) (odoo.Product, int64) {
			t.Helper()
			p := w.newProduct(t, odoo.ByQuantity)
			if vendor {
				partner, err := w.admin.Create(w.ctx, "res.partner", map[string]any{"name": w.unique("Wholesaler")})
				must(t, err)
				tmpl, err := w.admin.Read(w.ctx, "product.product", []int64{p.ID}, "product_tmpl_id")
				must(t, err)
				_, err = w.admin.Create(w.ctx, "product.supplierinfo", map[string]any{"partner_id": partner[0], "product_tmpl_id": tmpl[0].Int("product_tmpl_id"), "price": 1.0, "delay": 1})
				must(t, err)
			}
			ids, err := w.admin.Create(w.ctx, "stock.warehouse.orderpoint", map[string]any{"product_id": p.ID, "warehouse_id": w.branch.ID, "location_id": w.branch.StockID,
				"product_min_qty": 5.0, "product_max_qty": 20.0, "trigger": "manual"})
			must(t, err)
			return p, ids[0]
		}
		ordered := func(t *testing.T, p odoo.Product) (n int, sum float64) {
			t.Helper()
			rows, err := w.admin.SearchRead(w.ctx, "purchase.order.line", odoo.Query{Domain: odoo.Domain{odoo.Where("product_id", "=", p.ID)}, Fields: []string{"product_qty"}})
			must(t, err)
			for _, r := range rows {
				sum += r.Float("product_qty")
			}
			return len(rows), sum
		}
		p, id := rule(t, true)
		r, err := w.admin.Replenish(w.ctx, id)
		must(t, err)
		if r.Wanted != 20 || r.Left != 0 || r.Order == "" {
			t.Errorf("%+v", r)
		}
		if r, err = w.admin.Replenish(w.ctx, id); err != nil || r != (odoo.Replenished{}) {
			t.Errorf("asked again: %+v %v", r, err)
		}
		if n, sum := ordered(t, p); n != 1 || sum != 20 {
			t.Errorf("%d lines with %v", n, sum)
		}
		t.Run("four at once order once", func(t *testing.T) {
			p, id := rule(t, true)
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					if _, err := w.admin.Replenish(w.ctx, id); err != nil && fault.ClassOf(err) != fault.Transient {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if n, sum := ordered(t, p); n != 1 || sum != 20 {
				t.Errorf("%d lines with %v", n, sum)
			}
		})
		t.Run("nobody to buy it from", func(t *testing.T) {
			p, id := rule(t, false)
			_, err := w.admin.Replenish(w.ctx, id)
			refused(t, err, fault.Data, odoo.CodeRefused)
			if said := odoo.Words(err); !strings.Contains(said, p.Name) || strings.Contains(said, "ir.actions") || strings.Contains(said, "UserError") {
				t.Errorf("Odoo's words: %q", said)
			}
		})
		t.Run("the stock user may not", func(t *testing.T) {
			if !w.stockUser {
				t.Skip("there is no second user")
			}
			p, id := rule(t, true)
			_, err := w.user.Replenish(w.ctx, id)
			refused(t, err, fault.Setup, odoo.CodeRight)
			if n, _ := ordered(t, p); n != 0 {
				t.Error("it was ordered")
			}
		})
		t.Run("a rule that is gone", func(t *testing.T) {
			_, err := w.admin.Replenish(w.ctx, 1<<30)
			refused(t, err, fault.Data, odoo.CodeRefused)
		})
	})
}
