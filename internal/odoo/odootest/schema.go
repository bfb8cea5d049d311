package odootest

// kind is a field's type in Odoo's words.
type kind string

const (
	char      kind = "char"
	text      kind = "text"
	html      kind = "html"
	boolean   kind = "boolean"
	integer   kind = "integer"
	float     kind = "float"
	datetime  kind = "datetime"
	selection kind = "selection"
	many2one  kind = "many2one"
	one2many  kind = "one2many"
	many2many kind = "many2many"
)

type field struct {
	kind     kind
	relation string
	// inverse is the many2one of the relation that a one2many lists.
	inverse  string
	required bool
	indexed  bool
	choices  []string
	// initial is the value of a new record that does not name one.
	initial any
	// compute makes the field one that is not stored.
	compute func(d *database, r row) any
	// path is where a related field really lies, for searching.
	path string
}

type model struct {
	name   string
	title  string
	fields map[string]*field
	// write is the kind of user that may create and change records; everybody
	// may read unless readers says otherwise.
	writers, readers role
}

type role int

const (
	everyone role = iota
	stockUser
	admin
)

func m2o(relation string) *field     { return &field{kind: many2one, relation: relation} }
func ref(relation string) *field     { return &field{kind: many2one, relation: relation, indexed: true} }
func o2m(relation, by string) *field { return &field{kind: one2many, relation: relation, inverse: by} }
func needed(f *field) *field         { f.required = true; return f }
func first(f *field, v any) *field   { f.initial = v; return f }
func computed(k kind, relation string, f func(d *database, r row) any) *field {
	return &field{kind: k, relation: relation, compute: f}
}

// related reads a field of the record that a many2one (via) points to.
func related(k kind, relation, via, of, name string) *field {
	return &field{kind: k, relation: relation, path: via + "." + name, compute: func(d *database, r row) any {
		id, _ := r[via].(int64)
		other := d.tables[of].rows[id]
		if other == nil {
			return nil
		}
		return d.value(d.models[of], other, name)
	}}
}

var pickingStates = []string{"draft", "waiting", "confirmed", "assigned", "done", "cancel"}

// models are those of a server of one version.
func models(version int) map[string]*model {
	all := map[string]*model{}
	add := func(name, title string, readers, writers role, fields map[string]*field) *model {
		m := &model{name: name, title: title, fields: fields, readers: readers, writers: writers}
		fields["id"] = &field{kind: integer}
		fields["create_date"] = &field{kind: datetime}
		fields["write_date"] = &field{kind: datetime}
		if fields["display_name"] == nil {
			fields["display_name"] = computed(char, "", func(d *database, r row) any { return r["name"] })
		}
		all[name] = m
		return m
	}
	active := func() *field { return first(&field{kind: boolean}, true) }
	add("res.company", "Companies", everyone, admin, map[string]*field{"name": needed(&field{kind: char})})
	add("res.partner", "Contact", everyone, admin, map[string]*field{"name": needed(&field{kind: char}), "active": active()})
	add("res.users", "User", everyone, admin, map[string]*field{"name": needed(&field{kind: char}), "login": needed(&field{kind: char}), "active": active()})
	add("account.move", "Journal Entry", admin, admin, map[string]*field{"name": {kind: char}})
	uom := map[string]*field{"name": needed(&field{kind: char}), "rounding": first(&field{kind: float}, 0.01), "factor": first(&field{kind: float}, 1.0), "active": active()}
	if version >= 19 {
		uom["relative_uom_id"] = m2o("uom.uom")
		uom["relative_factor"] = first(&field{kind: float}, 1.0)
	} else {
		uom["category_id"] = needed(m2o("uom.category"))
		uom["uom_type"] = first(&field{kind: selection, choices: []string{"bigger", "reference", "smaller"}}, "reference")
		add("uom.category", "Product UoM Categories", everyone, admin, map[string]*field{"name": needed(&field{kind: char})})
	}
	add("uom.uom", "Product Unit of Measure", everyone, admin, uom)
	addProducts(version, add)
	addPlaces(version, add)
	addDocuments(version, add)
	return all
}

type adder func(name, title string, readers, writers role, fields map[string]*field) *model

