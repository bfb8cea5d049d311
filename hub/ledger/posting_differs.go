package ledger

import (
	"cmp"
	"maps"
	"slices"

	"branchline/internal/movement"
)

// Moved is what a document in Odoo moves, or has moved, of a product and lot.
type Moved struct {
	ProductID, UoMID int64
	Lot              string
	Quantity         movement.Quantity
}

// LineDifference is a product and lot of which a document moves Off more than was
// posted, fewer if it is negative; or, with Off 0, a line in the unit of measure Is
// and not in Should.
type LineDifference struct {
	ProductID  int64
	Lot        string
	Off        movement.Quantity
	Is, Should int64
}

// DifferingLines holds what a document moves against what was posted. Of a product
// of which a line names no lot, since any is right, the lots are taken together.
func DifferingLines(posted []PostingLine, moves []Moved) (all []LineDifference) {
	type key struct {
		product int64
		lot     string
	}
	left, units, anyLot := map[key]movement.Quantity{}, map[int64]int64{}, map[int64]bool{}
	for i := range posted {
		l := &posted[i]
		units[l.ProductID] = l.UoMID
		if l.Lot == "" && slices.ContainsFunc(l.Parts, func(p PostingPart) bool { return p.Chosen }) {
			anyLot[l.ProductID] = true
		}
	}
	at := func(product int64, lot string) key {
		if anyLot[product] {
			lot = ""
		}
		return key{product, lot}
	}
	for i := range posted {
		left[at(posted[i].ProductID, posted[i].Lot)] -= posted[i].Quantity()
	}
	for _, m := range moves {
		if unit := units[m.ProductID]; unit != 0 && m.UoMID != unit {
			all = append(all, LineDifference{ProductID: m.ProductID, Lot: m.Lot, Is: m.UoMID, Should: unit})
		}
		left[at(m.ProductID, m.Lot)] += m.Quantity
	}
	for _, k := range slices.SortedFunc(maps.Keys(left), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.product, b.product), cmp.Compare(a.lot, b.lot))
	}) {
		if left[k] != 0 {
			all = append(all, LineDifference{ProductID: k.product, Lot: k.lot, Off: left[k]})
		}
	}
	return all
}
