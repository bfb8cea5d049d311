package post

import (
	"context"
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
func (p *Poster) adopt(ctx context.Context, swept time.Time) error {
	since := swept.Add(-sweepMargin - p.cfg.SweepEvery)
	if swept.IsZero() {
		last, err := p.ledger.LastDone(ctx)
		if err != nil {
			return err
		}
		if since = last; !last.IsZero() {
			since = last.Add(-adoptMargin)
		}
	}
	found, err := through(ctx, p.gate, 1, func(ctx context.Context, o Odoo) ([]odoo.Picking, error) {
		return o.MarkedSince(ctx, "BL/", since)
	})
	if err != nil {
		return err
	}
	for i := range found {
		if err := p.look(ctx, &found[i]); err != nil {
			return err
		}
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
	if !ok || d.State == odoo.Cancelled {
		return nil // a copy of a marker, or nothing that moves stock
	}
	says, err := read(m)
	if err != nil {
		// Anybody in Odoo can write a note. It names no movement of ours.
		p.log.Warn("a marker in Odoo cannot be read", "document", d.Name, "odoo_id", d.ID, "err", err)
		return nil
	}
	if len(p.cfg.Branches) > 0 && !slices.Contains(p.cfg.Branches, says.branch) {
		return nil // of another hub that uses the same Odoo
	}
	known, exists, err := p.ledger.PostingByName(ctx, m.Posting)
	if err != nil {
		return err
	}
	if exists && known.State.Alive() {
		return nil // posted, or the next run of the posting finds it
	}
	if d.State == odoo.Done {
		return p.take(ctx, d, says)
	}
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
	if fault.ClassOf(err) == fault.Data {
		// It names movements that cannot be; nothing of ours can be posted twice
		// by it, and nobody waits for it.
		p.log.Error("a document in Odoo cannot be adopted", "document", d.Name, "odoo_id", d.ID, "err", err)
		return nil
	}
	if err != nil {
		return err
	}
	p.metrics.adopted.Inc()
	p.log.Warn("a document in Odoo that the ledger did not know is adopted", "branch", says.branch, "posting", says.posting, "document", d.Name)
	return nil
}
