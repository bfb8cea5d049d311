package post

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/odoo"
)

// Margins for the difference between Odoo's clock and ours, and for what is
// under way.
const (
	adoptMargin = 24 * time.Hour
	sweepMargin = time.Hour
)

// adopt looks in Odoo at the documents of ours that were changed of late. Those
// that are done and that the ledger does not know so are adopted; those that
// are not done and belong to no posting that is alive are taken back. swept is
// when this was last done by this process; at first it is all since the
// ledger's last posting, and until it has succeeded nothing is posted.
//
// One that cannot be adopted hides no other: it is kept for a person, looked at
// again each time, and its branch is not posted until then, since its movements
// could be posted twice. Any other failure fails the whole, after the rest has
// been looked at.
func (p *Poster) adopt(ctx context.Context, swept time.Time) error {
	since := swept.Add(-sweepMargin - p.cfg.SweepEvery)
	if swept.IsZero() {
		last, err := p.ledger.LastDone(ctx)
		if err != nil {
			return err
		}
		// A moment that has yet to come was told by a clock that was wrong: then
		// all that there ever was is looked through.
		if !last.IsZero() && !last.After(p.clock()) {
			since = last.Add(-adoptMargin)
		} else {
			since = time.Time{}
		}
	}
	found, err := through(ctx, p.gate, 1, func(ctx context.Context, o Odoo) ([]odoo.Picking, error) {
		return o.MarkedSince(ctx, "BL/", since)
	})
	if err != nil {
		return err
	}
	if found, err = p.withKept(ctx, found); err != nil {
		return err
	}
	var failed []error
	for i := range found {
		err := p.look(ctx, &found[i])
		if err == nil {
			err = p.settled(ctx, found[i].ID, "it is adopted, cancelled, or bears no marker any more")
		}
		if errors.Is(err, errKept) {
			continue
		}
		if class := fault.ClassOf(err); err != nil && (ctx.Err() != nil || class == fault.Transient || class == fault.Setup) {
			return err // not about this document
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", found[i].Name, err))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	p.mu.Lock()
	p.adopted = true
	p.mu.Unlock()
	p.works()
	return nil
}

// look decides about one marked document.
func (p *Poster) look(ctx context.Context, d *odoo.Picking) error {
	m, ok := odoo.MarkerOf(*d)
	if !ok {
		if name, altered := odoo.AlteredMarker(d.Note); altered {
			return p.doubt(ctx, d, name, errors.New("its marker was altered"))
		}
		return nil // a copy of a marker
	}
	says, err := read(m)
	if err != nil {
		return p.doubt(ctx, d, m.Posting, err)
	}
	if d.State == odoo.Cancelled || !p.serves(says.branch) {
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

// doubt is for a document with a marker that cannot be read, and names a
// posting. The ledger may know it all the same.
func (p *Poster) doubt(ctx context.Context, d *odoo.Picking, posting string, why error) error {
	branch, ok := ledger.BranchOfPosting(posting)
	if !ok {
		// Anybody in Odoo can write a note; the hub never wrote this one.
		p.log.Warn("a marker in Odoo cannot be read", "document", d.Name, "odoo_id", d.ID, "err", why)
		return nil
	}
	if d.State != odoo.Done || !p.serves(branch) {
		return nil // it has moved nothing, or is another hub's
	}
	if known, err := p.ledger.KnowsDocument(ctx, refOf(*d)); err != nil || known {
		return err
	}
	return p.keep(ctx, d, marked{posting: posting, branch: branch}, why)
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
	_, err := p.ledger.Adopt(ctx, ledger.Adopted{New: ledger.NewPosting{Name: says.posting, Branch: says.branch, Kind: says.kind},
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
