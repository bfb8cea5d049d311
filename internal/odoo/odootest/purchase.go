package odootest

import "fmt"

func (d *database) createOrder(m *model, r row, lists map[string][]any) (int64, error) {
	if name, _ := r["name"].(string); name == "" {
		d.sequences["P"]++
		r["name"] = fmt.Sprintf("P%05d", d.sequences["P"])
	}
	if integerOf(r["company_id"]) == 0 {
		r["company_id"] = d.places.company
	}
	if integerOf(r["picking_type_id"]) == 0 {
		for _, id := range d.tables["stock.picking.type"].order {
			if t := d.tables["stock.picking.type"].rows[id]; t != nil && t["code"] == "incoming" {
				r["picking_type_id"] = id
				break
			}
		}
	}
	if r["date_order"] == nil {
		r["date_order"] = d.now()
	}
	if err := d.complete(m, r); err != nil {
		return 0, err
	}
	id := d.insert(d.tables[m.name], r)
	return id, d.commands(m, id, "order_line", lists["order_line"])
}

func (d *database) lineDefaults(r row) {
	unit := "product_uom"
	if d.version >= 19 {
		unit = "product_uom_id"
	}
	if product := d.tables["product.product"].rows[integerOf(r["product_id"])]; product != nil {
		if integerOf(r[unit]) == 0 {
			r[unit] = d.unitOf(product)
		}
		if r["name"] == nil {
			r["name"] = d.productName(integerOf(r["product_id"]))
		}
	}
}

// order confirms a purchase order: its receipt is ready, with one line a move
// prepared and without a lot.
func (d *database) order(id int64) error {
	orders, orderLines := d.tables["purchase.order"], d.tables["purchase.order.line"]
	o := orders.rows[id]
	if s := o["state"]; s != "draft" && s != "sent" {
		return nil
	}
	d.change(orders, id, func(to row) { to["state"] = "purchase" })
	typ := d.tables["stock.picking.type"].rows[integerOf(o["picking_type_id"])]
	picking, err := d.createPicking(d.models["stock.picking"], row{"picking_type_id": o["picking_type_id"], "location_id": d.places.suppliers,
		"location_dest_id": typ["default_location_dest_id"], "origin": o["name"], "partner_id": o["partner_id"], "purchase_id": id}, nil)
	if err != nil {
		return err
	}
	for _, lid := range orderLines.by("order_id", id) {
		l := orderLines.rows[lid]
		unit := l["product_uom"]
		if d.version >= 19 {
			unit = l["product_uom_id"]
		}
		move := row{"picking_id": picking, "product_id": l["product_id"], "product_uom_qty": l["product_qty"], "product_uom": unit, "purchase_line_id": lid}
		if d.version < 19 {
			move["name"] = l["name"]
		}
		if _, err := d.createMove(d.models["stock.move"], move, nil); err != nil {
			return err
		}
	}
	return d.confirm(picking)
}

// received is what has come of an order line, in the line's unit.
func (d *database) received(line int64) float64 {
	sum := 0.0
	for _, id := range d.tables["stock.move"].by("purchase_line_id", line) {
		if d.tables["stock.move"].rows[id]["state"] == "done" {
			sum += d.moved(id)
		}
	}
	return round(sum)
}

// orderLineForMove adds goods that were not ordered to the purchase order, as
// 19 does; before, the move stands alone.
func (d *database) orderLineForMove(move int64, picking row) error {
	order := integerOf(picking["purchase_id"])
	m := d.tables["stock.move"].rows[move]
	if d.version < 19 || order == 0 || integerOf(m["purchase_line_id"]) != 0 {
		return nil
	}
	if d.as < admin {
		return accessError("You are not allowed to create 'Purchase Order Line' (purchase.order.line) records.\n\nThis operation is allowed for the following groups:\n\t- Purchase/Administrator\n\t- Purchase/User\n\nContact your administrator to request access if necessary.")
	}
	id, err := d.create(d.models["purchase.order.line"], map[string]any{"order_id": order, "product_id": m["product_id"], "product_qty": 0.0})
	if err != nil {
		return err
	}
	d.change(d.tables["stock.move"], move, func(to row) { to["purchase_line_id"] = id })
	return nil
}
