package post

import (
	"context"
	"errors"
	"maps"
	"slices"

	"branchline/hub/ledger"
	"branchline/internal/odoo"
)

// This file is about documents that are done in Odoo and could not be adopted. What
// they have moved is not known, so nothing of their branches is posted until a
// person has settled them.

// keep leaves a document that cannot be adopted to a person, unless one has settled
// it.
func (p *Poster) keep(ctx context.Context, d *odoo.Picking, says marked, why error) error {
	if settled, err := p.ledger.IsSettled(ctx, refOf(*d)); err != nil || settled {
		return err
	}
	u := ledger.Unadopted{Odoo: refOf(*d), Branch: says.branch, Posting: says.posting, Why: why.Error(), NotedAt: p.clock()}
	p.hold(u)
	if err := p.ledger.KeepUnadopted(ctx, u); err != nil {
		return err
	}
	return errKept
}

// errKept says that a document stays with a person.
var errKept = errors.New("the document waits for a person")

// hold keeps a document's branch from being posted.
func (p *Poster) hold(u ledger.Unadopted) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unadopted == nil {
		p.unadopted = map[int64]ledger.Unadopted{}
	}
	if _, known := p.unadopted[u.Odoo.ID]; !known {
		p.log.Error("a document in Odoo cannot be adopted; its branch is not posted until a person has settled it", "branch", u.Branch,
			"posting", u.Posting, "document", u.Odoo.Name, "odoo_id", u.Odoo.ID, "err", u.Why)
	}
	p.unadopted[u.Odoo.ID] = u
}

// settled lets the branch of a document be posted again.
func (p *Poster) settled(ctx context.Context, id int64, how string) error {
	p.mu.Lock()
	u, held := p.unadopted[id]
	p.mu.Unlock()
	if !held {
		return nil
	}
	if err := p.ledger.SettleUnadopted(ctx, id, how, p.clock()); err != nil {
		return err
	}
	p.mu.Lock()
	delete(p.unadopted, id)
	clear(p.idle)
	p.mu.Unlock()
	p.log.Info("a document in Odoo that could not be adopted is settled", "branch", u.Branch, "document", u.Odoo.Name, "odoo_id", id)
	return nil
}

// withheld tells whether a branch must not be posted. The caller holds p.mu.
func (p *Poster) withheld(branch string) bool {
	for _, u := range p.unadopted {
		if u.Branch == branch {
			return true
		}
	}
	return false
}

func (p *Poster) stands(branch string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.withheld(branch)
}

// kept lists the documents by their ids. The caller holds p.mu.
func (p *Poster) kept() []ledger.Unadopted {
	var all []ledger.Unadopted
	for _, id := range slices.Sorted(maps.Keys(p.unadopted)) {
		all = append(all, p.unadopted[id])
	}
	return all
}
