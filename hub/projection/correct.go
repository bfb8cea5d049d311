package projection

import "branchline/hub/ledger"

// corrected is a reading as people at the hub have said it should be. What tells
// it from other events stays, and so does what its record names: a recall finds
// the lot that was written, too.
func (w *writing) corrected(r *reading, rulings []ledger.Ruling) (*reading, error) {
	to := r
	for _, g := range rulings {
		if g.Corrected == nil || r.bad != nil {
			continue
		}
		if to == r {
			if _, err := w.product(r.m.Product); err != nil {
				return nil, err
			}
			if err := w.lot(r.m.Lot); err != nil {
				return nil, err
			}
			own := *r
			to = &own
		}
		to.m, to.problem, to.understood = g.Corrected.Apply(to.m), nil, true
	}
	return to, nil
}
