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

// Margins of a search in Odoo, all by Odoo's clock. The first one that this process
// makes for a branch allows for clocks that were set meanwhile; the later ones for
// what was under way in Odoo when it was searched before.
const (
	adoptMargin = 24 * time.Hour
	sweepMargin = time.Hour
)

// searchPage is how many documents are read at once.
const searchPage = 200

// everyBranch stands for all branches of an Odoo.
const everyBranch = ""

// search is one look through Odoo's documents whose names begin so, and which were
// written since.
type search struct {
	prefix string
	since  time.Time
}

// adopt looks in Odoo at the documents of ours that were changed of late. Those
// that are done and that the ledger does not know so are adopted; those that
// are not done and belong to no posting that is alive are taken back.
//
// For each branch the ledger keeps how far Odoo has been searched, which moves only
// after a search that succeeded whole. Branches that lag behind the others, since
// this hub did not serve them for a time, are searched for from there on; those that
// never were, from the beginning. took is how long the search before this one took.
// Until a branch has been searched for by this process, nothing of it is posted.
//
// A document that cannot be adopted hides no other: it is kept for a person, looked
// at again each time, and its branch is not posted until then, since its movements
// could be posted twice. Any other failure fails the whole, after the rest has
// been looked at.
func (p *Poster) adopt(ctx context.Context, took time.Duration) error {
	branches, err := p.branchesToSearch(ctx)
	if err != nil {
		return err
	}
	marks, err := p.ledger.Searched(ctx)
	if err != nil {
		return err
	}
	l := look{p: p, branches: branches}
	for _, b := range branches {
		l.newest = later(l.newest, marks[b])
	}
	if err := l.atKept(ctx); err != nil {
		return err
	}
	for _, s := range p.searches(branches, marks, sweepMargin+took) {
		if err := l.through(ctx, s); err != nil {
			return err
		}
	}
	if err := errors.Join(l.failed...); err != nil {
		return err
	}
	if now := p.clock(); l.newest.After(now) {
		l.newest = now // one of the two clocks is ahead, and will be right again
	}
	if !l.newest.IsZero() && len(branches) > 0 {
		if err := p.ledger.MarkSearched(ctx, branches, l.newest); err != nil {
			return err
		}
	}
	p.mu.Lock()
	p.adopted = true
	for _, b := range branches {
		p.searched[b] = true
	}
	p.mu.Unlock()
	p.works()
	return nil
}

// branchesToSearch are those that this hub serves, and those that have postings
// still to be made, though it serves them no longer.
func (p *Poster) branchesToSearch(ctx context.Context) ([]string, error) {
	if p.cfg.Branches == nil {
		return []string{everyBranch}, nil
	}
	all, err := p.ledger.BranchesWithPostings(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.Concat(p.cfg.Branches, all)
	slices.Sort(all)
	return slices.Compact(all), nil
}

// searches are the looks to be taken: one for all the branches that were searched
// for furthest, and one for each of the others.
func (p *Poster) searches(branches []string, marks map[string]time.Time, margin time.Duration) (all []search) {
	if len(branches) == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var newest time.Time
	for _, b := range branches {
		newest = later(newest, marks[b])
	}
	before := func(mark time.Time, margin time.Duration) time.Time {
		// A moment that has yet to come was told by a clock that was wrong.
		if mark.IsZero() || mark.After(p.clock().Add(adoptMargin)) {
			return time.Time{}
		}
		return mark.Add(-margin)
	}
	for _, b := range branches {
		switch mark := marks[b]; {
		case !mark.Equal(newest):
			all = append(all, search{ledger.PostingPrefix(b), before(mark, adoptMargin)})
		case !p.searched[b]:
			margin = max(margin, adoptMargin)
		}
	}
	return append(all, search{"BL/", before(newest, margin)})
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// look is what one search for documents of ours has come upon.
type look struct {
	p        *Poster
	branches []string
	// newest is when Odoo wrote the newest document, or that of an earlier search.
	newest time.Time
	failed []error
}

// through takes one look, page by page.
func (l *look) through(ctx context.Context, s search) error {
	for last := int64(0); ; {
		found, err := through(ctx, l.p.gate, 1, func(ctx context.Context, o Odoo) ([]odoo.Picking, error) {
			return o.OursSince(ctx, s.prefix, s.since, last, searchPage)
		})
		if err != nil {
			return err
		}
		for i := range found {
			last = found[i].ID
			if err := l.at(ctx, &found[i]); err != nil {
				return err
			}
		}
		if len(found) < searchPage {
			return nil
		}
	}
}

// at decides about a document. An error is not about this one alone.
func (l *look) at(ctx context.Context, d *odoo.Picking) error {
	l.newest = later(l.newest, d.Changed)
	err := l.decide(ctx, d)
	if err == nil {
		err = l.p.settled(ctx, d.ID, "it is adopted or cancelled, or bears no marker of ours any more")
	}
	if errors.Is(err, errKept) {
		return nil
	}
	if class := fault.ClassOf(err); err != nil && (ctx.Err() != nil || class == fault.Transient || class == fault.Setup) {
		return err
	}
	const enough = 20
	if err != nil && len(l.failed) < enough {
		l.failed = append(l.failed, fmt.Errorf("%s: %w", d.Name, err))
	}
	return nil
}

// atKept looks again at the documents that were kept for a person.
func (l *look) atKept(ctx context.Context) error {
	kept, err := l.p.ledger.Unadopted(ctx)
	if err != nil {
		return err
	}
	for _, u := range kept {
		l.p.hold(u)
	}
	for _, u := range l.p.Status().Unadopted {
		d, err := l.p.gate.byID(ctx, u.Odoo.ID)
		if err != nil {
			return err
		}
		if d.found {
			err = l.at(ctx, &d.Picking)
		} else {
			err = l.p.settled(ctx, u.Odoo.ID, "it is no longer in Odoo")
		}
		if err != nil {
			return err
		}
	}
	return nil
}
