package odootest

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"
)

const (
	momentLayout = "2006-01-02 15:04:05"
	dateLayout   = "2006-01-02"
)

// database is the state of the server. One call works on it at a time.
type database struct {
	version     int
	splitQuants bool
	additions   int
	models      map[string]*model
	tables      map[string]*table
	places      places
	clock       func() time.Time

	// Of the running call:
	tx      *transaction
	context map[string]any
	as      role
	lines   int // distinct move lines it touched, for the costs

	sequences map[string]int64
}

type places struct{ company, customers, suppliers, inventory, scrap, transit, units, partner int64 }

func newDatabase(version int, clock func() time.Time) *database {
	d := &database{version: version, models: models(version), tables: map[string]*table{}, clock: clock, sequences: map[string]int64{}}
	for name, m := range d.models {
		d.tables[name] = newTable(m)
	}
	return d
}

func (d *database) now() string { return d.clock().UTC().Format(momentLayout) }

// value reads a field in its stored form; nil is empty.
func (d *database) value(m *model, r row, name string) any {
	f := m.fields[name]
	switch {
	case f == nil:
		return nil
	case f.compute != nil:
		return f.compute(d, r)
	case f.kind == one2many:
		return d.tables[f.relation].by(f.inverse, r["id"])
	}
	return r[name]
}

// empty tells whether a stored value is what Odoo shows as false.
func (f *field) empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case int64:
		return v == 0 && f.kind != integer
	case bool:
		return !v
	case []int64:
		return len(v) == 0
	}
	return false
}

// normal turns what a client sent into the stored form, or nil.
func (f *field) normal(v any) any {
	switch f.kind {
	case char, text, html, selection:
		if s, ok := v.(string); ok {
			return s
		}
	case datetime:
		s, ok := v.(string)
		if !ok {
			return nil
		}
		if _, err := time.Parse(momentLayout, s); err == nil {
			return s
		}
		if t, err := time.Parse(dateLayout, s); err == nil {
			return t.Format(momentLayout)
		}
	case boolean:
		switch v := v.(type) {
		case bool:
			return v
		case int64:
			return v != 0
		}
		return false
	case integer, many2one:
		if n, ok := v.(int64); ok {
			return n
		}
		if b, ok := v.(bool); ok && !b {
			return int64(0)
		}
	case float:
		switch v := v.(type) {
		case float64:
			return v
		case int64:
			return float64(v)
		case bool:
			return 0.0
		}
	}
	return nil
}

// shown is a value as Odoo's read gives it.
func (d *database) shown(m *model, r row, name string) any {
	f := m.fields[name]
	v := d.value(m, r, name)
	switch f.kind {
	case many2one:
		id, _ := v.(int64)
		other := d.tables[f.relation].rows[id]
		if other == nil {
			return false
		}
		title, _ := d.value(d.models[f.relation], other, "display_name").(string)
		return []any{id, title}
	case one2many, many2many:
		ids, _ := v.([]int64)
		out := make([]any, len(ids))
		for i, id := range ids {
			out[i] = id
		}
		return out
	case boolean:
		return v == true
	case float:
		x, _ := v.(float64)
		return x
	case integer:
		n, _ := v.(int64)
		return n
	}
	if f.empty(v) {
		return false
	}
	return v
}

func (d *database) read(m *model, ids []int64, names []string) ([]any, error) {
	for _, n := range names {
		if m.fields[n] == nil {
			return nil, invalidField(m.name, n)
		}
	}
	if len(names) == 0 {
		for n := range m.fields {
			names = append(names, n)
		}
		sort.Strings(names)
	}
	t := d.tables[m.name]
	out := make([]any, 0, len(ids))
	for _, id := range ids {
		r := t.rows[id]
		if r == nil {
			continue
		}
		shown := make(map[string]any, len(names)+1)
		shown["id"] = id
		for _, n := range names {
			shown[n] = d.shown(m, r, n)
		}
		out = append(out, shown)
	}
	return out, nil
}

// values checks what a client wants to set and brings it into stored form.
// Commands for one2many fields are handed back.
func (d *database) values(m *model, in map[string]any) (row, map[string][]any, error) {
	out := row{}
	lists := map[string][]any{}
	for name, v := range in {
		f := m.fields[name]
		switch {
		case f == nil:
			return nil, nil, invalidField(m.name, name)
		case name == "id" || f.compute != nil && f.path == "":
			continue // Odoo ignores what it computes itself
		case f.kind == one2many || f.kind == many2many:
			list, ok := v.([]any)
			if !ok {
				return nil, nil, valueError("Wrong value for %s.%s: %v", m.name, name, v)
			}
			lists[name] = list
			continue
		}
		n := f.normal(v)
		if n == nil && v != false && v != nil {
			return nil, nil, valueError("Wrong value for %s.%s: %s", m.name, name, short(v))
		}
		if x, ok := n.(float64); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
			return nil, nil, valueError("Wrong value for %s.%s: %v", m.name, name, x)
		}
		if s, ok := n.(string); ok && f.kind == selection && s != "" && !slices.Contains(f.choices, s) {
			return nil, nil, valueError("Wrong value for %s.%s: %q", m.name, name, s)
		}
		if id, ok := n.(int64); ok && f.kind == many2one && id != 0 && d.tables[f.relation].rows[id] == nil {
			return nil, nil, validationError("The operation cannot be completed: another model requires the record being deleted, or it does not exist: %s(%d) in %s.%s", f.relation, id, m.name, name)
		}
		if s, ok := n.(string); ok && f.kind == html {
			n = sanitised(s)
		}
		out[name] = n
	}
	return out, lists, nil
}

// complete adds initial values and refuses missing ones.
func (d *database) complete(m *model, r row) error {
	for name, f := range m.fields {
		if _, set := r[name]; !set && f.initial != nil {
			r[name] = f.initial
		}
	}
	var missing []string
	for name, f := range m.fields {
		if v := r[name]; f.required && f.compute == nil && (v == nil || v == "" || f.kind == many2one && v == int64(0)) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	sort.Strings(missing)
	return validationError("The operation cannot be completed:\n- Create/update: a mandatory field is not set.\nModel: %s (%s)\nField: %s", m.title, m.name, strings.Join(missing, ", "))
}

// sanitised is what Odoo keeps of an HTML text as far as it matters here: plain
// text is put into a paragraph.
func sanitised(s string) string {
	if s == "" || strings.HasPrefix(s, "<") {
		return s
	}
	return "<p>" + s + "</p>"
}

func short(v any) string {
	s := fmt.Sprint(v)
	if len(s) > 120 {
		s = s[:120]
	}
	return fmt.Sprintf("%q", s)
}

func (d *database) placeName(r row) string {
	name, _ := r["name"].(string)
	for range 32 {
		up, _ := r["location_id"].(int64)
		r = d.tables["stock.location"].rows[up]
		if r == nil {
			break
		}
		parent, _ := r["name"].(string)
		name = parent + "/" + name
	}
	return name
}
