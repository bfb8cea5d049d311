package odoo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"branchline/internal/fault"
)

// pageSize is how many rows are read in one call: beyond it, Odoo's memory and
// the answer's size grow faster than the speed.
const pageSize = 2000

// Query says which rows to read.
type Query struct {
	Domain Domain
	Fields []string
	// Limit bounds the number of rows; 0 means all.
	Limit int
	// Archived includes archived (inactive) records.
	Archived bool
}

// SearchRead reads all rows that match, in the order of their ids, a page a
// call. Rows that are added in between may or may not be among them; none is
// skipped or doubled.
func (c *Client) SearchRead(ctx context.Context, model string, q Query) ([]Record, error) {
	return c.searchRead(ctx, model, q, nil)
}

func (c *Client) searchRead(ctx context.Context, model string, q Query, context map[string]any) (rows []Record, err error) {
	err = c.eachPage(ctx, model, q, context, func(page []Record) { rows = append(rows, page...) })
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// eachPage is [Client.SearchRead] for what there is a lot of: the rows of a page are
// handed over before the next one is read, and a row takes many times the memory of
// what is made of it.
func (c *Client) eachPage(ctx context.Context, model string, q Query, context map[string]any, take func(page []Record)) error {
	if q.Archived {
		context = withKey(context, "active_test", false)
	}
	last, taken := int64(0), 0
	for {
		limit := pageSize
		if q.Limit > 0 {
			limit = min(limit, q.Limit-taken)
		}
		args := Args{Named: map[string]any{
			"domain": append(slices.Clone(q.Domain), Where("id", ">", last)),
			"fields": q.Fields, "limit": limit, "order": "id",
		}, Context: context}
		page, err := c.rows(ctx, model, "search_read", args)
		if err != nil {
			return err
		}
		take(page)
		taken += len(page)
		if len(page) < limit || q.Limit > 0 && taken >= q.Limit {
			return nil
		}
		next := page[len(page)-1].ID()
		if next <= last {
			return strangeAnswer(model, "search_read", "rows out of order")
		}
		last = next
	}
}

func withKey(context map[string]any, key string, value any) map[string]any {
	out := maps.Clone(context)
	if out == nil {
		out = map[string]any{}
	}
	out[key] = value
	return out
}

// Read reads fields of known records, in the order of ids. A record that no
// longer exists is left out, by Odoo, or makes the call a refusal.
func (c *Client) Read(ctx context.Context, model string, ids []int64, fields ...string) ([]Record, error) {
	var rows []Record
	for part := range slices.Chunk(ids, pageSize) {
		page, err := c.rows(ctx, model, "read", Args{IDs: part, Named: map[string]any{"fields": fields}})
		if err != nil {
			return nil, err
		}
		rows = append(rows, page...)
	}
	return rows, nil
}

func (c *Client) rows(ctx context.Context, model, method string, args Args) ([]Record, error) {
	v, err := c.Call(ctx, model, method, args)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, strangeAnswer(model, method, fmt.Sprintf("%T instead of rows", v))
	}
	rows := make([]Record, 0, len(list))
	for _, x := range list {
		m, ok := x.(map[string]any)
		if !ok || Int(m["id"]) <= 0 {
			return nil, strangeAnswer(model, method, "a row without an id")
		}
		rows = append(rows, Record(m))
	}
	return rows, nil
}

// Create makes records, all or none, and gives their ids in order. One call.
func (c *Client) Create(ctx context.Context, model string, values ...map[string]any) ([]int64, error) {
	if len(values) == 0 {
		return nil, nil
	}
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	v, err := c.Call(ctx, model, create, Args{Named: map[string]any{"vals_list": list}})
	if err != nil {
		return nil, err
	}
	ids := IDs(v)
	if len(ids) != len(values) {
		return nil, strangeAnswer(model, create, fmt.Sprintf("%d ids for %d records", len(ids), len(values)))
	}
	return ids, nil
}

// Write sets the same values on all ids, or on none.
func (c *Client) Write(ctx context.Context, model string, ids []int64, values map[string]any) error {
	_, err := c.Call(ctx, model, "write", Args{IDs: ids, Named: map[string]any{"vals": values}})
	return err
}

// Unlink deletes records, all or none.
func (c *Client) Unlink(ctx context.Context, model string, ids []int64) error {
	_, err := c.Call(ctx, model, "unlink", Args{IDs: ids})
	return err
}

// Fields are the fields of a model as this server has them.
type Fields map[string]Field

// Field is one field of a model.
type Field struct {
	Type     string // Odoo's field type, such as "many2one"
	Relation string // the other model of a relation
	Required bool
	// Stored fields can be searched.
	Stored bool
	// Choices are the values of a selection.
	Choices []string
}

// Has tells whether the model has the field.
func (f Fields) Has(name string) bool {
	_, ok := f[name]
	return ok
}

// Fields asks Odoo for a model's fields, once; see [Client.Forget]. A model that
// this server does not have gives nil Fields and no error.
func (c *Client) Fields(ctx context.Context, model string) (Fields, error) {
	c.mu.Lock()
	known, ok := c.fields[model]
	c.mu.Unlock()
	if ok {
		return known, nil
	}
	v, err := c.Call(ctx, model, "fields_get", Args{Named: map[string]any{
		"attributes": []string{"type", "relation", "required", "store", "selection"},
	}})
	if fault.ClassOf(err) == fault.Data {
		v, err = map[string]any(nil), nil
	}
	if err != nil {
		return nil, err
	}
	described, ok := v.(map[string]any)
	if !ok {
		return nil, strangeAnswer(model, "fields_get", fmt.Sprintf("%T instead of fields", v))
	}
	var fields Fields
	for name, d := range described {
		m, _ := d.(map[string]any)
		f := Field{Type: String(m["type"]), Relation: String(m["relation"]), Required: Bool(m["required"]), Stored: Bool(m["store"])}
		if choices, ok := m["selection"].([]any); ok {
			for _, choice := range choices {
				if pair, ok := choice.([]any); ok && len(pair) > 0 {
					f.Choices = append(f.Choices, String(pair[0]))
				}
			}
		}
		if fields == nil {
			fields = make(Fields, len(described))
		}
		fields[name] = f
	}
	c.mu.Lock()
	c.fields[model] = fields
	c.mu.Unlock()
	return fields, nil
}

// strangeAnswer is the fault for an answer of the wrong shape. What was asked
// may have been done.
func strangeAnswer(model, method, what string) error {
	return &fault.Error{Class: fault.Defect, Code: CodeDefect, Message: fmt.Sprintf("Odoo answered %s.%s with %s", model, method, what),
		Err: &Error{Model: model, Method: method, Outcome: Perhaps}}
}

func errorsAs(err error) (*Error, bool) { return errors.AsType[*Error](err) }

// The commands of Odoo for a field that lists other records.
func linkNew(values map[string]any) []any { return []any{int64(0), int64(0), values} }
func linkDelete(id int64) []any           { return []any{int64(2), id, int64(0)} }
