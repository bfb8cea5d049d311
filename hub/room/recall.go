package room

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"branchline/hub/ledger"
	"branchline/internal/movement"
)

// Recalled answers for one lot number as it was written.
type Recalled struct {
	Lot string
	// Asked tells that it is written as it was asked for.
	Asked    bool
	Products []RecalledProduct
	Waiting  []ledger.Movement
	Waits    int64
}

// RecalledProduct is one product of the lot: different products may have lots of
// the same number.
type RecalledProduct struct {
	Product movement.Product
	Name    string
	// Branches are those that had it, and Sums are over them, by unit.
	Branches []ledger.Stock
	Sums     []ledger.Stock
	// WithoutLot is what came or left at any branch without a lot number, of
	// which nobody can say that it was not this lot.
	WithoutLot []ledger.Stock
}

// Recall answers for a lot number over all branches: what came in, went out and
// should be on hand, whatever way the number was written.
func (m *Room) Recall(ctx context.Context, lot string) ([]Recalled, error) {
	lot = strings.TrimSpace(lot)
	found, err := m.Ledger.Recall(ctx, lot)
	if err != nil {
		return nil, err
	}
	without := map[movement.Product][]ledger.Stock{}
	all := make([]Recalled, len(found))
	for i, f := range found {
		r := &all[i]
		r.Lot, r.Asked, r.Waiting, r.Waits = f.Lot, f.Lot == lot, f.Waiting, f.Waits
		for _, s := range f.Stock {
			if n := len(r.Products); n == 0 || r.Products[n-1].Product != s.Product {
				r.Products = append(r.Products, RecalledProduct{Product: s.Product, Name: m.Name(s.Product)})
			}
			p := &r.Products[len(r.Products)-1]
			p.Branches = append(p.Branches, s)
			p.add(s)
		}
		for j := range r.Products {
			p := &r.Products[j]
			if _, ok := without[p.Product]; !ok {
				if without[p.Product], err = m.Ledger.WithoutLot(ctx, p.Product); err != nil {
					return nil, err
				}
			}
			p.WithoutLot = without[p.Product]
		}
	}
	return all, nil
}

func (p *RecalledProduct) add(s ledger.Stock) {
	for i := range p.Sums {
		if sum := &p.Sums[i]; sum.Unit == s.Unit {
			sum.CameIn, sum.WentOut, sum.OnHand = sum.CameIn+s.CameIn, sum.WentOut+s.WentOut, sum.OnHand+s.OnHand
			return
		}
	}
	p.Sums = append(p.Sums, ledger.Stock{Unit: s.Unit, CameIn: s.CameIn, WentOut: s.WentOut, OnHand: s.OnHand})
}

// WriteRecall writes the answer as CSV, a line for each branch, product and way of
// writing.
func WriteRecall(out io.Writer, all []Recalled) error {
	w := csv.NewWriter(out)
	_ = w.Write([]string{"lot", "branch", "scheme", "code", "product", "unit", "expiry", "came_in", "went_out", "should_be_on_hand", "remark"}) // Flush tells
	for _, r := range all {
		for _, p := range r.Products {
			line := func(s ledger.Stock, remark string) {
				_ = w.Write([]string{Cell(s.Lot), s.Branch, string(p.Product.Scheme), Cell(p.Product.Code), Cell(p.Name), Cell(s.Unit), s.Expiry.String(),
					s.CameIn.String(), s.WentOut.String(), s.OnHand.String(), remark})
			}
			for _, s := range p.Branches {
				line(s, "")
			}
			for _, s := range p.WithoutLot {
				line(s, "without a lot number")
			}
		}
		for _, w2 := range r.Waiting {
			_ = w.Write([]string{Cell(w2.Lot), w2.Identity.Branch, string(w2.Product.Scheme), Cell(w2.Product.Code), "", Cell(w2.Unit), w2.Expiry.String(), "", "", "",
				fmt.Sprintf("%s of %s waits for a person: %s", w2.Kind, w2.Quantity, w2.Identity)})
		}
	}
	w.Flush()
	return w.Error()
}

// Cell is a text that a spreadsheet takes as text: one that begins like a formula
// gets an apostrophe before it.
func Cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
