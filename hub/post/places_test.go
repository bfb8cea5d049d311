package post_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"branchline/hub/post"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// diverts is a person who sends a document's goods elsewhere before it is validated.
type diverts struct {
	post.Odoo
	w     *world
	field string
	to    int64
	n     atomic.Int64
}

func (d *diverts) Validate(ctx context.Context, id int64, k odoo.Confirm) (odoo.Validated, error) {
	if d.n.Add(1) == 1 {
		lines, err := d.Odoo.DocumentLines(ctx, id)
		must(d.w.t, err)
		for _, l := range lines {
			must(d.w.t, d.w.admin.Write(ctx, "stock.move.line", []int64{l.ID}, map[string]any{d.field: d.to}))
		}
	}
	return d.Odoo.Validate(ctx, id, k)
}

func TestGoodsDivertedInOdooAreTold(t *testing.T) {
	shelf := func(w *world, parent int64) int64 {
		ids, err := w.admin.Create(t.Context(), "stock.location", map[string]any{"name": "Shelf " + w.unique(), "location_id": parent, "usage": "internal"})
		must(t, err)
		return ids[0]
	}
	for _, version := range []int{17, 18, 19} {
		for _, c := range []struct {
			name, field, tells string
			kind               movement.Kind
			place              func(w *world) int64
		}{
			{"to another place", "location_dest_id", " to location ", movement.Dispense, func(w *world) int64 { return w.places.Scrap }},
			{"from another place", "location_id", " from location ", movement.Dispense, func(w *world) int64 { return w.places.Suppliers }},
			{"from a shelf of the branch", "location_id", "", movement.Dispense, func(w *world) int64 { return shelf(w, w.branch.StockID) }},
			{"to a shelf of the branch", "location_dest_id", "", movement.Return, func(w *world) int64 { return shelf(w, w.branch.StockID) }},
		} {
			t.Run(c.name, func(t *testing.T) {
				w := simulated(t, version)
				w.betweenOdoo = func(o post.Odoo) post.Odoo { return &diverts{Odoo: o, w: w, field: c.field, to: c.place(w)} }
				w.on(w.ledger)
				w.send(w.moved(c.kind, w.product(odoo.ByQuantity), 3))
				w.settle()
				told := w.told()
				if (c.tells == "") != (len(told) == 0) || len(told) > 0 && !strings.Contains(told[0], c.tells) {
					t.Errorf("told %q, want something that holds %q", told, c.tells)
				}
			})
		}
	}
}
