package receive

import (
	"time"

	"branchline/internal/feed"
	"branchline/internal/movement"
)

// memo remembers what a Reference said for as long as it knows nothing newer: a
// delivery of hundreds of products is looked at anew with each scan, which must
// not read hundreds of rows from a disk. One goroutine at a time.
type memo struct {
	Reference
	asOf  [len(feedKinds)]time.Time
	goods map[movement.Product]found
	named map[string]named
	stock map[string][]feed.LotStock
	order map[movement.Document]ordered
}

var feedKinds = [...]feed.Kind{feed.Catalogue, feed.Deliveries, feed.OnHand}

// maxRemembered bounds the memory that it takes.
const maxRemembered = 20_000

type found struct {
	p     feed.Product
	units movement.Quantity
	ok    bool
}

type named struct {
	p  feed.Product
	ok bool
}

type ordered struct {
	d  feed.Delivery
	ok bool
}

// fresh forgets what may be old.
func (m *memo) fresh() *memo {
	var asOf [len(feedKinds)]time.Time
	for i, k := range feedKinds {
		asOf[i] = m.Reference.AsOf(k)
	}
	if m.goods == nil || asOf != m.asOf || len(m.goods)+len(m.named)+len(m.stock)+len(m.order) > maxRemembered {
		m.asOf, m.goods, m.named = asOf, map[movement.Product]found{}, map[string]named{}
		m.stock, m.order = map[string][]feed.LotStock{}, map[movement.Document]ordered{}
	}
	return m
}

func (m *memo) Find(code movement.Product) (feed.Product, movement.Quantity, bool) {
	f, asked := m.goods[code]
	if !asked {
		f.p, f.units, f.ok = m.Reference.Find(code)
		m.goods[code] = f
	}
	return f.p, f.units, f.ok
}

func (m *memo) Product(key string) (feed.Product, bool) {
	n, asked := m.named[key]
	if !asked {
		n.p, n.ok = m.Reference.Product(key)
		m.named[key] = n
	}
	return n.p, n.ok
}

func (m *memo) Stock(product string) []feed.LotStock {
	lots, asked := m.stock[product]
	if !asked {
		lots = m.Reference.Stock(product)
		m.stock[product] = lots
	}
	return lots
}

func (m *memo) Delivery(doc movement.Document) (feed.Delivery, bool) {
	o, asked := m.order[doc]
	if !asked {
		o.d, o.ok = m.Reference.Delivery(doc)
		m.order[doc] = o
	}
	return o.d, o.ok
}
