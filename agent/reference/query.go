package reference

import (
	"encoding/json"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// Find gives the one product that a code means, and how many of its own unit
// one item is. ok is false when none has the code, or more than one: see
// Matches. A product that is archived is found when no other has the code.
func (s *Store) Find(code movement.Product) (p Product, units movement.Quantity, ok bool) {
	return only(s.Matches(code))
}

// Matches gives the products that a code may mean: the one that people have
// said, else those that Odoo knows by it.
func (s *Store) Matches(code movement.Product) []Match {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var hits []hit
	s.rowsByHash(feed.Catalogue, []uint32{aliasHash(code), letterHash(code)}, func(row []byte) error {
		var p Product
		if err := json.Unmarshal(row, &p); err != nil {
			return err
		}
		hits = append(hits, hitsOf(&p, code)...)
		return nil
	})
	return choose(hits)
}

// Product gives a product by its key.
func (s *Store) Product(key string) (p Product, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.rowsByHash(feed.Catalogue, []uint32{keyHash(key)}, func(row []byte) error {
		var have Product
		if err := json.Unmarshal(row, &have); err != nil {
			return err
		}
		if have.Key == key {
			p, ok = have, true
		}
		return nil
	})
	return p, ok
}

// Stock gives the lots on hand of a product by its key, in the order in which
// they should go.
func (s *Store) Stock(product string) (lots []LotStock) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.rowsByHash(feed.OnHand, []uint32{keyHash(product)}, func(row []byte) error {
		var have feed.Stock
		if err := json.Unmarshal(row, &have); err != nil {
			return err
		}
		if have.Product == product {
			lots = have.Lots
		}
		return nil
	})
	return lots
}

// maxLooked bounds how many products a search looks at.
const maxLooked = 500

// Search finds products that may be moved by the beginnings of the words of
// their names, or of their codes, all of which must be there; at most limit of
// them, by name. Where hundreds fit, it is limit of some of them.
func (s *Store) Search(text string, limit int) []Product {
	words := feed.Words(text)
	if len(words) == 0 || limit < 1 {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tables[feed.Catalogue]
	if t == nil {
		return nil
	}
	var found []Product
	looked := 0
	s.ask(func(tx *bolt.Tx) error {
		for i := range t.parts {
			p := &t.parts[i]
			for _, row := range p.rowsWith(longest(words)) {
				if looked++; looked > maxLooked {
					return nil
				}
				var product Product
				if err := json.Unmarshal(tx.Bucket(rowsBucket).Get(rowKey(p.number, row)), &product); err != nil {
					return err
				}
				if product.Active() && product.Has(words) {
					found = append(found, product)
				}
			}
		}
		return nil
	})
	byName(found)
	return found[:min(limit, len(found))]
}

// rowsWith gives the rows that have words with all these beginnings, as far as
// the index can tell.
func (x *index) rowsWith(words []string) (rows []int) {
	for i, w := range words {
		var with []int
		from, to := wordRange(w)
		rowsOf(x.words, from, to, func(row int) {
			if i == 0 || slices.Contains(rows, row) {
				with = append(with, row)
			}
		})
		slices.Sort(with)
		if rows = slices.Compact(with); len(rows) == 0 {
			return nil
		}
	}
	return rows
}

// rowsByHash calls f with the rows that have one of the hashes, and perhaps
// others.
func (s *Store) rowsByHash(k feed.Kind, hashes []uint32, f func(row []byte) error) {
	type at struct {
		number uint32
		row    int
	}
	t := s.tables[k]
	if t == nil {
		return
	}
	var found []at
	for i := range t.parts {
		p := &t.parts[i]
		for _, h := range hashes {
			rowsOf(p.codes, h, h, func(row int) {
				if a := (at{p.number, row}); !slices.Contains(found, a) {
					found = append(found, a)
				}
			})
		}
	}
	if len(found) == 0 {
		return
	}
	s.ask(func(tx *bolt.Tx) error {
		for _, a := range found {
			if err := f(tx.Bucket(rowsBucket).Get(rowKey(a.number, a.row))); err != nil {
				return err
			}
		}
		return nil
	})
}

// Deliveries lists what is expected, by the dates it is due. The lines must not
// be changed.
func (s *Store) Deliveries() []Delivery {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.deliveries)
}

// Delivery gives what is expected of an order or delivery; several deliveries
// of one order are joined. ok is false if nothing is.
func (s *Store) Delivery(doc movement.Document) (d Delivery, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return deliveryFor(s.deliveries, doc)
}

// allDeliveries reads all of them. One with many lines is in several rows.
func allDeliveries(tx *bolt.Tx, t *table) ([]Delivery, error) {
	if t == nil {
		return nil, nil
	}
	var list []Delivery
	for i := range t.parts {
		p := &t.parts[i]
		for row := range p.rows {
			var d Delivery
			if err := json.Unmarshal(tx.Bucket(rowsBucket).Get(rowKey(p.number, row)), &d); err != nil {
				return nil, err
			}
			if n := len(list); n > 0 && list[n-1].Key == d.Key {
				list[n-1].Lines = append(list[n-1].Lines, d.Lines...)
				continue
			}
			list = append(list, d)
		}
	}
	byDue(list)
	return list, nil
}

// AsOf is the moment for which a kind is known; zero for never.
func (s *Store) AsOf(k Kind) time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.tables[k]; t != nil {
		return t.asOf
	}
	return time.Time{}
}

// State is what the agent reports of its copy.
func (s *Store) State() []wire.DocumentState {
	missing := s.fetch.missing()
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []wire.DocumentState
	for _, k := range feed.Kinds {
		d := wire.DocumentState{Kind: k.Channel(), Missing: missing[k]}
		if t := s.tables[k]; t != nil {
			d.Version, d.AsOf = t.version.String(), t.asOf
		}
		list = append(list, d)
	}
	return list
}
