package odootest

import (
	"fmt"
	"math"
)

func (d *database) createPicking(m *model, r row, lists map[string][]any) (int64, error) {
	typ := d.tables["stock.picking.type"].rows[integerOf(r["picking_type_id"])]
	if typ != nil {
		r["company_id"] = typ["company_id"]
		if integerOf(r["location_id"]) == 0 {
			r["location_id"] = typ["default_location_src_id"]
		}
		if integerOf(r["location_dest_id"]) == 0 {
			r["location_dest_id"] = typ["default_location_dest_id"]
		}
		if name, _ := r["name"].(string); name == "" || name == "/" {
			r["name"] = d.nextName(typ)
		}
	}
	if r["scheduled_date"] == nil {
		r["scheduled_date"] = d.now()
	}
	delete(r, "state") // Odoo computes it
	if err := d.complete(m, r); err != nil {
		return 0, err
	}
	if err := d.uniqueName(r, 0); err != nil {
		return 0, err
	}
	id := d.insert(d.tables[m.name], r)
	for _, list := range []string{"move_ids", "move_line_ids"} {
		if err := d.commands(m, id, list, lists[list]); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// uniqueName is the database constraint that makes a name a key.
func (d *database) uniqueName(r row, self int64) error {
	name, named := r["name"].(string)
	if !named {
		return nil
	}
	t := d.tables["stock.picking"]
	company := r["company_id"]
	if self != 0 {
		company = t.rows[self]["company_id"]
	}
	for _, id := range t.index["name"][name] {
		if id != self && t.rows[id]["company_id"] == company {
			return validationError("Reference must be unique per company!")
		}
	}
	return nil
}

func (d *database) nextName(typ row) string {
	code := "WH"
	if w := d.tables["stock.warehouse"].rows[integerOf(typ["warehouse_id"])]; w != nil {
		code, _ = w["code"].(string)
	}
	prefix := fmt.Sprintf("%s/%s/", code, typ["sequence_code"])
	d.sequences[prefix]++
	return fmt.Sprintf("%s%05d", prefix, d.sequences[prefix])
}

func (d *database) createMove(m *model, r row, lists map[string][]any) (int64, error) {
	picking := d.tables["stock.picking"].rows[integerOf(r["picking_id"])]
	product := d.tables["product.product"].rows[integerOf(r["product_id"])]
	if integerOf(r["product_uom"]) == 0 && product != nil {
		r["product_uom"] = d.unitOf(product)
	}
	state := "draft"
	if picking != nil {
		r["company_id"], r["reference"] = picking["company_id"], picking["name"]
		if r["origin"] == nil {
			r["origin"] = picking["origin"]
		}
		for _, name := range []string{"location_id", "location_dest_id"} {
			if integerOf(r[name]) == 0 {
				r[name] = picking[name]
			}
		}
		if picking["state"] == "done" {
			state = "done"
		}
	}
	if r["date"] == nil {
		r["date"] = d.now()
	}
	r["state"] = state
	if err := d.complete(m, r); err != nil {
		return 0, err
	}
	id := d.insert(d.tables[m.name], r)
	if err := d.commands(m, id, "move_line_ids", lists["move_line_ids"]); err != nil {
		return 0, err
	}
	// A move whose lines meet its demand is reserved, hence ready.
	if demand := floatOf(r["product_uom_qty"]); state == "draft" && demand > 0 && d.moved(id) >= demand {
		d.change(d.tables[m.name], id, func(to row) { to["state"] = "assigned" })
	}
	d.settle(integerOf(r["picking_id"]))
	return id, nil
}

func (d *database) createLine(m *model, r row) (int64, error) {
	move := d.tables["stock.move"].rows[integerOf(r["move_id"])]
	picking := d.tables["stock.picking"].rows[integerOf(r["picking_id"])]
	if move != nil {
		// The picking of the move is not taken over: the line stays invisible
		// on the picking unless it names it, as on real servers.
		for _, name := range []string{"product_id", "location_id", "location_dest_id"} {
			if integerOf(r[name]) == 0 {
				r[name] = move[name]
			}
		}
		if integerOf(r["product_uom_id"]) == 0 {
			r["product_uom_id"] = move["product_uom"]
		}
		r["company_id"] = move["company_id"]
	}
	if picking != nil {
		for _, name := range []string{"location_id", "location_dest_id"} {
			if integerOf(r[name]) == 0 {
				r[name] = picking[name]
			}
		}
		r["company_id"] = picking["company_id"]
	}
	product := d.tables["product.product"].rows[integerOf(r["product_id"])]
	if product == nil {
		return 0, validationError("The operation cannot be completed: a move line needs a product")
	}
	if integerOf(r["product_uom_id"]) == 0 {
		r["product_uom_id"] = d.unitOf(product)
	}
	if r["date"] == nil {
		r["date"] = d.now()
	}
	d.lineExpiry(r, product, picking)
	if err := d.lotFits(r); err != nil {
		return 0, err
	}
	if err := d.complete(m, r); err != nil {
		return 0, err
	}
	d.lines++
	if move == nil && picking != nil {
		if err := d.moveForLine(r, picking); err != nil {
			return 0, err
		}
		move = d.tables["stock.move"].rows[integerOf(r["move_id"])]
	}
	id := d.insert(d.tables[m.name], r)
	if r["picked"] == true && move != nil && move["picked"] != true {
		d.change(d.tables["stock.move"], integerOf(r["move_id"]), func(to row) { to["picked"] = true })
	}
	if move != nil && move["state"] == "done" {
		return id, d.post(id)
	}
	return id, nil
}

// lineExpiry is what Odoo supposes of a line that says no expiry: the lot's, or
// for goods that come in the day for which the document is scheduled.
func (d *database) lineExpiry(r, product, picking row) {
	if lot := d.tables["stock.lot"].rows[integerOf(r["lot_id"])]; lot["expiration_date"] != nil && lot["expiration_date"] != "" {
		r["expiration_date"] = lot["expiration_date"]
	}
	if said, _ := r["expiration_date"].(string); said != "" {
		return
	}
	typ := d.tables["stock.picking.type"].rows[integerOf(picking["picking_type_id"])]
	if typ["code"] == "incoming" && d.value(d.models["product.product"], product, "use_expiration_date") == true {
		r["expiration_date"] = picking["scheduled_date"]
	}
}

// lotFits refuses a lot of another product.
func (d *database) lotFits(r row) error {
	lot := d.tables["stock.lot"].rows[integerOf(r["lot_id"])]
	if lot != nil && lot["product_id"] != r["product_id"] {
		return validationError("This lot %s is incompatible with this product %s", lot["name"], d.productName(integerOf(r["product_id"])))
	}
	return nil
}

// moveForLine gives a line that names no move the picking's move of its
// product, or a new one: goods that were not ordered.
func (d *database) moveForLine(r, picking row) error {
	moves := d.tables["stock.move"]
	done := picking["state"] == "done"
	for _, id := range moves.by("picking_id", picking["id"]) {
		if move := moves.rows[id]; move["product_id"] == r["product_id"] && (move["state"] == "done") == done && move["state"] != "cancel" {
			r["move_id"] = id
			return nil
		}
	}
	move := row{"picking_id": picking["id"], "product_id": r["product_id"], "product_uom": r["product_uom_id"], "product_uom_qty": 0.0,
		"location_id": r["location_id"], "location_dest_id": r["location_dest_id"], "picked": r["picked"] == true}
	if d.version < 19 {
		move["name"] = d.productName(integerOf(r["product_id"]))
	}
	id, err := d.createMove(d.models["stock.move"], move, nil)
	if err != nil {
		return err
	}
	r["move_id"] = id
	state, _ := picking["state"].(string)
	if state != "draft" && state != "done" {
		d.change(moves, id, func(to row) { to["state"] = "assigned" })
	}
	return nil
}

func (d *database) writeLine(id int64, r row) error {
	t := d.tables["stock.move.line"]
	old := t.rows[id]
	if d.lineState(old) == "done" {
		for _, name := range []string{"lot_id", "product_id", "location_id", "location_dest_id"} {
			if _, set := r[name]; set {
				return userError("the simulated server changes nothing but the quantity of lines that are done")
			}
		}
		if q, set := r["quantity"].(float64); set {
			if err := d.postQuantity(old, q-floatOf(old["quantity"])); err != nil {
				return err
			}
		}
	}
	d.change(t, id, func(to row) {
		for k, v := range r {
			to[k] = v
		}
	})
	return d.lotFits(t.rows[id])
}

func (d *database) createLot(m *model, r row) (int64, error) {
	if r["company_id"] == nil && d.version < 18 {
		r["company_id"] = d.places.company
	}
	if err := d.complete(m, r); err != nil {
		return 0, err
	}
	// A lot that does not say its expiry gets the product's shelf life, which is
	// no day unless somebody has entered one.
	if _, said := r["expiration_date"]; !said {
		if product := d.tables["product.product"].rows[integerOf(r["product_id"])]; d.value(d.models["product.product"], product, "use_expiration_date") == true {
			r["expiration_date"] = d.now()
		}
	}
	if id := d.lotNamed(integerOf(r["product_id"]), integerOf(r["company_id"]), r["name"]); id != 0 {
		return 0, validationError("The combination of serial number and product must be unique within a company including when no company is defined.\nThe following combinations contain duplicates:\n - Product: %s, Lot/Serial Number: %s",
			d.productName(integerOf(r["product_id"])), r["name"])
	}
	return d.insert(d.tables[m.name], r), nil
}

func (d *database) lotNamed(product, company int64, name any) int64 {
	t := d.tables["stock.lot"]
	for _, id := range t.index["name"][name] {
		if l := t.rows[id]; l["product_id"] == product && integerOf(l["company_id"]) == company {
			return id
		}
	}
	return 0
}

// settle brings a picking's state in line with its moves.
func (d *database) settle(picking int64) {
	t := d.tables["stock.picking"]
	p := t.rows[picking]
	if p == nil {
		return
	}
	state := "draft"
	rank := map[any]int{"cancel": 0, "done": 1, "assigned": 2, "confirmed": 3, "draft": 4}
	best := -1
	for _, id := range d.tables["stock.move"].by("picking_id", picking) {
		s, _ := d.tables["stock.move"].rows[id]["state"].(string)
		if rank[s] > best {
			best, state = rank[s], s
		}
	}
	if p["state"] != state {
		d.change(t, picking, func(to row) { to["state"] = state })
	}
}

// moved is the sum of a move's lines in the move's unit.
func (d *database) moved(move int64) float64 {
	m := d.tables["stock.move"].rows[move]
	sum := 0.0
	for _, id := range d.tables["stock.move.line"].by("move_id", move) {
		l := d.tables["stock.move.line"].rows[id]
		sum += d.convert(floatOf(l["quantity"]), integerOf(l["product_uom_id"]), integerOf(m["product_uom"]))
	}
	return round(sum)
}

func (d *database) lineState(r row) string {
	if m := d.tables["stock.move"].rows[integerOf(r["move_id"])]; m != nil {
		s, _ := m["state"].(string)
		return s
	}
	return "draft"
}

// convert turns a quantity of one unit into another of the same family.
func (d *database) convert(q float64, from, to int64) float64 {
	if from == to || from == 0 || to == 0 {
		return q
	}
	return round(q * d.ratio(from) / d.ratio(to))
}

func (d *database) ratio(unit int64) float64 {
	f := floatOf(d.tables["uom.uom"].rows[unit]["factor"])
	if f == 0 {
		return 1
	}
	if d.version < 19 {
		return 1 / f
	}
	return f
}

// post moves what a line says from its source to its destination.
func (d *database) post(line int64) error {
	l := d.tables["stock.move.line"].rows[line]
	return d.postQuantity(l, floatOf(l["quantity"]))
}

// postQuantity moves so much of what a line says; what is negative, back.
func (d *database) postQuantity(l row, n float64) error {
	product := d.tables["product.product"].rows[integerOf(l["product_id"])]
	if !d.storable(product) {
		return nil
	}
	q := d.convert(n, integerOf(l["product_uom_id"]), d.unitOf(product))
	if err := d.addStock(integerOf(l["location_id"]), integerOf(l["product_id"]), integerOf(l["lot_id"]), -q); err != nil {
		return err
	}
	return d.addStock(integerOf(l["location_dest_id"]), integerOf(l["product_id"]), integerOf(l["lot_id"]), q)
}

// addStock changes what lies at a location. One serial number is at most one
// unit there, or one missing.
func (d *database) addStock(location, product, lot int64, q float64) error {
	t := d.tables["stock.quant"]
	ids := t.index["location_id"][location]
	if other := t.index["product_id"][product]; len(other) < len(ids) {
		ids = other
	}
	sum, found := q, int64(0)
	for _, id := range ids {
		if r := t.rows[id]; r["product_id"] == product && r["location_id"] == location && integerOf(r["lot_id"]) == lot {
			sum += floatOf(r["quantity"])
			found = id
		}
	}
	place := d.tables["stock.location"].rows[location]
	if lot != 0 && math.Abs(sum) > 1.0001 && place["usage"] != "inventory" && d.tracking(product) == "serial" {
		return validationError("The serial number has already been assigned: \n Product: %s, Serial Number: %s", d.productName(product), d.tables["stock.lot"].rows[lot]["name"])
	}
	d.additions++
	if found != 0 && (!d.splitQuants || d.additions%3 == 0) {
		d.change(t, found, func(to row) { to["quantity"] = round(floatOf(to["quantity"]) + q) })
		return nil
	}
	d.insert(t, row{"location_id": location, "product_id": product, "lot_id": lot, "quantity": round(q), "reserved_quantity": 0.0,
		"company_id": place["company_id"], "in_date": d.now()})
	return nil
}

func (d *database) storable(product row) bool {
	m := d.models["product.product"]
	return d.value(m, product, "is_storable") == true || d.version < 18 && d.value(m, product, "detailed_type") == "product"
}

func (d *database) tracking(product int64) string {
	s, _ := d.value(d.models["product.product"], d.tables["product.product"].rows[product], "tracking").(string)
	return s
}

func (d *database) unitOf(product row) int64 {
	return integerOf(d.value(d.models["product.product"], product, "uom_id"))
}

func (d *database) productName(id int64) string {
	r := d.tables["product.product"].rows[id]
	if r == nil {
		return ""
	}
	s, _ := d.value(d.models["product.product"], r, "display_name").(string)
	return s
}

// round cuts the noise of binary fractions, as Odoo's float_round does.
func round(f float64) float64 { return math.Round(f*1e6) / 1e6 }

func integerOf(v any) int64 {
	n, _ := v.(int64)
	return n
}

func floatOf(v any) float64 {
	f, _ := v.(float64)
	return f
}
