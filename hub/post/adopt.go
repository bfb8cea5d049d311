package post

import (
	"context"
	"errors"
	"slices"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// decide finds out what a document with a marker or a name of ours is to this hub. A
// receipt has Odoo's own name: one whose marker was taken out cannot be told from one
// that people have posted.
func (l *look) decide(ctx context.Context, d *odoo.Picking) error {
	p := l.p
	m, ok := odoo.MarkerOf(*d)
	if !ok {
		name, altered := odoo.AlteredMarker(d.Note)
		switch _, ours := ledger.BranchOfPosting(d.Name); {
		case ours && altered:
			return l.doubt(ctx, d, d.Name, errors.New("its marker was altered"))
		case ours:
			return l.doubt(ctx, d, d.Name, errors.New("its marker was taken out of its note"))
		case altered:
			return l.doubt(ctx, d, name, errors.New("its marker was altered"))
		}
		return nil // a copy of a marker
	}
	says, err := read(m)
	if err != nil {
		return l.doubt(ctx, d, m.Posting, err)
	}
	if d.State == odoo.Cancelled || !l.concerns(says.branch) {
		return nil // nothing that moves stock, or another hub's
	}
	known, exists, err := p.ledger.PostingByName(ctx, m.Posting)
	switch {
	case err != nil:
		return err
	case exists && known.State == ledger.PostingDone && d.State == odoo.Done && known.Odoo.ID != d.ID:
		return p.ledger.TellDouble(ctx, m.Posting, refOf(*d), p.clock())
	case exists && known.State.Alive():
		if d.State == odoo.Done && m.PickingID != 0 && !finds(&known, d.ID) {
			return p.take(ctx, d, says)
		}
		return nil // posted, or the next run of the posting finds it
	case d.State == odoo.Done:
		return p.take(ctx, d, says)
	case !p.serves(says.branch):
		return nil // perhaps another hub is about to post it
	}
	return p.takeBack(ctx, d, m)
}

// finds tells whether the next run of a posting comes upon a receipt. The posting may
// be planned for another one: what it was planned for when it was posted, a ledger
// that was put back no longer knows.
func finds(known *ledger.Posting, receipt int64) bool {
	if known.State == ledger.PostingDone {
		return true
	}
	body, err := ledger.DecodeBody(known.Body)
	return err == nil && body.ReceiptID == receipt
}

// doubt is for a document whose marker cannot be read, or is gone, and that names a
// posting. The ledger may know it all the same.
func (l *look) doubt(ctx context.Context, d *odoo.Picking, posting string, why error) error {
	branch, ok := ledger.BranchOfPosting(posting)
	if !ok {
		// Anybody in Odoo can write a note; the hub never wrote this one.
		l.p.log.Warn("a marker in Odoo cannot be read", "document", d.Name, "odoo_id", d.ID, "err", why)
		return nil
	}
	if d.State != odoo.Done || !l.concerns(branch) {
		return nil // it has moved nothing, or is another hub's
	}
	if known, err := l.p.ledger.KnowsDocument(ctx, refOf(*d)); err != nil || known {
		return err
	}
	return l.p.keep(ctx, d, marked{posting: posting, branch: branch}, why)
}

// concerns tells whether this hub posts anything of a branch.
func (l *look) concerns(branch string) bool {
	return l.p.cfg.Branches == nil || slices.Contains(l.branches, branch)
}

// serves tells whether a branch is one of this hub: several may use one Odoo.
func (p *Poster) serves(branch string) bool {
	return p.cfg.Branches == nil || slices.Contains(p.cfg.Branches, branch)
}

// takeBack undoes a document that is not done and that nobody waits for.
func (p *Poster) takeBack(ctx context.Context, d *odoo.Picking, m odoo.Marker) (err error) {
	p.log.Warn("a document of ours that nobody waits for is taken back", "posting", m.Posting, "document", d.Name, "odoo_id", d.ID)
	if m.PickingID != 0 {
		err = p.reset(ctx, *d)
	} else {
		err = p.gate.do(ctx, 2, func(ctx context.Context, o Odoo) error { return o.WithdrawPicking(ctx, *d) })
	}
	if class := fault.ClassOf(err); err != nil && ctx.Err() == nil && (class == fault.Data || class == fault.Defect) {
		// One document that Odoo will not let go of holds up nobody else; a
		// person who validates it finds it adopted.
		p.log.Error("it cannot be taken back, look at it in Odoo", "document", d.Name, "odoo_id", d.ID, "err", err)
		return nil
	}
	return err
}

// take adopts a document that is done.
func (p *Poster) take(ctx context.Context, d *odoo.Picking, says marked) error {
	of := ledger.NewPosting{Name: says.posting, Branch: says.branch, Kind: says.kind}
	if from, to, ok := ledger.TransferNumber(d.Origin); ok && from != to && of.Kind == movement.TransferIn {
		of.Document = movement.Document{Type: ledger.DocumentTransfer, Ref: d.Origin} // a box that counts as taken in
	}
	_, err := p.ledger.Adopt(ctx, ledger.Adopted{New: of,
		Odoo: refOf(*d), Runs: says.runs, At: p.clock()})
	if fault.CodeOf(err) == ledger.CodeNotAdoptable {
		return p.keep(ctx, d, says, err)
	}
	if err != nil {
		// Its movements could be posted again until it is adopted.
		p.hold(ledger.Unadopted{Odoo: refOf(*d), Branch: says.branch, Posting: says.posting, Why: err.Error(), NotedAt: p.clock()})
		return err
	}
	p.metrics.adopted.Inc()
	p.log.Warn("a document in Odoo that the ledger did not know is adopted", "branch", says.branch, "posting", says.posting, "document", d.Name)
	return nil
}
