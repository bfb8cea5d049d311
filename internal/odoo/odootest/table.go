package odootest

import (
	"slices"
)

type row map[string]any

// table holds the rows of one model with indexes on the fields that are
// searched for. Stored values are normalised: int64 (0 for an empty many2one),
// float64, bool, string, or []int64 for lists that are stored.
type table struct {
	model *model
	rows  map[int64]row
	order []int64 // ids ascending; may hold deleted ones
	next  int64
	index map[string]map[any][]int64
}

func newTable(m *model) *table {
	t := &table{model: m, rows: map[int64]row{}, next: 1, index: map[string]map[any][]int64{}}
	for name, f := range m.fields {
		if f.indexed {
			t.index[name] = map[any][]int64{}
		}
	}
	return t
}

// put stores a row whole and keeps the indexes; nil removes it.
func (t *table) put(id int64, r row) {
	old := t.rows[id]
	for name, ix := range t.index {
		var was, is any
		if old != nil {
			was = old[name]
		}
		if r != nil {
			is = r[name]
		}
		if old != nil && r != nil && was == is {
			continue
		}
		if old != nil {
			list := ix[was]
			if i := slices.Index(list, id); i >= 0 {
				ix[was] = slices.Delete(list, i, i+1)
			}
		}
		if r != nil {
			list := ix[is]
			if n := len(list); n > 0 && list[n-1] > id {
				i, _ := slices.BinarySearch(list, id)
				ix[is] = slices.Insert(list, i, id)
			} else {
				ix[is] = append(list, id)
			}
		}
	}
	if r == nil {
		delete(t.rows, id)
		return
	}
	if old == nil {
		if n := len(t.order); n > 0 && t.order[n-1] >= id {
			if i, found := slices.BinarySearch(t.order, id); !found {
				t.order = slices.Insert(t.order, i, id)
			}
		} else {
			t.order = append(t.order, id)
		}
	}
	t.rows[id] = r
}

// transaction remembers what rows were before it, to put them back.
type transaction struct {
	undo []func()
}

func (tx *transaction) rollback() {
	for _, f := range slices.Backward(tx.undo) {
		f()
	}
	tx.undo = nil
}

// set replaces a row inside the running transaction; nil removes it.
func (d *database) set(t *table, id int64, r row) {
	old := t.rows[id]
	d.tx.undo = append(d.tx.undo, func() { t.put(id, old) })
	t.put(id, r)
}

// change copies a row, lets f alter it and stores it.
func (d *database) change(t *table, id int64, f func(row)) {
	old := t.rows[id]
	if old == nil {
		return
	}
	r := make(row, len(old)+2)
	for k, v := range old {
		r[k] = v
	}
	f(r)
	r["write_date"] = d.now()
	d.sign(t, r)
	d.set(t, id, r)
}

// sign puts the user who writes into a row, where its model tells that.
func (d *database) sign(t *table, r row) {
	if t.model.fields["write_uid"] == nil {
		return
	}
	r["write_uid"] = int64(stockUID)
	if d.as == admin {
		r["write_uid"] = int64(adminUID)
	}
}

// insert stores a new row and gives its id. Ids are not given back by a
// rollback, as PostgreSQL's sequences do not.
func (d *database) insert(t *table, r row) int64 {
	id := t.next
	t.next++
	r["id"] = id
	r["create_date"], r["write_date"] = d.now(), d.now()
	d.sign(t, r)
	d.set(t, id, r)
	return id
}

// by gives the ids of rows whose indexed field has the value, ascending.
func (t *table) by(field string, value any) []int64 { return slices.Clone(t.index[field][value]) }