func addProducts(version int, add adder) {
	template := map[string]*field{
		"name": needed(&field{kind: char}), "active": first(&field{kind: boolean}, true), "uom_id": needed(m2o("uom.uom")),
		"tracking":            first(&field{kind: selection, choices: []string{"serial", "lot", "none"}}, "none"),
		"use_expiration_date": {kind: boolean}, "company_id": m2o("res.company"), "list_price": first(&field{kind: float}, 1.0),
		"property_stock_inventory": computed(many2one, "stock.location", func(d *database, _ row) any { return d.places.inventory }),
		"uom_po_id":                m2o("uom.uom"),
	}
	if version >= 18 {
		template["type"] = first(&field{kind: selection, choices: []string{"consu", "service", "combo"}}, "consu")
		template["is_storable"] = &field{kind: boolean}
	} else {
		template["type"] = computed(selection, "", func(_ *database, r row) any { return r["detailed_type"] })
		template["detailed_type"] = first(&field{kind: selection, choices: []string{"consu", "service", "product"}}, "consu")
	}
	if version >= 19 {
		delete(template, "uom_po_id")
	}
	product := map[string]*field{
		"product_tmpl_id": needed(ref("product.template")), "default_code": {kind: char, indexed: true}, "barcode": {kind: char, indexed: true},
		"active": first(&field{kind: boolean}, true),
		"display_name": computed(char, "", func(d *database, r row) any {
			name, _ := d.value(d.models["product.product"], r, "name").(string)
			if code, _ := r["default_code"].(string); code != "" && d.context["display_default_code"] != false {
				return "[" + code + "] " + name
			}
			return name
		}),
	}
	for name, f := range template {
		if _, own := product[name]; !own {
			product[name] = related(f.kind, f.relation, "product_tmpl_id", "product.template", name)
			product[name].choices = f.choices
		}
	}
	add("product.template", "Product", everyone, admin, template)
	add("product.product", "Product Variant", everyone, admin, product)
	if version >= 19 {
		add("product.uom", "Link between products and their UoMs", everyone, admin, map[string]*field{
			"uom_id": needed(m2o("uom.uom")), "product_id": needed(ref("product.product")), "barcode": needed(&field{kind: char}),
			"company_id": m2o("res.company"), "display_name": computed(char, "", func(_ *database, r row) any { return r["barcode"] })})
		return
	}
	add("product.packaging", "Product Packaging", everyone, admin, map[string]*field{
		"name": needed(&field{kind: char}), "product_id": needed(ref("product.product")), "barcode": {kind: char},
		"qty": first(&field{kind: float}, 1.0), "company_id": m2o("res.company")})
}

func addPlaces(version int, add adder) {
	location := map[string]*field{
		"name": needed(&field{kind: char}), "active": first(&field{kind: boolean}, true), "location_id": ref("stock.location"), "company_id": m2o("res.company"),
		"usage":         first(&field{kind: selection, choices: []string{"supplier", "view", "internal", "customer", "inventory", "production", "transit"}}, "internal"),
		"complete_name": computed(char, "", func(d *database, r row) any { return d.placeName(r) }),
		"display_name":  computed(char, "", func(d *database, r row) any { return d.placeName(r) }),
	}
	if version < 19 {
		location["scrap_location"] = &field{kind: boolean}
	}
	add("stock.location", "Inventory Locations", everyone, admin, location)
	add("stock.picking.type", "Picking Type", everyone, admin, map[string]*field{
		"name": needed(&field{kind: char}), "code": needed(&field{kind: selection, choices: []string{"incoming", "outgoing", "internal"}}),
		"sequence_code": needed(&field{kind: char}), "warehouse_id": m2o("stock.warehouse"), "company_id": needed(m2o("res.company")),
		"default_location_src_id": m2o("stock.location"), "default_location_dest_id": m2o("stock.location"), "active": first(&field{kind: boolean}, true),
	})
	add("stock.warehouse", "Warehouse", everyone, admin, map[string]*field{
		"name": needed(&field{kind: char}), "code": needed(&field{kind: char}), "company_id": needed(m2o("res.company")), "active": first(&field{kind: boolean}, true),
		"lot_stock_id": m2o("stock.location"), "view_location_id": m2o("stock.location"), "in_type_id": m2o("stock.picking.type"),
		"out_type_id": m2o("stock.picking.type"), "int_type_id": m2o("stock.picking.type"),
	})
	add("stock.lot", "Lot/Serial", everyone, stockUser, map[string]*field{
		"name": needed(&field{kind: char, indexed: true}), "product_id": needed(ref("product.product")), "company_id": m2o("res.company"),
		"expiration_date": {kind: datetime}, "ref": {kind: char},
	})
	add("stock.warehouse.orderpoint", "Minimum Inventory Rule", stockUser, admin, map[string]*field{
		"name": {kind: char}, "product_id": needed(ref("product.product")), "warehouse_id": needed(m2o("stock.warehouse")), "location_id": needed(m2o("stock.location")),
		"company_id": needed(m2o("res.company")), "product_min_qty": first(&field{kind: float}, 0.0), "product_max_qty": first(&field{kind: float}, 0.0),
		"trigger": first(&field{kind: selection, choices: []string{"auto", "manual"}}, "auto"), "active": first(&field{kind: boolean}, true),
		"qty_to_order": computed(float, "", func(d *database, r row) any { return d.toOrder(r) }),
	})
	add("stock.quant", "Quants", everyone, stockUser, map[string]*field{
		"product_id": needed(ref("product.product")), "location_id": needed(ref("stock.location")), "lot_id": ref("stock.lot"), "company_id": m2o("res.company"),
		"quantity": {kind: float}, "reserved_quantity": {kind: float}, "in_date": {kind: datetime}, "inventory_quantity": {kind: float},
		"display_name": computed(char, "", func(*database, row) any { return "" }),
	})
}

