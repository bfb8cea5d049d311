package odootest

// createQuant is what a person does who enters what was counted at a place: it
// finds the row of the product and lot there, or makes it, and keeps the count
// until it is applied.
func (d *database) createQuant(m *model, r row) (int64, error) {
	if err := d.complete(m, r); err != nil {
		return 0, err
	}
	t := d.tables[m.name]
	for _, id := range t.by("product_id", r["product_id"]) {
		if q := t.rows[id]; q["location_id"] == r["location_id"] && integerOf(q["lot_id"]) == integerOf(r["lot_id"]) {
			d.change(t, id, func(to row) { to["inventory_quantity"] = r["inventory_quantity"] })
			return id, nil
		}
	}
	r["quantity"], r["reserved_quantity"], r["in_date"] = 0.0, 0.0, d.now()
	return d.insert(t, r), nil
}

// applyCount makes the stock what was counted, by a move without a picking.
func (d *database) applyCount(quant int64) error {
	q := d.tables["stock.quant"].rows[quant]
	off := round(floatOf(q["inventory_quantity"]) - floatOf(q["quantity"]))
	d.change(d.tables["stock.quant"], quant, func(to row) { delete(to, "inventory_quantity") })
	if off == 0 {
		return nil
	}
	from, to, n := d.places.inventory, integerOf(q["location_id"]), off
	if off < 0 {
		from, to, n = to, from, -off
	}
	product := integerOf(q["product_id"])
	unit := d.unitOf(d.tables["product.product"].rows[product])
	places := row{"location_id": from, "location_dest_id": to, "product_id": product, "company_id": d.places.company, "picked": true, "date": d.now()}
	move := row{"product_uom_qty": n, "product_uom": unit, "state": "done", "reference": "Product Quantity Updated"}
	line := row{"quantity": n, "product_uom_id": unit, "lot_id": q["lot_id"]}
	for k, v := range places {
		move[k], line[k] = v, v
	}
	if d.version < 19 {
		move["name"] = move["reference"]
	}
	line["move_id"] = d.insert(d.tables["stock.move"], move)
	return d.post(d.insert(d.tables["stock.move.line"], line))
}

// Undo cancels a document that is done and takes its stock back, as modules do that
// add this to Odoo; Odoo itself does not.
func (s *Server) Undo(picking int64) error {
	return s.do(func(d *database) error {
		moves, lines := d.tables["stock.move"], d.tables["stock.move.line"]
		for _, m := range moves.by("picking_id", picking) {
			for _, l := range lines.by("move_id", m) {
				r := lines.rows[l]
				if err := d.postQuantity(r, -floatOf(r["quantity"])); err != nil {
					return err
				}
			}
			d.change(moves, m, func(to row) { to["state"] = "cancel" })
		}
		d.change(d.tables["stock.picking"], picking, func(to row) { to["state"] = "cancel" })
		return nil
	})
}
