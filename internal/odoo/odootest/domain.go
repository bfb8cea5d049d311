package odootest

import (
	"cmp"
	"slices"
	"strings"
)

// condition is a parsed domain: a leaf, or an operator over others.
type condition struct {
	join string // "&", "|", "!" or "" for a leaf
	of   []*condition
	path []string
	op   string
	with any
}

const maxDomain = 10_000

// parseDomain reads Odoo's prefix notation; nil means everything.
func parseDomain(v any) (*condition, error) {
	if v == nil || v == false {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok || len(list) > maxDomain {
		return nil, valueError("Domain() invalid item type for domain: %T", v)
	}
	var stack []*condition
	for _, item := range slices.Backward(list) {
		switch item := item.(type) {
		case string:
			take := 2
			if item == "!" {
				take = 1
			} else if item != "&" && item != "|" {
				return nil, valueError("Domain() invalid item in domain: %q", item)
			}
			if len(stack) < take {
				return nil, valueError("Domain() missing conditions for operator %q", item)
			}
			n := len(stack)
			args := slices.Clone(stack[n-take:])
			slices.Reverse(args)
			stack = append(stack[:n-take], &condition{join: item, of: args})
		case []any:
			leaf, err := parseLeaf(item)
			if err != nil {
				return nil, err
			}
			stack = append(stack, leaf)
		default:
			return nil, valueError("Domain() invalid item in domain: %v", item)
		}
	}
	if len(stack) == 0 {
		return nil, nil
	}
	if len(stack) == 1 {
		return stack[0], nil
	}
	slices.Reverse(stack)
	return &condition{join: "&", of: stack}, nil
}

func parseLeaf(item []any) (*condition, error) {
	if len(item) != 3 {
		return nil, valueError("Domain() invalid item in domain: %v", item)
	}
	name, ok1 := item[0].(string)
	op, ok2 := item[1].(string)
	if !ok1 || !ok2 {
		return nil, valueError("Domain() invalid item in domain: %v", item)
	}
	switch op {
	case "=", "!=", ">", ">=", "<", "<=", "in", "not in", "like", "ilike", "not like", "not ilike", "=like", "=ilike", "child_of":
	default:
		return nil, valueError("Invalid operator %q in domain term %v", op, item)
	}
	return &condition{path: strings.Split(name, "."), op: op, with: item[2]}, nil
}

// check refuses unknown fields before anything is searched, as Odoo does.
func (d *database) check(m *model, c *condition) error {
	if c == nil {
		return nil
	}
	for _, sub := range c.of {
		if err := d.check(m, sub); err != nil {
			return err
		}
	}
	if c.join != "" {
		return nil
	}
	at := m
	for i, name := range c.path {
		f := at.fields[name]
		if f == nil {
			return valueError("Invalid field %s.%s in leaf (%s)", at.name, name, strings.Join(c.path, "."))
		}
		if f.compute != nil && f.path == "" {
			return valueError("Cannot convert %s.%s to SQL because it is not stored", at.name, name)
		}
		if i < len(c.path)-1 {
			if at = d.models[f.relation]; at == nil {
				return valueError("Invalid field path %s", strings.Join(c.path, "."))
			}
		}
	}
	return nil
}

// search gives the ids of the rows that match, ascending. Archived ones are
// left out unless the domain or the context asks for them.
func (d *database) search(m *model, v any) ([]int64, error) {
	c, err := parseDomain(v)
	if err != nil {
		return nil, err
	}
	if err := d.check(m, c); err != nil {
		return nil, err
	}
	t := d.tables[m.name]
	onlyActive := m.fields["active"] != nil && d.context["active_test"] != false && !mentions(c, "active")
	candidates, narrowed := d.narrow(t, c)
	if !narrowed {
		candidates = t.order
		if low := lowerBound(c); low > 0 {
			i, _ := slices.BinarySearch(candidates, low)
			candidates = candidates[i:]
		}
	}
	var out []int64
	for _, id := range candidates {
		r := t.rows[id]
		if r == nil || onlyActive && r["active"] != true {
			continue
		}
		if d.matches(m, r, c) {
			out = append(out, id)
		}
	}
	return out, nil
}

func mentions(c *condition, name string) bool {
	if c == nil {
		return false
	}
	if c.join == "" {
		return len(c.path) == 1 && c.path[0] == name
	}
	return slices.ContainsFunc(c.of, func(s *condition) bool { return mentions(s, name) })
}

// narrow uses an index for a condition that every match must meet.
func (d *database) narrow(t *table, c *condition) ([]int64, bool) {
	if c == nil {
		return nil, false
	}
	if c.join == "&" {
		var best []int64
		found := false
		for _, s := range c.of {
			if ids, ok := d.narrow(t, s); ok && (!found || len(ids) < len(best)) {
				best, found = ids, true
			}
		}
		return best, found
	}
	if c.join != "" || len(c.path) != 1 || c.op != "=" && c.op != "in" {
		return nil, false
	}
	values := []any{c.with}
	if list, ok := c.with.([]any); ok && c.op == "in" {
		values = list
	}
	name := c.path[0]
	f := t.model.fields[name]
	var out []int64
	for _, v := range values {
		v = f.normal(v)
		if name == "id" {
			if id, ok := v.(int64); ok && t.rows[id] != nil {
				out = append(out, id)
			}
			continue
		}
		ix := t.index[name]
		if ix == nil || v == nil {
			return nil, false
		}
		out = append(out, ix[v]...)
	}
	slices.Sort(out)
	return slices.Compact(out), true
}

func lowerBound(c *condition) int64 {
	switch {
	case c == nil:
		return 0
	case c.join == "&":
		low := int64(0)
		for _, s := range c.of {
			low = max(low, lowerBound(s))
		}
		return low
	case c.join == "" && c.op == ">" && len(c.path) == 1 && c.path[0] == "id":
		n, _ := c.with.(int64)
		return n + 1
	}
	return 0
}

func (d *database) matches(m *model, r row, c *condition) bool {
	switch {
	case c == nil:
		return true
	case c.join == "&":
		return !slices.ContainsFunc(c.of, func(s *condition) bool { return !d.matches(m, r, s) })
	case c.join == "|":
		return slices.ContainsFunc(c.of, func(s *condition) bool { return d.matches(m, r, s) })
	case c.join == "!":
		return !d.matches(m, r, c.of[0])
	}
	f := m.fields[c.path[0]]
	v := d.value(m, r, c.path[0])
	if len(c.path) == 1 {
		return d.compare(f, v, c)
	}
	next := d.models[f.relation]
	ids, _ := v.([]int64)
	if id, ok := v.(int64); ok && id != 0 {
		ids = []int64{id}
	}
	rest := &condition{path: c.path[1:], op: c.op, with: c.with}
	return slices.ContainsFunc(ids, func(id int64) bool {
		other := d.tables[next.name].rows[id]
		return other != nil && d.matches(next, other, rest)
	})
}

func (d *database) compare(f *field, v any, c *condition) bool {
	if list, ok := v.([]int64); ok {
		has := func(x any) bool {
			id, _ := x.(int64)
			return slices.Contains(list, id)
		}
		switch with := c.with.(type) {
		case []any:
			return slices.ContainsFunc(with, has) == (c.op == "in" || c.op == "=")
		case bool:
			return (len(list) > 0) == (with == (c.op != "!="))
		default:
			return has(with) == (c.op != "!=")
		}
	}
	switch c.op {
	case "=":
		return equal(f, v, c.with)
	case "!=":
		return !equal(f, v, c.with)
	case "in", "not in":
		list, ok := c.with.([]any)
		if !ok {
			list = []any{c.with}
		}
		return slices.ContainsFunc(list, func(x any) bool { return equal(f, v, x) }) == (c.op == "in")
	case ">", ">=", "<", "<=":
		n, ok := order(f, v, c.with)
		return ok && (c.op[0] == '>' && n > 0 || c.op[0] == '<' && n < 0 || len(c.op) == 2 && n == 0)
	case "child_of":
		return d.below(f, v, c.with)
	}
	s, _ := v.(string)
	pattern, _ := c.with.(string)
	not := strings.HasPrefix(c.op, "not ")
	op := strings.TrimPrefix(c.op, "not ")
	if strings.HasSuffix(op, "ilike") {
		s, pattern = strings.ToLower(s), strings.ToLower(pattern)
	}
	if op[0] != '=' {
		pattern = "%" + pattern + "%"
	}
	return s != "" && like(s, pattern) != not
}

// below tells whether a location is one of with or lies under it.
func (d *database) below(f *field, v, with any) bool {
	t := d.tables[f.relation]
	id, isID := v.(int64)
	if f.relation == "" || !isID {
		return false
	}
	tops, ok := with.([]any)
	if !ok {
		tops = []any{with}
	}
	for range 64 {
		if id == 0 {
			return false
		}
		if slices.ContainsFunc(tops, func(x any) bool { n, _ := x.(int64); return n == id }) {
			return true
		}
		r := t.rows[id]
		if r == nil {
			return false
		}
		id, _ = r["location_id"].(int64)
	}
	return false
}

func equal(f *field, v, with any) bool {
	want := f.normal(with)
	if b, ok := with.(bool); ok && !b {
		want = nil
	}
	return f.empty(v) && (want == nil || f.empty(want)) || v == want
}

func order(f *field, v, with any) (int, bool) {
	switch v := v.(type) {
	case int64:
		w, ok := f.normal(with).(int64)
		return cmp.Compare(v, w), ok
	case float64:
		w, ok := f.normal(with).(float64)
		return cmp.Compare(v, w), ok
	case string:
		w, ok := with.(string)
		return cmp.Compare(v, w), ok && v != ""
	}
	return 0, false
}

// like is SQL's LIKE with backslash as the escape. It takes time proportional
// to text times pattern, never more.
func like(s, pattern string) bool {
	type step struct {
		r        rune
		any, one bool
	}
	var steps []step
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			steps = append(steps, step{r: r})
			escaped = false
		case r == '\\':
			escaped = true
		case r == '%':
			steps = append(steps, step{any: true})
		case r == '_':
			steps = append(steps, step{one: true})
		default:
			steps = append(steps, step{r: r})
		}
	}
	text := []rune(s)
	i, j, star, mark := 0, 0, -1, 0
	for i < len(text) {
		switch {
		case j < len(steps) && steps[j].any:
			star, mark = j, i
			j++
		case j < len(steps) && (steps[j].one || steps[j].r == text[i]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(steps) && steps[j].any {
		j++
	}
	return j == len(steps)
}
