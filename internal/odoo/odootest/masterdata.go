package odootest

import "strings"

// install makes what a fresh database of Odoo has: one company, its locations,
// units, and one warehouse.
func (d *database) install() {
	d.tx = &transaction{}
	d.as = admin
	defer func() { d.tx = nil }()
	must := func(model string, vals map[string]any) int64 {
		id, err := d.create(d.models[model], vals)
		if err != nil {
			panic("odootest: " + model + ": " + err.Error()) // our own constants
		}
		return id
	}
	d.places.company = must("res.company", map[string]any{"name": "My Company"})
	d.places.partner = must("res.partner", map[string]any{"name": "My Company"})
	must("res.users", map[string]any{"name": "OdooBot", "login": "__system__", "active": false})
	must("res.users", map[string]any{"name": "Mitchell Admin", "login": "admin"})
	d.tables["res.users"].next = stockUID
	must("res.users", map[string]any{"name": "Branchline", "login": "branchline"})
	if d.version >= 19 {
		d.places.units = must("uom.uom", map[string]any{"name": "Units"})
		must("uom.uom", map[string]any{"name": "Pack of 6", "relative_uom_id": d.places.units, "relative_factor": 6.0, "factor": 6.0})
		must("uom.uom", map[string]any{"name": "Dozens", "relative_uom_id": d.places.units, "relative_factor": 12.0, "factor": 12.0})
	} else {
		unit := must("uom.category", map[string]any{"name": "Unit"})
		d.places.units = must("uom.uom", map[string]any{"name": "Units", "category_id": unit})
		must("uom.uom", map[string]any{"name": "Dozens", "category_id": unit, "uom_type": "bigger", "factor": 1.0 / 12})
	}
	place := func(name, usage string, own, active, scrap bool) int64 {
		vals := map[string]any{"name": name, "usage": usage, "active": active}
		if own {
			vals["company_id"] = d.places.company
		}
		if d.version < 19 {
			vals["scrap_location"] = scrap
		}
		return must("stock.location", vals)
	}
	d.places.suppliers = place("Vendors", "supplier", false, true, false)
	d.places.customers = place("Customers", "customer", false, true, false)
	place("Inter-company transit", "transit", false, false, false)
	d.places.transit = place("Inter-warehouse transit", "transit", true, false, false)
	d.places.inventory = place("Inventory adjustment", "inventory", true, true, false)
	d.places.scrap = d.places.inventory
	if d.version < 19 {
		d.places.scrap = place("Scrap", "inventory", true, true, true)
	}
	must("stock.warehouse", map[string]any{"name": "My Company", "code": "WH"})
}

// createProduct makes the variant and the template behind it.
func (d *database) createProduct(m *model, r row) (int64, error) {
	if integerOf(r["product_tmpl_id"]) == 0 {
		tmpl := row{}
		moveRelated(m, r, tmpl)
		if integerOf(tmpl["uom_id"]) == 0 {
			tmpl["uom_id"] = d.places.units
		}
		if err := d.complete(d.models["product.template"], tmpl); err != nil {
			return 0, err
		}
		r["product_tmpl_id"] = d.insert(d.tables["product.template"], tmpl)
	}
	if err := d.complete(m, r); err != nil {
		return 0, err
	}
	if code, _ := r["barcode"].(string); code != "" && len(d.tables[m.name].index["barcode"][code]) > 0 {
		return 0, validationError("Barcode(s) already assigned:\n\n- Barcode %q already assigned to product(s): %s", code, d.productName(d.tables[m.name].index["barcode"][code][0]))
	}
	return d.insert(d.tables[m.name], r), nil
}

// createWarehouse makes a branch with its locations and operation types.
func (d *database) createWarehouse(m *model, r row) (int64, error) {
	if integerOf(r["company_id"]) == 0 {
		r["company_id"] = d.places.company
	}
	if err := d.complete(m, r); err != nil {
		return 0, err
	}
	code, _ := r["code"].(string)
	if len(code) > 5 {
		code = code[:5]
		r["code"] = code
	}
	for _, id := range d.tables[m.name].order {
		if w := d.tables[m.name].rows[id]; w != nil && (w["code"] == code || w["name"] == r["name"]) && w["company_id"] == r["company_id"] {
			return 0, validationError("The code or the name of the warehouse must be unique per company!")
		}
	}
	view := d.insert(d.tables["stock.location"], row{"name": strings.ToUpper(code), "usage": "view", "active": true, "company_id": r["company_id"]})
	stock := d.insert(d.tables["stock.location"], row{"name": "Stock", "usage": "internal", "active": true, "location_id": view, "company_id": r["company_id"]})
	r["view_location_id"], r["lot_stock_id"] = view, stock
	id := d.insert(d.tables[m.name], r)
	types := row{}
	for _, t := range []struct {
		field, name, code, sequence string
		from, to                    int64
	}{
		{"in_type_id", "Receipts", "incoming", "IN", d.places.suppliers, stock},
		{"out_type_id", "Delivery Orders", "outgoing", "OUT", stock, d.places.customers},
		{"int_type_id", "Internal Transfers", "internal", "INT", stock, stock},
	} {
		types[t.field] = d.insert(d.tables["stock.picking.type"], row{"name": t.name, "code": t.code, "sequence_code": t.sequence, "warehouse_id": id,
			"company_id": r["company_id"], "default_location_src_id": t.from, "default_location_dest_id": t.to, "active": true})
	}
	d.change(d.tables[m.name], id, func(to row) {
		for k, v := range types {
			to[k] = v
		}
	})
	return id, nil
}
