package catalogue

import (
	"cmp"
	"slices"
	"strconv"

	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Goods lists all products as the branches know them, in the order of their ids:
// found by the same codes as [Catalogue.Find] finds them. Services without a code
// are not among them.
func (c *Catalogue) Goods() []feed.Product {
	c.mu.RLock()
	defer c.mu.RUnlock()
	ids := make([]int64, 0, len(c.data.Products))
	for id, p := range c.data.Products {
		if p.Storable || p.Barcode != "" || p.Code != "" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	goods := make([]feed.Product, len(ids))
	for i, id := range ids {
		goods[i] = c.good(c.data.Products[id])
	}
	at := func(id int64) *feed.Product {
		i, ok := slices.BinarySearch(ids, id)
		if !ok {
			return new(feed.Product)
		}
		return &goods[i]
	}
	for i := range c.data.Packs {
		p := &c.data.Packs[i]
		per, ok := c.data.perPack(p, c.index.uoms)
		pack := feed.Pack{GTIN: gtin14(p.Barcode), Units: per}
		if g := at(p.ProductID); ok && pack.GTIN != "" && !slices.Contains(g.Packs, pack) {
			g.Packs = append(g.Packs, pack)
		}
	}
	for code, id := range c.aliases {
		g := at(id)
		g.Aliases = append(g.Aliases, code)
	}
	for i := range goods {
		slices.SortFunc(goods[i].Packs, func(a, b feed.Pack) int { return cmp.Or(cmp.Compare(a.GTIN, b.GTIN), cmp.Compare(a.Units, b.Units)) })
		slices.SortFunc(goods[i].Aliases, func(a, b movement.Product) int {
			return cmp.Or(cmp.Compare(a.Scheme, b.Scheme), cmp.Compare(a.Code, b.Code))
		})
	}
	return goods
}

func (c *Catalogue) good(p odoo.Product) feed.Product {
	g := feed.Product{Key: strconv.FormatInt(p.ID, 10), Name: feed.Name(p.Name), Reference: p.Code, Barcode: p.Barcode, Tracking: feed.ByQuantity,
		Expires: p.Expires, Unit: feed.Name(p.UoM.Name), Archived: !p.Active, Unstocked: !p.Storable}
	if u, ok := c.index.uoms[p.UoM.ID]; ok {
		g.Unit = feed.Name(u.Name)
	}
	switch p.Tracking {
	case odoo.ByLot:
		g.Tracking = feed.ByLot
	case odoo.BySerial:
		g.Tracking = feed.BySerial
	}
	return g
}

// LotOf gives a lot by its id.
func (c *Catalogue) LotOf(productID, lotID int64) (odoo.Lot, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	lots := c.data.Lots[productID]
	i, ok := slices.BinarySearchFunc(lots, lotID, func(l odoo.Lot, id int64) int { return cmp.Compare(l.ID, id) })
	if !ok {
		return odoo.Lot{}, false
	}
	return lots[i], true
}
