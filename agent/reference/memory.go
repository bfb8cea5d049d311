package reference

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"branchline/internal/feed"
	"branchline/internal/movement"
)

// The words of package feed, for those who ask.
type (
	Product      = feed.Product
	Delivery     = feed.Delivery
	DeliveryLine = feed.DeliveryLine
	LotStock     = feed.LotStock
	Kind         = feed.Kind
)

// Match is a product that a code may mean.
type Match struct {
	Product Product
	// Units is how many of the product's own unit one item is.
	Units movement.Quantity
}

// Memory holds a few products, deliveries and lots in memory, with the methods
// of [Store]: for tests of what asks it. It must not be changed while it is
// asked.
type Memory struct {
	Catalogue []Product
	Expected  []Delivery
	OnHand    []feed.Stock
	// Others are the other branches, by their codes.
	Others []feed.Branch
	// At is what AsOf answers for each kind that there is something of.
	At time.Time
}

// Find gives the one product that a code means, and how many of its own unit
// one item is. ok is false when none has the code, or more than one: see
// Matches. A product that is archived is found when no other has the code.
func (m *Memory) Find(code movement.Product) (p Product, units movement.Quantity, ok bool) {
	return only(m.Matches(code))
}

// Matches gives the products that a code may mean: the one that people have
// said, else those that Odoo knows by it.
func (m *Memory) Matches(code movement.Product) []Match {
	var hits []hit
	for i := range m.Catalogue {
		hits = append(hits, hitsOf(&m.Catalogue[i], code)...)
	}
	return choose(hits)
}

// Product gives a product by its key.
func (m *Memory) Product(key string) (Product, bool) {
	for _, p := range m.Catalogue {
		if p.Key == key {
			return p, true
		}
	}
	return Product{}, false
}

// Search finds products that may be moved by the beginnings of the words of
// their names, or of their codes, all of which must be there; at most limit of
// them, by name.
func (m *Memory) Search(text string, limit int) []Product {
	words := feed.Words(text)
	var found []Product
	for _, p := range m.Catalogue {
		if p.Active() && len(words) > 0 && p.Has(words) {
			found = append(found, p)
		}
	}
	byName(found)
	return found[:min(limit, len(found))]
}

// Deliveries lists what is expected, by the dates it is due.
func (m *Memory) Deliveries() []Delivery {
	list := slices.Clone(m.Expected)
	byDue(list)
	return list
}

// Delivery gives what is expected of an order or delivery; several deliveries
// of one order are joined. ok is false if nothing is.
func (m *Memory) Delivery(doc movement.Document) (d Delivery, ok bool) {
	return deliveryFor(m.Deliveries(), doc)
}

// Stock gives the lots on hand of a product by its key, in the order in which
// they should go.
func (m *Memory) Stock(product string) []LotStock {
	for _, s := range m.OnHand {
		if s.Product == product {
			return slices.Clone(s.Lots)
		}
	}
	return nil
}

// Branches lists the other branches, by their codes.
func (m *Memory) Branches() []feed.Branch { return slices.Clone(m.Others) }

// AsOf is the moment for which a kind is known; zero for never.
func (m *Memory) AsOf(k Kind) time.Time {
	if k == feed.Catalogue && m.Catalogue != nil || k == feed.Deliveries && m.Expected != nil || k == feed.OnHand && m.OnHand != nil ||
		k == feed.Branches && m.Others != nil {
		return m.At
	}
	return time.Time{}
}

// hit is a match and whether people have said it.
type hit struct {
	Match
	alias bool
}

// hitsOf tells whether, and as what, a product has a code.
func hitsOf(p *Product, code movement.Product) []hit {
	var hits []hit
	for _, c := range p.Codes() {
		letter := !c.Alias && c.Scheme == movement.SKU && code.Scheme != movement.GTIN && c.Code == code.Code
		if letter || c.Product == code {
			h := hit{Match{*p, c.Units}, c.Alias}
			if !slices.ContainsFunc(hits, func(o hit) bool { return o.Units == h.Units && o.alias == h.alias }) {
				hits = append(hits, h)
			}
		}
	}
	return hits
}

// choose keeps what people have said, else the products that may be moved, else
// the others.
func choose(hits []hit) []Match {
	var said, moved, other []Match
	for _, h := range hits {
		switch {
		case h.alias:
			said = append(said, h.Match)
		case !h.Product.Archived:
			moved = append(moved, h.Match)
		default:
			other = append(other, h.Match)
		}
	}
	switch {
	case said != nil:
		return said
	case moved != nil:
		return moved
	}
	return other
}

func only(list []Match) (Product, movement.Quantity, bool) {
	if len(list) != 1 {
		return Product{}, 0, false
	}
	return list[0].Product, list[0].Units, true
}

func byName(list []Product) {
	slices.SortStableFunc(list, func(a, b Product) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Key, b.Key))
	})
}

func byDue(list []Delivery) {
	slices.SortStableFunc(list, func(a, b Delivery) int {
		return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.Name, b.Name))
	})
}

func deliveryFor(list []Delivery, doc movement.Document) (Delivery, bool) {
	var of []Delivery
	for _, d := range list {
		if d.For(doc) {
			of = append(of, d)
		}
	}
	return feed.Join(of), len(of) > 0
}
