package odoo_test

import (
	"testing"

	"branchline/internal/fault"
	"branchline/internal/odoo"
)

func TestContractFaults(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		t.Run("a wrong key is a matter of setup", func(t *testing.T) {
			cfg := w.cfg
			cfg.Key = "not-the-key-at-all"
			_, err := client(t, cfg).Warehouses(w.ctx)
			refused(t, err, fault.Setup, odoo.CodeDenied)
		})
		t.Run("a database that is not there is never the user's data", func(t *testing.T) {
			cfg := w.cfg
			cfg.DB = "nosuchdatabase"
			_, err := client(t, cfg).Warehouses(w.ctx)
			if err == nil {
				// A server that is bound to one database ignores the name in JSON-2.
				if cfg.Transport == odoo.JSON2 && w.sim == nil {
					return
				}
				t.Fatal("no error")
			}
			if c := fault.ClassOf(err); c != fault.Transient && c != fault.Setup {
				t.Fatalf("class %v: %v", c, err)
			}
		})
		t.Run("an unknown model is said by fields", func(t *testing.T) {
			fields, err := w.user.Fields(w.ctx, "no.such.model")
			if err != nil || fields != nil {
				t.Fatalf("%v, %v", fields, err)
			}
		})
		t.Run("an unknown field is a defect", func(t *testing.T) {
			_, err := w.user.SearchRead(w.ctx, "stock.picking", odoo.Query{Fields: []string{"no_such_field"}, Limit: 1})
			refused(t, err, fault.Defect, odoo.CodeDefect)
			_, err = w.user.SearchRead(w.ctx, "stock.picking", odoo.Query{Domain: odoo.Domain{odoo.Where("no_such_field", "=", 1)}, Limit: 1})
			refused(t, err, fault.Defect, odoo.CodeDefect)
			_, err = w.user.Create(w.ctx, "stock.lot", map[string]any{"no_such_field": 1, "name": "x"})
			refused(t, err, fault.Defect, odoo.CodeDefect)
		})
		t.Run("a private method is a matter of setup", func(t *testing.T) {
			_, err := w.user.Call(w.ctx, "stock.picking", "_action_done", odoo.Args{IDs: []int64{1}})
			refused(t, err, fault.Setup, odoo.CodeRight)
		})
		t.Run("a record that is gone is refused", func(t *testing.T) {
			err := w.user.Write(w.ctx, "stock.picking", []int64{999999999}, map[string]any{"origin": "x"})
			refused(t, err, fault.Data, odoo.CodeRefused)
			if odoo.Words(err) == "" {
				t.Error("Odoo's own words are lost")
			}
		})
		t.Run("a mandatory field that is missing is refused", func(t *testing.T) {
			_, err := w.admin.Create(w.ctx, "stock.lot", map[string]any{"name": w.unique("L"), "company_id": w.branch.CompanyID})
			refused(t, err, fault.Data, odoo.CodeRefused)
		})
	})
}

func TestContractRights(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		if !w.stockUser {
			t.Skip("ODOO_STOCK_USER and ODOO_STOCK_KEY are not set: no user with Inventory / User only")
		}
		_, err := w.user.SearchRead(w.ctx, "account.move", odoo.Query{Fields: []string{"name"}, Limit: 1})
		refused(t, err, fault.Setup, odoo.CodeRight)
		_, err = w.user.Create(w.ctx, "product.product", map[string]any{"name": "not allowed"})
		refused(t, err, fault.Setup, odoo.CodeRight)
		if _, err := w.user.SearchRead(w.ctx, "purchase.order", odoo.Query{Fields: []string{"name"}, Limit: 1}); err != nil {
			t.Errorf("the stock user cannot read purchase orders: %v", err)
		}
		if _, err := w.user.Packs(w.ctx); err != nil {
			t.Errorf("the stock user cannot read packs: %v", err)
		}
		if _, err := w.user.UoMs(w.ctx); err != nil {
			t.Errorf("the stock user cannot read units: %v", err)
		}
	})
}
