package plan

import (
	"context"

	"branchline/hub/ledger"
	"branchline/internal/odoo"
)

// Meant tells what movements are in a document of Odoo, summed by product and lot,
// by what their codes and units mean now. A movement of a tracked product that names
// no lot is in a line without one, its part marked as Chosen. ok is false while it
// cannot be told of some. It may be called at any time.
func (r *Runner) Meant(ctx context.Context, all []ledger.Movement) (lines []ledger.PostingLine, ok bool, err error) {
	if err := r.master.Aliases(ctx); err != nil {
		return nil, false, err
	}
	p := &planner{in: &Input{Catalogue: r.master, MissingIsFinal: true}}
	items := map[itemKey]*item{}
	at := map[lineKey]int{}
	for i := range all {
		m := &all[i]
		key := itemKey{m.Product, m.Unit}
		it := items[key]
		if it == nil {
			it = p.lookUp(key)
			items[key] = it
		}
		if it.wait || it.held || it.reason != "" {
			return nil, false, nil
		}
		q := m.Quantity
		if q < 0 {
			q = -q
		}
		if q, ok = it.convert(q); !ok {
			return nil, false, nil
		}
		lot := lotOf(m, &it.product)
		k := lineKey{it.product.ID, lot}
		n, known := at[k]
		if !known {
			n = len(lines)
			at[k] = n
			lines = append(lines, ledger.PostingLine{ProductID: it.product.ID, UoMID: it.product.UoM.ID, Lot: lot})
		}
		lines[n].Parts = append(lines[n].Parts, ledger.PostingPart{Movement: m.ID, Quantity: q,
			Chosen: lot == "" && it.product.Tracking != odoo.ByQuantity})
	}
	return lines, true, nil
}

// lotOf is the lot or serial number by which Odoo tracks a movement's goods; empty
// where it tracks none.
func lotOf(m *ledger.Movement, p *odoo.Product) string {
	switch p.Tracking {
	case odoo.ByLot:
		return m.Lot
	case odoo.BySerial:
		return m.Serial
	}
	return ""
}
