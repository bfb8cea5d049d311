package odootest

import (
	"math"
	"slices"
	"strings"
)

// validate is button_validate: true, an action that asks a person, or a refusal.
func (d *database) validate(picking int64) (any, error) {
	pickings, moves, lines := d.tables["stock.picking"], d.tables["stock.move"], d.tables["stock.move.line"]
	p := pickings.rows[picking]
	if p["state"] == "done" && d.version >= 19 {
		return true, nil
	}
	if p["state"] == "draft" {
		if err := d.confirm(picking); err != nil {
			return nil, err
		}
		for _, id := range moves.by("picking_id", picking) {
			if err := d.fill(id); err != nil {
				return nil, err
			}
		}
	}
	var open []int64
	for _, id := range moves.by("picking_id", picking) {
		if s := moves.rows[id]["state"]; s != "done" && s != "cancel" {
			open = append(open, id)
		}
	}
	if len(moves.by("picking_id", picking)) == 0 && len(lines.by("picking_id", picking)) == 0 {
		return nil, userError("You can’t validate an empty transfer. Please add some products to move before proceeding.")
	}
	anyPicked := slices.ContainsFunc(open, func(id int64) bool { return moves.rows[id]["picked"] == true })
	if !slices.ContainsFunc(open, func(id int64) bool { return math.Abs(d.moved(id)) > 0.001 }) {
		return nil, userError("You cannot validate a transfer if no quantities are reserved nor done. To force the transfer, encode quantities.")
	}
	if err := d.lotsGiven(open, anyPicked); err != nil {
		return nil, err
	}
	if !anyPicked {
		for _, id := range open {
			d.change(moves, id, func(to row) { to["picked"] = true })
			for _, l := range lines.by("move_id", id) {
				d.change(lines, l, func(to row) { to["picked"] = true })
			}
		}
	}
	if d.context["skip_backorder"] != true && slices.ContainsFunc(open, func(id int64) bool { return d.rest(id) > 0.001 }) {
		return d.dialog("stock.backorder.confirmation", "Create Backorder?", picking), nil
	}
	if d.context["skip_expired"] != true && d.expired(picking) {
		return d.dialog("expiry.picking.confirmation", "Confirmation", picking), nil
	}
	return true, d.finish(picking, open)
}

func (d *database) dialog(model, name string, picking int64) any {
	return map[string]any{"type": "ir.actions.act_window", "res_model": model, "name": name, "view_mode": "form", "target": "new",
		"context": map[string]any{"default_pick_ids": []any{[]any{int64(4), picking}}}}
}

// rest is what a move leaves for a backorder.
func (d *database) rest(move int64) float64 {
	m := d.tables["stock.move"].rows[move]
	done := 0.0
	if m["picked"] == true {
		done = d.pickedQuantity(move)
	}
	return round(floatOf(m["product_uom_qty"]) - done)
}

func (d *database) pickedQuantity(move int64) float64 {
	m := d.tables["stock.move"].rows[move]
	sum := 0.0
	for _, id := range d.tables["stock.move.line"].by("move_id", move) {
		if l := d.tables["stock.move.line"].rows[id]; l["picked"] == true {
			sum += d.convert(floatOf(l["quantity"]), integerOf(l["product_uom_id"]), integerOf(m["product_uom"]))
		}
	}
	return round(sum)
}

// fill gives a move that has no lines one for its demand, or one a serial number.
func (d *database) fill(move int64) error {
	m := d.tables["stock.move"].rows[move]
	if d.moved(move) != 0 || floatOf(m["product_uom_qty"]) == 0 {
		return nil
	}
	each, n := floatOf(m["product_uom_qty"]), 1
	if d.tracking(integerOf(m["product_id"])) == "serial" {
		each, n = 1, min(int(each), maxSerials)
	}
	for range n {
		if _, err := d.createLine(d.models["stock.move.line"], row{"move_id": move, "picking_id": m["picking_id"], "quantity": each, "picked": m["picked"] == true}); err != nil {
			return err
		}
	}
	return nil
}

// maxSerials bounds the lines that a client's demand can make us prepare.
const maxSerials = 10_000

func (d *database) lotsGiven(moves []int64, onlyPicked bool) error {
	lines := d.tables["stock.move.line"]
	var without []string
	for _, move := range moves {
		for _, id := range lines.by("move_id", move) {
			l := lines.rows[id]
			if floatOf(l["quantity"]) == 0 || onlyPicked && l["picked"] != true || integerOf(l["lot_id"]) != 0 {
				continue
			}
			if name, _ := l["lot_name"].(string); name != "" {
				continue
			}
			if product := integerOf(l["product_id"]); d.tracking(product) != "none" {
				without = append(without, d.productName(product))
			}
		}
	}
	if len(without) == 0 {
		return nil
	}
	return userError("You need to supply a Lot/Serial number for products %s.", strings.Join(slices.Compact(without), ", "))
}

// expired tells whether a line moves a lot past its expiry. Up to 18 only a lot
// that is known counts, so a receipt of a new expired lot passes.
func (d *database) expired(picking int64) bool {
	lines := d.tables["stock.move.line"]
	now := d.now()
	for _, id := range lines.by("picking_id", picking) {
		l := lines.rows[id]
		lot := d.tables["stock.lot"].rows[integerOf(l["lot_id"])]
		date, _ := lot["expiration_date"].(string)
		if date == "" && d.version >= 19 {
			date, _ = l["expiration_date"].(string)
		}
		if date != "" && date <= now {
			return true
		}
	}
	return false
}

