package odootest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// call is one method call, whichever transport it came by.
type call struct {
	model, method string
	ids           []int64 // nil if the method was called on the model
	args          map[string]any
	context       map[string]any
	as            role
}

// positional gives the names of a method's parameters in their order; a method
// of records has its ids before them.
var positional = map[string]struct {
	names    []string
	needed   int
	onModel  bool
	ofModels []string // nil: every model
}{
	"search_read":     {names: []string{"domain", "fields", "offset", "limit", "order"}, onModel: true},
	"search":          {names: []string{"domain", "offset", "limit", "order"}, needed: 1, onModel: true},
	"search_count":    {names: []string{"domain", "limit"}, needed: 1, onModel: true},
	"read":            {names: []string{"fields", "load"}},
	"create":          {names: []string{"vals_list"}, needed: 1, onModel: true},
	"write":           {names: []string{"vals"}, needed: 1},
	"unlink":          {},
	"fields_get":      {names: []string{"allfields", "attributes"}, onModel: true},
	"context_get":     {onModel: true, ofModels: []string{"res.users"}},
	"button_validate": {ofModels: []string{"stock.picking"}},
	"action_confirm":  {ofModels: []string{"stock.picking"}},
	"action_cancel":   {ofModels: []string{"stock.picking"}},
	"action_assign":   {ofModels: []string{"stock.picking"}},

	"action_apply_inventory": {ofModels: []string{"stock.quant"}},
	"button_confirm":         {ofModels: []string{"purchase.order"}},
	"action_replenish":       {names: []string{"force_to_max"}, ofModels: []string{"stock.warehouse.orderpoint"}},
}

// run carries out one call as one transaction.
func (d *database) run(c *call) (result any, err error) {
	d.tx = &transaction{}
	d.context, d.as, d.lines = c.context, c.as, 0
	defer func() {
		if err != nil {
			d.tx.rollback()
		}
		d.tx, d.context = nil, nil
	}()
	m := d.models[c.model]
	switch {
	case m == nil:
		return nil, raise("odoo.exceptions.UserError", 2, http.StatusNotFound, "Object %s doesn't exist", c.model)
	case strings.HasPrefix(c.method, "_"):
		return nil, accessError("Private methods (such as %s.%s) cannot be called remotely.", c.model, c.method)
	}
	known, ok := positional[c.method]
	if !ok || known.ofModels != nil && !slices.Contains(known.ofModels, c.model) {
		return nil, raise("builtins.AttributeError", 1, http.StatusNotFound, "The method '%s.%s' does not exist", c.model, c.method)
	}
	for name := range c.args {
		if !slices.Contains(known.names, name) {
			return nil, typeError("%s.%s() got an unexpected keyword argument '%s'", c.model, c.method, name)
		}
	}
	for _, name := range known.names[:known.needed] {
		if _, given := c.args[name]; !given {
			return nil, typeError("missing a required argument: '%s'", name)
		}
	}
	if err := d.allowed(m, c.method); err != nil {
		return nil, err
	}
	return d.dispatch(m, c)
}

func (d *database) allowed(m *model, method string) error {
	need, verb := m.readers, "access"
	switch method {
	case "create", "write", "unlink", "button_confirm", "button_validate", "action_confirm", "action_cancel", "action_assign", "action_apply_inventory", "action_replenish":
		need, verb = m.writers, map[string]string{"create": "create", "write": "modify", "unlink": "delete"}[method]
		if verb == "" {
			verb = "modify"
		}
	case "fields_get":
		return nil
	}
	if d.as >= need {
		return nil
	}
	return accessError("You are not allowed to %s '%s' (%s) records.\n\nContact your administrator to request access if necessary.", verb, m.title, m.name)
}

func (d *database) dispatch(m *model, c *call) (any, error) {
	switch c.method {
	case "search_read", "search", "search_count":
		return d.searchRead(m, c)
	case "read":
		names, err := texts(c.args["fields"])
		if err != nil {
			return nil, err
		}
		return d.read(m, c.ids, names) // records that are gone are left out
	case "create":
		return d.createCall(m, c.args["vals_list"])
	case "write":
		vals, ok := c.args["vals"].(map[string]any)
		if !ok {
			return nil, typeError("write() wants a mapping")
		}
		if err := d.exist(m, c.ids); err != nil {
			return nil, err
		}
		for _, id := range c.ids {
			if err := d.write(m, id, vals); err != nil {
				return nil, err
			}
		}
		return true, nil
	case "unlink":
		for _, id := range c.ids {
			if err := d.unlink(m, id); err != nil {
				return nil, err
			}
		}
		return true, nil
	case "fields_get":
		return d.fieldsGet(m, c)
	case "context_get":
		return map[string]any{"lang": "en_US", "tz": "UTC", "uid": int64(2)}, nil
	}
	if err := d.exist(m, c.ids); err != nil {
		return nil, err
	}
	var result any = true
	for _, id := range c.ids {
		var err error
		switch c.method {
		case "button_validate":
			result, err = d.validate(id)
		case "action_confirm":
			err = d.confirm(id)
		case "action_assign":
			err = d.assign(id)
		case "action_cancel":
			err = d.cancel(id)
		case "button_confirm":
			err = d.order(id)
		case "action_apply_inventory":
			err = d.applyCount(id)
		case "action_replenish":
			result, err = d.replenish(id)
		}
		if err != nil {
			return nil, err
		}
	}
	return result, nil
}

