package post

import (
	"context"
	"fmt"
	"slices"

	"branchline/hub/ledger"
	"branchline/internal/odoo"
)

// elsewhere tells which lines moved goods from or to another place than was to be
// posted. A place inside the right one is right: Odoo takes goods from shelves and
// puts them away on shelves. A receipt's places are those that Odoo itself had
// prepared it for, which need not be the branch's stock where goods come in by
// several steps.
func (r *run) elsewhere(ctx context.Context, ref ledger.OdooRef, lines []odoo.Line) ([]string, error) {
	from, to := r.body.FromID, r.body.ToID
	strays := func() bool {
		return slices.ContainsFunc(lines, func(l odoo.Line) bool { return l.FromID != from || l.ToID != to })
	}
	if strays() && r.body.ReceiptID != 0 {
		d, err := r.p.gate.byID(ctx, ref.ID)
		if err != nil || !d.found {
			return nil, err
		}
		from, to = d.FromID, d.ToID
	}
	if !strays() {
		return nil, nil
	}
	var all []string
	for _, side := range []struct {
		word  string
		right int64
		is    func(odoo.Line) int64
	}{
		{"from", from, func(l odoo.Line) int64 { return l.FromID }},
		{"to", to, func(l odoo.Line) int64 { return l.ToID }},
	} {
		inside, err := through(ctx, r.p.gate, 1, func(ctx context.Context, o Odoo) (map[int64]int64, error) {
			return o.LocationsUnder(ctx, []int64{side.right})
		})
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if is := side.is(l); is != side.right && inside[is] == 0 {
				all = append(all, fmt.Sprintf("%v of product %d, lot %q, %s location %d and not %d", l.Quantity, l.ProductID, l.LotName, side.word, is, side.right))
			}
		}
	}
	return all, nil
}