// finish posts the lines and leaves the rest to a backorder.
func (d *database) finish(picking int64, open []int64) error {
	pickings, moves, lines := d.tables["stock.picking"], d.tables["stock.move"], d.tables["stock.move.line"]
	type leftover struct {
		move int64
		rest float64
	}
	var left []leftover
	for _, id := range open {
		if rest := d.rest(id); rest > 0.001 {
			left = append(left, leftover{id, rest})
		}
	}
	for _, id := range open {
		if err := d.orderLineForMove(id, pickings.rows[picking]); err != nil {
			return err
		}
		m := moves.rows[id]
		for _, lid := range lines.by("move_id", id) {
			l := lines.rows[lid]
			if l["picked"] != true || m["picked"] != true || floatOf(l["quantity"]) == 0 {
				d.set(lines, lid, nil)
				continue
			}
			if err := d.useLot(lid); err != nil {
				return err
			}
			if err := d.post(lid); err != nil {
				return err
			}
			d.change(lines, lid, func(to row) { to["date"] = d.now() })
		}
	}
	if err := d.backorder(picking, func(take func(move int64, rest float64) error) error {
		for _, l := range left {
			if err := take(l.move, l.rest); err != nil {
				return err
			}
		}
		return nil
	}, len(left) > 0); err != nil {
		return err
	}
	for _, id := range moves.by("picking_id", picking) {
		if s := moves.rows[id]["state"]; s != "cancel" && s != "done" {
			d.change(moves, id, func(to row) { to["state"], to["date"] = "done", d.now() })
		}
	}
	d.change(pickings, picking, func(to row) { to["state"], to["date_done"] = "done", d.now() })
	return nil
}

// useLot finds or makes the lot that a line names. A lot that is known keeps
// the expiry it has.
func (d *database) useLot(line int64) error {
	lines := d.tables["stock.move.line"]
	l := lines.rows[line]
	name, _ := l["lot_name"].(string)
	if integerOf(l["lot_id"]) != 0 || name == "" || d.tracking(integerOf(l["product_id"])) == "none" {
		return nil
	}
	company := integerOf(l["company_id"])
	lot := d.lotNamed(integerOf(l["product_id"]), company, name)
	if lot == 0 && d.version >= 18 {
		lot = d.lotNamed(integerOf(l["product_id"]), 0, name)
	}
	if lot == 0 {
		var err error
		made := row{"name": name, "product_id": l["product_id"], "company_id": company}
		if date, _ := l["expiration_date"].(string); date != "" {
			made["expiration_date"] = date
		}
		if lot, err = d.createLot(d.models["stock.lot"], made); err != nil {
			return err
		}
	}
	d.change(lines, line, func(to row) { to["lot_id"] = lot })
	return nil
}

// backorder makes the picking for what is left, which each hands to take.
func (d *database) backorder(picking int64, each func(take func(move int64, rest float64) error) error, needed bool) error {
	if !needed {
		return nil
	}
	pickings, moves := d.tables["stock.picking"], d.tables["stock.move"]
	p := pickings.rows[picking]
	copied := row{"backorder_id": picking}
	for _, name := range []string{"picking_type_id", "location_id", "location_dest_id", "origin", "note", "partner_id", "company_id", "purchase_id"} {
		copied[name] = p[name]
	}
	later, err := d.createPicking(d.models["stock.picking"], copied, nil)
	if err != nil {
		return err
	}
	err = each(func(move int64, rest float64) error {
		m := moves.rows[move]
		done := round(floatOf(m["product_uom_qty"]) - rest)
		if done <= 0 {
			// Nothing of it came: the move itself goes over.
			d.change(moves, move, func(to row) {
				to["picking_id"], to["picked"], to["state"] = later, false, "assigned"
				to["reference"] = pickings.rows[later]["name"]
			})
			return d.fill(move)
		}
		d.change(moves, move, func(to row) { to["product_uom_qty"] = done })
		split := row{}
		for k, v := range m {
			switch k {
			case "id", "create_date", "write_date", "picked":
			default:
				split[k] = v
			}
		}
		split["picking_id"], split["product_uom_qty"] = later, rest
		id, err := d.createMove(d.models["stock.move"], split, nil)
		if err != nil {
			return err
		}
		d.change(moves, id, func(to row) { to["state"] = "assigned" })
		return d.fill(id)
	})
	if err != nil {
		return err
	}
	d.settle(later)
	return nil
}

// confirm takes a draft's moves on. Receipts are ready at once; so is, in the
// simulation, everything else.
func (d *database) confirm(picking int64) error {
	moves := d.tables["stock.move"]
	p := d.tables["stock.picking"].rows[picking]
	typ := d.tables["stock.picking.type"].rows[integerOf(p["picking_type_id"])]
	for _, id := range moves.by("picking_id", picking) {
		if moves.rows[id]["state"] != "draft" {
			continue
		}
		d.change(moves, id, func(to row) { to["state"] = "assigned" })
		if typ["code"] == "incoming" {
			if err := d.fill(id); err != nil {
				return err
			}
		}
	}
	d.settle(picking)
	return nil
}

func (d *database) assign(picking int64) error { return d.confirm(picking) }

func (d *database) cancel(picking int64) error {
	moves := d.tables["stock.move"]
	for _, id := range moves.by("picking_id", picking) {
		if moves.rows[id]["state"] == "done" {
			return userError("You cannot cancel a stock move that has been set to 'Done'. Create a return in order to reverse the moves which took place.")
		}
		d.change(moves, id, func(to row) { to["state"] = "cancel" })
		for _, l := range d.tables["stock.move.line"].by("move_id", id) {
			d.set(d.tables["stock.move.line"], l, nil)
		}
	}
	if len(moves.by("picking_id", picking)) == 0 {
		d.change(d.tables["stock.picking"], picking, func(to row) { to["state"] = "cancel" })
		return nil
	}
	d.settle(picking)
	return nil
}
