package rig

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"branchline/internal/movement"
)

// Book is what must stand in Odoo in the end: the stock that follows from what
// was scanned and exported, and what must wait for a person.
type Book struct {
	mu     sync.Mutex
	stock  map[*Branch]map[Item]movement.Quantity
	people map[*Branch]map[string]int
}

// NewBook starts with nothing.
func NewBook() *Book {
	return &Book{stock: map[*Branch]map[Item]movement.Quantity{}, people: map[*Branch]map[string]int{}}
}

// Move adds a change of stock, negative for what went out.
func (b *Book) Move(br *Branch, item Item, q movement.Quantity) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stock[br] == nil {
		b.stock[br] = map[Item]movement.Quantity{}
	}
	b.stock[br][item] += q
}

// Person adds a movement that must go to a person for this reason.
func (b *Book) Person(br *Branch, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.people[br] == nil {
		b.people[br] = map[string]int{}
	}
	b.people[br][reason]++
}

// People tells what must wait for a person at a branch, by reason.
func (b *Book) People(br *Branch) map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.people[br])
}

// Differences compares with what Odoo has on hand at a branch: a sentence for
// each product and lot that is not equal, none when all is well.
func (b *Book) Differences(br *Branch, onHand map[Item]float64) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	items := map[Item]bool{}
	for i, q := range b.stock[br] {
		if q != 0 {
			items[i] = true
		}
	}
	for i := range onHand {
		items[i] = true
	}
	var out []string
	for i := range items {
		got, err := movement.QuantityFromFloat(onHand[i])
		if want := b.stock[br][i]; err != nil || got != want {
			out = append(out, fmt.Sprintf("%s: product %s lot %q: Odoo has %v, must be %v", br.Code, i.GTIN, i.Lot, onHand[i], want))
		}
	}
	slices.Sort(out)
	return out
}
