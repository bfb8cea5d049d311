package post

import (
	"context"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
)

// This file is about adopted documents: somebody may have changed them in Odoo
// before they were validated, and a ledger that was put back no longer says so.

// Meaning tells what movements are in a document of Odoo, by product and lot; false
// while that cannot be told of some. A part of a tracked product without a lot is
// Chosen: any lot is right. It is asked by one goroutine.
type Meaning interface {
	Meant(ctx context.Context, all []ledger.Movement) (lines []ledger.PostingLine, ok bool, err error)
}

// comparableFor is for how long the movements of an adopted document are waited for.
const comparableFor = 90 * 24 * time.Hour

// compareAdopted holds adopted documents against their movements, where these have
// come again and are understood. The others wait for the next time.
func (p *Poster) compareAdopted(ctx context.Context) {
	defer p.comparing.Store(false)
	const page = 100
	for after := int64(0); ; {
		some, err := p.ledger.ToCompare(ctx, after, page)
		for _, c := range some {
			after = c.ID
			if err = p.compareOne(ctx, c); err == nil {
				continue
			}
			if ctx.Err() != nil || fault.ClassOf(err) != fault.Data {
				break
			}
			p.log.Warn("an adopted document cannot be compared", "posting", c.ID, "err", err)
			err = nil
		}
		if err != nil && ctx.Err() == nil {
			p.log.Warn("adopted documents cannot be compared now", "err", err)
		}
		if err != nil || len(some) < page {
			return
		}
	}
}

// compareOne compares one document, unless its time has not come.
func (p *Poster) compareOne(ctx context.Context, c ledger.ToCompare) error {
	compared, changed, err := p.compareWith(ctx, c)
	if err != nil || !compared {
		return err
	}
	return p.ledger.Compared(ctx, c.ID, changed, p.clock())
}

// compareWith tells what is otherwise in an adopted document than its movements say.
func (p *Poster) compareWith(ctx context.Context, c ledger.ToCompare) (compared bool, changed string, err error) {
	if c.Other { // a person looks at what is not the same in any case
		return true, "", nil
	}
	at, err := p.ledger.Posting(ctx, c.ID)
	if err != nil {
		return false, "", err
	}
	all, err := p.ledger.PostingMovements(ctx, c.ID)
	if err != nil {
		return false, "", err
	}
	var lines []ledger.PostingLine
	understood := int64(len(all)) >= at.Movements
	if understood {
		if lines, understood, err = p.meaning.Meant(ctx, all); err != nil {
			return false, "", err
		}
	}
	if !understood {
		if p.clock().Sub(c.AdoptedAt) < comparableFor {
			return false, "", nil
		}
		return true, at.Odoo.Name + " was adopted, and could not be compared: its movements have not come again, or their codes are not known", nil
	}
	d, err := p.gate.byID(ctx, at.Odoo.ID)
	if err != nil || !d.found {
		return err == nil, "", err
	}
	has, err := p.gate.lines(ctx, d.ID)
	if err != nil {
		return false, "", err
	}
	r := &run{p: p, at: at, body: &ledger.PostingBody{FromID: d.FromID, ToID: d.ToID, Lines: lines},
		log: p.log.With("branch", at.Branch, "posting", at.Name)}
	differences := r.differences(has)
	elsewhere, err := r.elsewhere(ctx, at.Odoo, has)
	if err != nil {
		return false, "", err
	}
	if differences = append(differences, elsewhere...); len(differences) == 0 {
		return true, "", nil
	}
	r.log.Error("an adopted document is otherwise than its movements", "document", d.Name, "odoo_id", d.ID, "err", told(differences, fewDifferences))
	return true, d.Name + " is done in Odoo otherwise than its movements say: " + told(differences, allDifferences), nil
}
