package odootest

import (
	"fmt"
	"net/http"
)

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

// toOrder is what a rule's forecast lacks up to its maximum, once it is below its
// minimum: the stock, what is to come and to go, and what drafts of orders have.
func (d *database) toOrder(rule row) float64 {
	product, place := rule["product_id"], rule["location_id"]
	forecast := 0.0
	for _, id := range d.tables["stock.quant"].by("product_id", product) {
		if q := d.tables["stock.quant"].rows[id]; q["location_id"] == place {
			n, _ := q["quantity"].(float64)
			forecast += n
		}
	}
	for _, id := range d.tables["stock.move"].order {
		m := d.tables["stock.move"].rows[id]
		if m == nil || m["product_id"] != product || m["state"] == "done" || m["state"] == "cancel" || m["state"] == "draft" {
			continue
		}
		n, _ := m["product_uom_qty"].(float64)
		n = d.convert(n, integerOf(m["product_uom"]), d.unitOf(d.tables["product.product"].rows[integerOf(product)]))
		if m["location_dest_id"] == place {
			forecast += n
		}
		if m["location_id"] == place {
			forecast -= n
		}
	}
	for _, line := range d.draftLines(product, place) {
		n, _ := line["product_qty"].(float64)
		forecast += n
	}
	low, _ := rule["product_min_qty"].(float64)
	high, _ := rule["product_max_qty"].(float64)
	if forecast >= low {
		return 0
	}
	return round(max(low, high) - forecast)
}

// draftLines are those of orders that nobody has confirmed, for a product and a place.
func (d *database) draftLines(product, place any) (found []row) {
	orders, types := d.tables["purchase.order"], d.tables["stock.picking.type"]
	for _, id := range d.tables["purchase.order.line"].order {
		line := d.tables["purchase.order.line"].rows[id]
		if line == nil || line["product_id"] != product {
			continue
		}
		o := orders.rows[integerOf(line["order_id"])]
		if o["state"] != "draft" && o["state"] != "sent" {
			continue
		}
		if typ := types.rows[integerOf(o["picking_type_id"])]; typ != nil && typ["default_location_dest_id"] == place {
			found = append(found, line)
		}
	}
	return found
}

// replenish makes the draft of an order for what a rule lacks, and gives what Odoo's
// page would show.
func (d *database) replenish(id int64) (any, error) {
	rule := d.tables["stock.warehouse.orderpoint"].rows[id]
	wanted := d.toOrder(rule)
	if wanted <= 0 {
		return false, nil
	}
	product := d.tables["product.product"].rows[integerOf(rule["product_id"])]
	vendors := d.tables["product.supplierinfo"].by("product_tmpl_id", product["product_tmpl_id"])
	if len(vendors) == 0 {
		return nil, noVendor(d.productName(integerOf(rule["product_id"])))
	}
	warehouse := d.tables["stock.warehouse"].rows[integerOf(rule["warehouse_id"])]
	order, err := d.create(d.models["purchase.order"], map[string]any{"partner_id": d.tables["product.supplierinfo"].rows[vendors[0]]["partner_id"],
		"picking_type_id": warehouse["in_type_id"], "origin": rule["name"], "order_line": []any{[]any{int64(0), int64(0), map[string]any{"product_id": rule["product_id"], "product_qty": wanted}}}})
	if err != nil {
		return nil, err
	}
	return map[string]any{"type": "ir.actions.client", "tag": "display_notification", "params": map[string]any{
		"title": "The following replenishment order has been generated", "message": "%s",
		"links": []any{map[string]any{"label": d.tables["purchase.order"].rows[order]["name"], "url": "#action=1"}}, "sticky": false}}, nil
}

// noVendor is a refusal that shows a way to mend it: the exception as XML-RPC writes it.
func noVendor(product string) error {
	return raise("odoo.exceptions.RedirectWarning", 2, http.StatusInternalServerError,
		`(UserError('There is no matching vendor price to generate the purchase order for product %s (no vendor defined, minimum quantity not reached, dates not valid, ...). Go on the product form and complete the list of vendors.'), {'name': '%s', 'type': 'ir.actions.act_window', 'res_model': 'product.product', 'res_id': 2, 'views': [(333, 'form')]}, 'Edit Product', None)`, product, product)
}

// AddVendor makes somebody of whom a product is bought.
func (s *Server) AddVendor(productID int64) error {
	return s.do(func(d *database) error {
		partner, err := d.create(d.models["res.partner"], map[string]any{"name": "Wholesaler"})
		if err != nil {
			return err
		}
		_, err = d.create(d.models["product.supplierinfo"], map[string]any{"partner_id": partner, "product_tmpl_id": d.tables["product.product"].rows[productID]["product_tmpl_id"]})
		return err
	})
}
