package catalogue

import (
	"cmp"
	"slices"

	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Good is a product with all its codes, as [Catalogue.Find] finds it.
type Good struct {
	odoo.Product
	// Unit is the name of its own unit.
	Unit string
	// Packs are its barcodes on packs, Aliases the codes that people have said
	// mean it; both sorted.
	Packs   []GoodPack
	Aliases []movement.Product
}

// GoodPack is a barcode of 14 digits and how many of the product's own unit it
// stands for.
type GoodPack struct {
	GTIN string
	Per  movement.Quantity
}

// Goods lists all products, in the order of their ids.
func (c *Catalogue) Goods() []Good {
	c.mu.RLock()
	defer c.mu.RUnlock()
	goods := make([]Good, 0, len(c.data.Products))
	for _, p := range c.data.Products {
		unit := p.UoM.Name
		if u, ok := c.index.uoms[p.UoM.ID]; ok {
			unit = u.Name
		}
		goods = append(goods, Good{Product: p, Unit: unit})
	}
	slices.SortFunc(goods, func(a, b Good) int { return cmp.Compare(a.ID, b.ID) })
	at := func(id int64) *Good {
		i, ok := slices.BinarySearchFunc(goods, id, func(g Good, id int64) int { return cmp.Compare(g.ID, id) })
		if !ok {
			return nil
		}
		return &goods[i]
	}
	for i := range c.data.Packs {
		pack := &c.data.Packs[i]
		code := gtin14(pack.Barcode)
		per, ok := c.data.perPack(pack, c.index.uoms)
		if g := at(pack.ProductID); g != nil && code != "" && ok && !slices.Contains(g.Packs, GoodPack{code, per}) {
			g.Packs = append(g.Packs, GoodPack{code, per})
		}
	}
	for code, id := range c.aliases {
		if g := at(id); g != nil {
			g.Aliases = append(g.Aliases, code)
		}
	}
	for i := range goods {
		slices.SortFunc(goods[i].Packs, func(a, b GoodPack) int { return cmp.Or(cmp.Compare(a.GTIN, b.GTIN), cmp.Compare(a.Per, b.Per)) })
		slices.SortFunc(goods[i].Aliases, func(a, b movement.Product) int {
			return cmp.Or(cmp.Compare(a.Scheme, b.Scheme), cmp.Compare(a.Code, b.Code))
		})
	}
	return goods
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
