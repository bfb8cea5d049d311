package receive

import (
	"math/bits"
	"time"

	"branchline/agent/scan"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// Reference is what the branch knows of Odoo. It may know nothing; then the
// desk works with what is scanned, and says that nothing was checked. It is
// asked several times for each scan and must answer from memory, from any
// goroutine.
type Reference interface {
	// Find gives the one product that a code means, and how many of its own
	// unit one item with the code is.
	Find(code movement.Product) (p feed.Product, units movement.Quantity, ok bool)
	// Product gives a product by its key.
	Product(key string) (feed.Product, bool)
	// Deliveries lists what is expected, by the dates it is due.
	Deliveries() []feed.Delivery
	// Delivery gives what is expected of an order or delivery.
	Delivery(doc movement.Document) (feed.Delivery, bool)
	// Stock gives the lots on hand of a product by its key, in the order in
	// which they should go.
	Stock(product string) []feed.LotStock
	// Branches lists the other branches, by their codes.
	Branches() []feed.Branch
	// AsOf is the moment for which a kind is known; zero for never.
	AsOf(k feed.Kind) time.Time
}

// nothing is the Reference of a branch that knows nothing.
type nothing struct{}

func (nothing) Find(movement.Product) (p feed.Product, units movement.Quantity, ok bool) {
	return p, 0, false
}
func (nothing) Product(string) (p feed.Product, ok bool)              { return p, false }
func (nothing) Deliveries() []feed.Delivery                           { return nil }
func (nothing) Delivery(movement.Document) (d feed.Delivery, ok bool) { return d, false }
func (nothing) Stock(string) []feed.LotStock                          { return nil }
func (nothing) Branches() []feed.Branch                               { return nil }
func (nothing) AsOf(feed.Kind) time.Time                              { return time.Time{} }

// goods is what a code means, as far as the branch knows.
type goods struct {
	// key tells products apart: the catalogue's, or the code where it is not
	// in the catalogue.
	key string
	// product is zero, and units one, unless known.
	product feed.Product
	units   movement.Quantity
	known   bool
}

// knowledge is a Reference with what was asked of it, for one look at one
// session.
type knowledge struct {
	Reference
	cfg   *Config
	found map[movement.Product]goods
	// order is what is expected of the session's document; checked is false
	// when nothing is known of it.
	order   feed.Delivery
	checked bool
	// lines are the order's by the keys of their products, coded by the codes
	// that they name.
	lines map[string]*feed.DeliveryLine
	coded map[movement.Product]*feed.DeliveryLine
}

// know is what r knows for a session, which may be nil.
func know(r Reference, cfg *Config, s *Session) *knowledge {
	k := &knowledge{Reference: r, cfg: cfg, found: map[movement.Product]goods{}}
	if s != nil && s.Purpose == scan.Receive {
		k.order, k.checked = r.Delivery(s.Document)
	}
	k.lines, k.coded = map[string]*feed.DeliveryLine{}, map[movement.Product]*feed.DeliveryLine{}
	for i := range k.order.Lines {
		l := &k.order.Lines[i]
		k.lines[productKey(l.Product)] = l
		if l.Code.Code != "" {
			k.coded[l.Code] = l
		}
	}
	return k
}

func (k *knowledge) of(code movement.Product) goods {
	g, asked := k.found[code]
	if asked {
		return g
	}
	g = goods{key: string(code.Scheme) + " " + code.Code, units: movement.Units(1)}
	if p, units, ok := k.Find(code); ok && units > 0 {
		g = goods{key: productKey(p.Key), product: p, units: units, known: true}
	} else if line := k.coded[code]; line != nil {
		// The order may be newer than the catalogue.
		g.key = productKey(line.Product)
		g.product, g.known = k.Product(line.Product)
	}
	k.found[code] = g
	return g
}

// productKey tells a product of the catalogue from a code that is in none.
func productKey(key string) string { return "product " + key }

// line is the order's line of a product; nil for none.
func (k *knowledge) line(g goods) *feed.DeliveryLine { return k.lines[g.key] }

// name is how people call it.
func (g *goods) name(code movement.Product) string {
	if g.known && g.product.Name != "" {
		return g.product.Name
	}
	return code.Words()
}

// ofLot names an item and its lot.
func (g *goods) ofLot(it *scan.Item) string {
	if it.Lot == "" {
		return g.name(it.Product)
	}
	return "Lot " + it.Lot + " of " + g.name(it.Product)
}

// own is a quantity of items in the product's own unit. What is beyond all
// bounds is the most there can be.
func (g *goods) own(q movement.Quantity) movement.Quantity {
	return times(q, g.units)
}

// times multiplies two quantities that are not negative.
func times(a, b movement.Quantity) movement.Quantity {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi >= movement.QuantityScale {
		return movement.MaxQuantity
	}
	quo, _ := bits.Div64(hi, lo, movement.QuantityScale)
	if quo > uint64(movement.MaxQuantity) {
		return movement.MaxQuantity
	}
	return movement.Quantity(quo)
}

// expiryOf is the expiry of a lot in stock, zero if it is not known.
func (k *knowledge) expiryOf(g goods, lot string) movement.Date {
	if g.known && lot != "" {
		for _, s := range k.Stock(g.product.Key) {
			if s.Lot == lot {
				return s.Expiry
			}
		}
	}
	return movement.Date{}
}

// first is the lot in stock that should go before one of the expiry; ok is
// false where there is none.
func (k *knowledge) first(g goods, lot string, expiry, today movement.Date) (s feed.LotStock, ok bool) {
	if !g.known {
		return s, false
	}
	for _, s := range k.Stock(g.product.Key) {
		usable := s.Lot != "" && s.Lot != lot && s.Quantity > 0 && !s.Expiry.IsZero() && !s.Expiry.Before(today)
		if usable && (expiry.IsZero() || s.Expiry.Before(expiry)) {
			return s, true
		}
	}
	return s, false
}
