package odootest

import "fmt"

// createOrderPoint makes a reordering rule. A database constraint keeps one, archived
// or not, for a product, place and company.
func (d *database) createOrderPoint(m *model, r row) (int64, error) {
	if integerOf(r["company_id"]) == 0 {
		r["company_id"] = d.places.company
	}
	if name, _ := r["name"].(string); name == "" {
		d.sequences["OP"]++
		r["name"] = fmt.Sprintf("OP/%05d", d.sequences["OP"])
	}
	if integerOf(r["location_id"]) == 0 {
		r["location_id"] = d.tables["stock.warehouse"].rows[integerOf(r["warehouse_id"])]["lot_stock_id"]
	}
	if err := d.complete(m, r); err != nil {
		return 0, err
	}
	t := d.tables[m.name]
	for _, id := range t.by("product_id", r["product_id"]) {
		if o := t.rows[id]; o["location_id"] == r["location_id"] && o["company_id"] == r["company_id"] {
			return 0, validationError("A replenishment rule already exists for this product on this location.")
		}
	}
	return d.insert(t, r), nil
}

// AddOrderPoint makes a reordering rule for a branch's stock and gives its id.
func (s *Server) AddOrderPoint(b Branch, productID int64, low, high float64) (id int64, err error) {
	err = s.do(func(d *database) error {
		id, err = d.create(d.models["stock.warehouse.orderpoint"], map[string]any{"product_id": productID, "warehouse_id": b.ID, "location_id": b.StockID,
			"product_min_qty": low, "product_max_qty": high})
		return err
	})
	return id, err
}
