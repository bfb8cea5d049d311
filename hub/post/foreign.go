package post

import (
	"context"

	"branchline/hub/ledger"
	"branchline/internal/odoo"
)

// This file is about a document that bears this posting's name, and was made of
// other movements under the same numbers, before hub and branch were both put back.

// foreign tells whether a document's marker says so.
func (r *run) foreign(p odoo.Picking) (says marked, foreign bool) {
	m, ok := odoo.MarkerOf(p)
	if !ok || m.Posting != r.at.Name {
		return says, false
	}
	says, err := read(m)
	if err != nil {
		return says, false
	}
	ours := map[ledger.Run]string{}
	for _, own := range r.runs {
		hash := own.Hash
		own.Hash = ""
		ours[own] = hash
	}
	for _, theirs := range says.runs {
		hash := theirs.Hash
		theirs.Hash = ""
		if own := ours[theirs]; own != "" && hash != "" && own != hash {
			return says, true
		}
	}
	return says, false
}

// leaveTo takes the document over for what it is, by which the posting's own
// movements go to a person.
func (r *run) leaveTo(ctx context.Context, p odoo.Picking, says marked) error {
	if err := r.p.take(ctx, &p, says); err != nil {
		return err
	}
	return ledger.ErrPlannedOtherwise
}

// doneAs is for a document of the posting's name that is done: it is the posting's,
// or foreign.
func (r *run) doneAs(ctx context.Context, p odoo.Picking) (ref ledger.OdooRef, done bool, err error) {
	if says, foreign := r.foreign(p); foreign {
		return ref, false, r.leaveTo(ctx, p, says)
	}
	return refOf(p), true, nil
}