func (d *database) exist(m *model, ids []int64) error {
	t := d.tables[m.name]
	for _, id := range ids {
		if t.rows[id] == nil {
			return missingError(m.name, []int64{id})
		}
	}
	return nil
}

func (d *database) searchRead(m *model, c *call) (any, error) {
	ids, err := d.search(m, c.args["domain"])
	if err != nil {
		return nil, err
	}
	switch order, _ := c.args["order"].(string); strings.ToLower(order) {
	case "", "id", "id asc":
	case "id desc":
		slices.Reverse(ids)
	default:
		return nil, valueError("the simulated server sorts by id only, not by %q", order)
	}
	if c.method == "search_count" {
		return int64(len(ids)), nil
	}
	offset, _ := c.args["offset"].(int64)
	ids = ids[min(max(int(offset), 0), len(ids)):]
	if limit, _ := c.args["limit"].(int64); limit > 0 {
		ids = ids[:min(int(limit), len(ids))]
	}
	if c.method == "search" {
		return listOf(ids), nil
	}
	names, err := texts(c.args["fields"])
	if err != nil {
		return nil, err
	}
	return d.read(m, ids, names)
}

func (d *database) fieldsGet(m *model, c *call) (any, error) {
	only, err := texts(c.args["allfields"])
	if err != nil {
		return nil, err
	}
	attributes, err := texts(c.args["attributes"])
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for name, f := range m.fields {
		if len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		all := map[string]any{"type": string(f.kind), "string": name, "required": f.required, "store": f.compute == nil, "readonly": false}
		if f.relation != "" {
			all["relation"] = f.relation
		}
		if f.kind == selection {
			pairs := make([]any, len(f.choices))
			for i, s := range f.choices {
				pairs[i] = []any{s, s}
			}
			all["selection"] = pairs
		}
		if len(attributes) > 0 {
			maps.DeleteFunc(all, func(k string, _ any) bool { return !slices.Contains(attributes, k) })
		}
		out[name] = all
	}
	return out, nil
}

