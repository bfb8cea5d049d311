package app

import (
	"time"

	"branchline/agent/reference"
	"branchline/agent/web"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// knowledge shows the copy of Odoo's data to the page.
type knowledge struct{ *reference.Store }

const mostFound = 20

// Search finds products with their lots.
func (k knowledge) Search(text string) []web.Found {
	today := movement.DateOf(time.Now())
	var all []web.Found
	for _, p := range k.Store.Search(text, mostFound) {
		f := web.Found{Name: p.Name, Unit: p.Unit, Code: p.Code(), Tracking: trackingWords(&p)}
		for _, c := range p.Codes() {
			word := c.Product.Words()
			if c.Units != movement.Units(1) {
				word += " (" + c.Units.String() + " " + p.Unit + ")"
			}
			f.Codes = append(f.Codes, word)
		}
		for _, l := range k.Store.Stock(p.Key) {
			f.Lots = append(f.Lots, web.FoundLot{Lot: l.Lot, Expiry: l.Expiry, Quantity: l.Quantity,
				Expired: !l.Expiry.IsZero() && l.Expiry.Before(today)})
		}
		all = append(all, f)
	}
	return all
}

func trackingWords(p *feed.Product) string {
	switch p.Tracking {
	case feed.ByLot:
		return "followed by lot"
	case feed.BySerial:
		return "followed by serial number"
	}
	return "not followed by lot"
}

// AsOf is how old the copies are.
func (k knowledge) AsOf() (catalogue, stock time.Time) {
	return k.Store.AsOf(feed.Catalogue), k.Store.AsOf(feed.OnHand)
}
