package odoo_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/odoo"
)

func TestContractProducts(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		lot, plain := w.newProduct(t, odoo.ByLot), w.newProduct(t, odoo.ByQuantity)
		if lot.Tracking != odoo.ByLot || !lot.Expires || !lot.Storable || !lot.Active || lot.UoM.ID == 0 || lot.Barcode == "" || lot.Code == "" {
			t.Errorf("the product tracked by lot reads as %+v", lot)
		}
		if plain.Tracking != odoo.ByQuantity || plain.Expires || !plain.Storable {
			t.Errorf("the plain product reads as %+v", plain)
		}
		if slices.Contains([]byte(plain.Name), '[') {
			t.Errorf("the code is part of the name: %q", plain.Name)
		}
		must(t, w.admin.Write(w.ctx, "product.product", []int64{plain.ID}, map[string]any{"active": false}))
		changed, err := w.user.Products(w.ctx, time.Now().Add(-10*time.Minute))
		must(t, err)
		i := slices.IndexFunc(changed, func(p odoo.Product) bool { return p.ID == plain.ID })
		if i < 0 || changed[i].Active {
			t.Error("an archived product is not among the changed ones, as inactive")
		}
		changed, err = w.user.Products(w.ctx, time.Now().Add(time.Hour))
		must(t, err)
		if len(changed) != 0 {
			t.Errorf("%d products changed in the future", len(changed))
		}
		all, err := w.user.Products(w.ctx, time.Time{})
		must(t, err)
		if !slices.IsSortedFunc(all, func(a, b odoo.Product) int { return int(a.ID - b.ID) }) || !slices.ContainsFunc(all, func(p odoo.Product) bool { return p.ID == lot.ID }) {
			t.Error("all products are not all, or not in order")
		}
	})
}

func TestContractUnits(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		p := w.newProduct(t, odoo.ByQuantity)
		units, err := w.user.UoMs(w.ctx)
		must(t, err)
		var unit, dozen odoo.UoM
		for _, u := range units {
			if u.ID == p.UoM.ID {
				unit = u
			}
		}
		for _, u := range units {
			if u.Family == unit.Family && odoo.SameNumber(u.Ratio/unit.Ratio, 12) {
				dozen = u
			}
		}
		if unit.ID == 0 || dozen.ID == 0 || unit.Rounding <= 0 {
			t.Fatalf("no unit and dozen of one family among %+v", units)
		}
		t.Run("a document in another unit moves the product's own", func(t *testing.T) {
			_, v := w.post(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers, odoo.Confirm{}, odoo.NewMove{ProductID: p.ID, Quantity: 2, UoMID: dozen.ID})
			if got := w.onHand(t, w.branch.StockID, p); !v.Done() || !odoo.SameNumber(got[""], -24) {
				t.Errorf("%+v, two dozen moved %v", v, got)
			}
		})
		t.Run("a pack has a barcode and a quantity", func(t *testing.T) {
			code := w.unique("PACK")
			has, err := w.admin.Fields(w.ctx, "product.packaging")
			must(t, err)
			if has != nil {
				_, err = w.admin.Create(w.ctx, "product.packaging", map[string]any{"name": "Carton", "product_id": p.ID, "barcode": code, "qty": 12})
			} else {
				_, err = w.admin.Create(w.ctx, "product.uom", map[string]any{"product_id": p.ID, "barcode": code, "uom_id": dozen.ID})
			}
			must(t, err)
			packs, err := w.user.Packs(w.ctx)
			must(t, err)
			i := slices.IndexFunc(packs, func(k odoo.Pack) bool { return k.Barcode == code })
			if i < 0 || packs[i].ProductID != p.ID || packs[i].Quantity != 12 && packs[i].UoM.ID != dozen.ID {
				t.Errorf("the pack is not what was made: %d %+v", i, packs)
			}
		})
	})
}

func TestContractLots(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		p, other := w.newProduct(t, odoo.ByLot), w.newProduct(t, odoo.ByLot)
		name := w.unique("L")
		id, err := w.user.CreateLot(w.ctx, p.ID, w.branch.CompanyID, name, day(2))
		must(t, err)
		l, found, err := w.user.LotByName(w.ctx, p.ID, w.branch.CompanyID, name)
		must(t, err)
		if !found || l.ID != id || l.ProductID != p.ID || !l.Expires.Equal(day(2)) || l.Name != name {
			t.Errorf("the lot reads as %v %+v", found, l)
		}
		_, err = w.user.CreateLot(w.ctx, p.ID, w.branch.CompanyID, name, time.Time{})
		refused(t, err, fault.Data, odoo.CodeRefused)
		if _, err := w.user.CreateLot(w.ctx, other.ID, w.branch.CompanyID, name, time.Time{}); err != nil {
			t.Errorf("another product cannot have a lot of the same name: %v", err)
		}
		// Lots differ by case.
		if _, found, err := w.user.LotByName(w.ctx, p.ID, w.branch.CompanyID, "l"+name[1:]); err != nil || found {
			t.Errorf("the lot was found in lower case: %v", err)
		}
		t.Run("a lot without an expiry has none, unless it is left to Odoo", func(t *testing.T) {
			made, err := w.user.EnsureLot(w.ctx, other.ID, w.branch.CompanyID, name, day(1))
			must(t, err)
			if !made.Expires.IsZero() {
				t.Errorf("it expires %v", made.Expires)
			}
			ids, err := w.user.Create(w.ctx, "stock.lot", map[string]any{"name": w.unique("L"), "product_id": w.newProduct(t, odoo.ByLot).ID, "company_id": w.branch.CompanyID})
			must(t, err)
			rows, err := w.user.Read(w.ctx, "stock.lot", ids, "expiration_date")
			must(t, err)
			if at := rows[0].Time("expiration_date"); time.Since(at).Abs() > 24*time.Hour {
				t.Errorf("left to Odoo it expires %v", at)
			}
		})
		t.Run("a lot that several ensure is made once", func(t *testing.T) {
			fresh := w.unique("L")
			ids := make([]int64, 3)
			var wg sync.WaitGroup
			for i := range ids {
				wg.Go(func() {
					lot, err := w.user.EnsureLot(w.ctx, p.ID, w.branch.CompanyID, fresh, day(2))
					if err != nil {
						t.Error(err)
					}
					ids[i] = lot.ID
				})
			}
			wg.Wait()
			if ids[0] == 0 || ids[0] != ids[1] || ids[0] != ids[2] {
				t.Errorf("lots %v", ids)
			}
		})
		lots, err := w.user.Lots(w.ctx, []int64{p.ID, other.ID})
		must(t, err)
		if len(lots) != 3 {
			t.Errorf("lots of two products: %+v", lots)
		}
		changed, err := w.user.LotsChanged(w.ctx, time.Now().Add(-10*time.Minute))
		must(t, err)
		if !slices.ContainsFunc(changed, func(l odoo.Lot) bool { return l.ID == id }) {
			t.Error("a new lot is not among the changed ones")
		}
	})
}