func (d *database) createCall(m *model, vals any) (any, error) {
	if one, ok := vals.(map[string]any); ok {
		return d.create(m, one)
	}
	list, ok := vals.([]any)
	if !ok {
		return nil, typeError("create() wants a list of mappings")
	}
	ids := make([]any, len(list))
	for i, v := range list {
		one, ok := v.(map[string]any)
		if !ok {
			return nil, typeError("create() wants a list of mappings")
		}
		id, err := d.create(m, one)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

// create makes one record with what Odoo does around it for its model.
func (d *database) create(m *model, vals map[string]any) (int64, error) {
	r, lists, err := d.values(m, vals)
	if err != nil {
		return 0, err
	}
	switch m.name {
	case "product.product":
		return d.createProduct(m, r)
	case "stock.warehouse":
		return d.createWarehouse(m, r)
	case "stock.picking":
		return d.createPicking(m, r, lists)
	case "stock.move":
		return d.createMove(m, r, lists)
	case "stock.move.line":
		return d.createLine(m, r)
	case "stock.lot":
		return d.createLot(m, r)
	case "stock.quant":
		return d.createQuant(m, r)
	case "stock.warehouse.orderpoint":
		return d.createOrderPoint(m, r)
	case "purchase.order":
		return d.createOrder(m, r, lists)
	case "purchase.order.line":
		d.lineDefaults(r)
	case "product.template":
		if err := d.complete(m, r); err != nil {
			return 0, err
		}
		id := d.insert(d.tables[m.name], r)
		product := d.models["product.product"]
		variant := row{"product_tmpl_id": id}
		if err := d.complete(product, variant); err != nil {
			return 0, err
		}
		d.insert(d.tables["product.product"], variant)
		return id, nil
	}
	if err := d.complete(m, r); err != nil {
		return 0, err
	}
	return d.insert(d.tables[m.name], r), nil
}

func (d *database) write(m *model, id int64, vals map[string]any) error {
	r, lists, err := d.values(m, vals)
	if err != nil {
		return err
	}
	t := d.tables[m.name]
	switch m.name {
	case "product.product":
		tmpl, _ := t.rows[id]["product_tmpl_id"].(int64)
		d.change(d.tables["product.template"], tmpl, func(to row) { moveRelated(m, r, to) })
	case "stock.picking":
		if err := d.uniqueName(r, id); err != nil {
			return err
		}
		d.change(t, id, func(to row) { maps.Copy(to, r) })
		for _, list := range []string{"move_ids", "move_line_ids"} {
			if err := d.commands(m, id, list, lists[list]); err != nil {
				return err
			}
		}
		d.settle(id)
		return nil
	case "stock.move":
		d.change(t, id, func(to row) { maps.Copy(to, r) })
		if err := d.commands(m, id, "move_line_ids", lists["move_line_ids"]); err != nil {
			return err
		}
		picking, _ := t.rows[id]["picking_id"].(int64)
		d.settle(picking)
		return nil
	case "stock.move.line":
		return d.writeLine(id, r)
	}
	d.change(t, id, func(to row) { maps.Copy(to, r) })
	return nil
}

// moveRelated takes the values that belong to another record out of r.
func moveRelated(m *model, r, to row) {
	for name, v := range r {
		if f := m.fields[name]; f.path != "" {
			to[name] = v
			delete(r, name)
		}
	}
}

// commands carries out Odoo's list commands on the records behind a one2many.
func (d *database) commands(m *model, id int64, list string, commands []any) error {
	f := m.fields[list]
	of := d.models[f.relation]
	for _, c := range commands {
		cmd, ok := c.([]any)
		if !ok || len(cmd) < 2 {
			return valueError("Wrong value for %s.%s: %s", m.name, list, short(c))
		}
		op, _ := cmd[0].(int64)
		target, _ := cmd[1].(int64)
		var vals map[string]any
		if len(cmd) > 2 {
			vals, _ = cmd[2].(map[string]any)
		}
		switch op {
		case 0:
			with := maps.Clone(vals)
			if with == nil {
				with = map[string]any{}
			}
			with[f.inverse] = id
			if _, err := d.create(of, with); err != nil {
				return err
			}
		case 1:
			if err := d.exist(of, []int64{target}); err != nil {
				return err
			}
			if err := d.write(of, target, vals); err != nil {
				return err
			}
		case 2:
			// Unlike unlink itself, the command refuses what is gone. That
			// makes a second write of the same commands fail as a whole.
			if err := d.exist(of, []int64{target}); err != nil {
				return err
			}
			if err := d.unlink(of, target); err != nil {
				return err
			}
		default:
			return valueError("the simulated server has no list command %d", op)
		}
	}
	return nil
}

func (d *database) unlink(m *model, id int64) error {
	t := d.tables[m.name]
	r := t.rows[id]
	if r == nil {
		return nil // deleting what is not there is no error in Odoo
	}
	switch m.name {
	case "stock.picking":
		for _, move := range d.tables["stock.move"].by("picking_id", id) {
			if err := d.unlink(d.models["stock.move"], move); err != nil {
				return err
			}
		}
		for _, line := range d.tables["stock.move.line"].by("picking_id", id) {
			if err := d.unlink(d.models["stock.move.line"], line); err != nil {
				return err
			}
		}
	case "stock.move":
		switch s := r["state"]; {
		case s == "done":
			return userError("You cannot cancel a stock move that has been set to 'Done'. Create a return in order to reverse the moves which took place.")
		case d.as < admin:
			return accessError("You are not allowed to delete 'Stock Move' (stock.move) records.\n\nThis operation is allowed for the following groups:\n\t- Inventory/Administrator\n\nContact your administrator to request access if necessary.")
		}
		for _, line := range d.tables["stock.move.line"].by("move_id", id) {
			d.set(d.tables["stock.move.line"], line, nil)
		}
	case "stock.move.line":
		if s := d.lineState(r); s == "done" || s == "cancel" {
			return userError("You can not delete product moves if the picking is done. You can only correct the done quantities.")
		}
	}
	d.set(t, id, nil)
	return nil
}

func texts(v any) ([]string, error) {
	if v == nil || v == false {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, typeError("a list of names was expected")
	}
	out := make([]string, len(list))
	for i, x := range list {
		if out[i], ok = x.(string); !ok {
			return nil, typeError("a list of names was expected")
		}
	}
	return out, nil
}

func listOf(ids []int64) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}
