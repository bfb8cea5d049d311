package plan

import (
	"cmp"
	"math"
	"slices"

	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// What becomes of a dispensing without a lot, of a product that has lots.
const (
	LotByPerson   = "person"   // it goes to a person
	LotByEarliest = "earliest" // it is of the lot that expires first
)

// choosesLot tells whether the movement's lot is left to the hub.
func (p *planner) choosesLot(r *resolved) bool {
	return p.in.Settings.WithoutLot == LotByEarliest && r.m.Kind == movement.Dispense && r.it.product.Tracking == odoo.ByLot && r.lot == ""
}

// shelfLot is what the branch has of one lot, in the product's own unit, less
// what postings under way and this plan take of it.
type shelfLot struct {
	odoo.Lot
	left movement.Quantity
}

// choose gives a movement the lot that expires first among those of which the
// branch has enough, as Odoo's stock is now. It is one lot, since a movement goes
// into one line of one document; false when it was refused or waits.
func (p *planner) choose(r *resolved) bool {
	product := &r.it.product
	if p.in.Stock == nil {
		if !slices.Contains(p.out.StockOf, product.ID) {
			p.out.StockOf = append(p.out.StockOf, product.ID)
		}
		p.wait(WaitOdoo)
		return false
	}
	shelf, strange := p.shelf(product.ID)
	if strange && !p.in.MissingIsFinal {
		p.wait(WaitCatalogue)
		return false
	}
	good := movement.Quantity(0)
	for _, l := range shelf {
		expiry := odoo.ExpiryDate(l.Expires, p.in.Branch.Zone)
		if l.left <= 0 || !expiry.IsZero() && expiry.Before(r.day) {
			continue
		}
		good += l.left
		if l.left >= r.quantity {
			l.left -= r.quantity
			r.lot, r.known, r.expiry, r.chosen = l.Name, l.Lot, expiry, true
			return true
		}
	}
	if p.comes[product.ID] || p.in.MoreLots {
		p.wait(WaitLot) // goods on their way, or a document that is being made
		return false
	}
	p.refuse(r.m, LotMissing, "lot", "correct the stock of its lots in Odoo, then branchline-hub retry; or record it again at the branch with its lot, then branchline-hub discard takes this one out",
		"the line has no lot of %s, and of no lot that is not expired has the branch the %s that were handed out (%s in all such lots)", product.Name, r.quantity, good)
	return false
}

// shelf are the branch's lots of a product, the one that expires first in front
// and those without an expiry at the end. strange tells that there are lots that
// the catalogue does not know, as when they were made a moment ago: their expiry
// is not known, and they are not among them.
func (p *planner) shelf(product int64) (all []*shelfLot, strange bool) {
	if s, ok := p.shelves[product]; ok {
		return s, p.strange[product]
	}
	for _, h := range p.in.Stock {
		if h.ProductID != product || h.LotID == 0 {
			continue
		}
		lot, ok := p.in.Catalogue.Lot(product, p.in.Branch.Warehouse.CompanyID, h.LotName)
		if !ok || lot.ID != h.LotID {
			p.strange[product] = true
			continue
		}
		all = append(all, &shelfLot{lot, movement.Quantity(math.Floor(h.Quantity*movement.QuantityScale+0.5)) - p.taken[lotKey{product, lot.Name}]})
	}
	slices.SortFunc(all, func(a, b *shelfLot) int {
		switch {
		case a.Expires.IsZero() != b.Expires.IsZero():
			if a.Expires.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.ID, b.ID))
	})
	p.shelves[product] = all
	return all, p.strange[product]
}