func addDocuments(version int, add adder) {
	add("stock.picking", "Transfer", everyone, stockUser, map[string]*field{
		"name": {kind: char, indexed: true}, "state": first(&field{kind: selection, choices: pickingStates, indexed: true}, "draft"),
		"picking_type_id": needed(ref("stock.picking.type")), "location_id": needed(m2o("stock.location")), "location_dest_id": needed(m2o("stock.location")),
		"origin": {kind: char, indexed: true}, "note": {kind: html}, "partner_id": m2o("res.partner"), "company_id": m2o("res.company"),
		"backorder_id": ref("stock.picking"), "scheduled_date": {kind: datetime}, "date_done": {kind: datetime},
		"move_ids": o2m("stock.move", "picking_id"), "move_line_ids": o2m("stock.move.line", "picking_id"),
		"picking_type_code": related(selection, "", "picking_type_id", "stock.picking.type", "code"), "purchase_id": ref("purchase.order"),
	})
	move := map[string]*field{
		"picking_id": ref("stock.picking"), "product_id": needed(ref("product.product")), "product_uom_qty": needed(first(&field{kind: float}, 0.0)),
		"product_uom": needed(m2o("uom.uom")), "quantity": computed(float, "", func(d *database, r row) any { return d.moved(r["id"].(int64)) }),
		"picked": {kind: boolean}, "location_id": needed(m2o("stock.location")), "location_dest_id": needed(m2o("stock.location")),
		"state":         first(&field{kind: selection, choices: pickingStates}, "draft"),
		"move_line_ids": o2m("stock.move.line", "move_id"), "date": {kind: datetime}, "origin": {kind: char}, "reference": {kind: char},
		"company_id": m2o("res.company"), "purchase_line_id": ref("purchase.order.line"),
		"display_name": computed(char, "", func(_ *database, r row) any { return r["reference"] }),
	}
	if version < 19 {
		move["name"] = needed(&field{kind: char})
	}
	add("stock.move", "Stock Move", everyone, stockUser, move)
	add("stock.move.line", "Product Moves (Stock Move Line)", everyone, stockUser, map[string]*field{
		"picking_id": ref("stock.picking"), "move_id": ref("stock.move"), "product_id": ref("product.product"), "product_uom_id": m2o("uom.uom"),
		"lot_id": ref("stock.lot"), "lot_name": {kind: char}, "quantity": {kind: float}, "picked": {kind: boolean}, "expiration_date": {kind: datetime},
		"location_id": needed(m2o("stock.location")), "location_dest_id": needed(m2o("stock.location")), "date": {kind: datetime},
		"company_id": m2o("res.company"), "write_uid": m2o("res.users"),
		"reference": computed(char, "", func(d *database, r row) any {
			return d.value(d.models["stock.move"], d.tables["stock.move"].rows[integerOf(r["move_id"])], "reference")
		}),
		"state":        computed(selection, "", func(d *database, r row) any { return d.lineState(r) }),
		"display_name": computed(char, "", func(*database, row) any { return "" }),
	})
	add("purchase.order", "Purchase Order", everyone, admin, map[string]*field{
		"name": {kind: char, indexed: true}, "partner_id": needed(m2o("res.partner")), "picking_type_id": m2o("stock.picking.type"), "company_id": m2o("res.company"),
		"state":      first(&field{kind: selection, choices: []string{"draft", "sent", "to approve", "purchase", "done", "cancel"}}, "draft"),
		"order_line": o2m("purchase.order.line", "order_id"), "date_order": {kind: datetime}, "date_planned": {kind: datetime}, "partner_ref": {kind: char}, "origin": {kind: char},
		"picking_ids": o2m("stock.picking", "purchase_id"),
	})
	line := map[string]*field{
		"order_id": needed(ref("purchase.order")), "product_id": ref("product.product"), "product_qty": first(&field{kind: float}, 1.0),
		"price_unit": {kind: float}, "name": {kind: text}, "date_planned": {kind: datetime},
		"qty_received": computed(float, "", func(d *database, r row) any { return d.received(r["id"].(int64)) }),
	}
	if version >= 19 {
		line["product_uom_id"] = m2o("uom.uom")
	} else {
		line["product_uom"] = m2o("uom.uom")
	}
	add("purchase.order.line", "Purchase Order Line", everyone, admin, line)
	add("product.supplierinfo", "Supplier Pricelist", everyone, admin, map[string]*field{
		"partner_id": needed(m2o("res.partner")), "product_tmpl_id": ref("product.template"), "price": {kind: float}, "delay": {kind: integer}, "min_qty": {kind: float},
		"display_name": computed(char, "", func(*database, row) any { return "" })})
}
