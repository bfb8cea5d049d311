package room

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"

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
	// Codes are those under which it moved: a delivery's and a till's may be
	// different ones. Their quantities are in the product's own unit then.
	Codes []movement.Product
	Name  string
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
			if n := len(r.Products); n == 0 || r.Products[n-1].Codes[0] != s.Product {
				r.Products = append(r.Products, RecalledProduct{Codes: []movement.Product{s.Product}, Name: m.Name(s.Product)})
			}
			p := &r.Products[len(r.Products)-1]
			p.Branches = append(p.Branches, s)
		}
		for j := range r.Products {
			p := &r.Products[j]
			code := p.Codes[0]
			if _, ok := without[code]; !ok {
				if without[code], err = m.Ledger.WithoutLot(ctx, code); err != nil {
					return nil, err
				}
			}
			p.WithoutLot = without[code]
		}
		if r.Products, err = m.sameProducts(ctx, r.Products); err != nil {
			return nil, err
		}
		for j := range r.Products {
			r.Products[j].sum()
		}
	}
	return all, nil
}

func (p *RecalledProduct) sum() {
	for _, s := range p.Branches {
		if i := slices.IndexFunc(p.Sums, func(sum ledger.Stock) bool { return sum.Unit == s.Unit }); i < 0 {
			p.Sums = append(p.Sums, ledger.Stock{Unit: s.Unit, CameIn: s.CameIn, WentOut: s.WentOut, OnHand: s.OnHand})
		} else {
			add(&p.Sums[i], &s)
		}
	}
}

func add(to, s *ledger.Stock) {
	to.CameIn, to.WentOut, to.OnHand = to.CameIn+s.CameIn, to.WentOut+s.WentOut, to.OnHand+s.OnHand
}

// sameProducts joins the codes that mean the same product of Odoo, as when goods
// come in by their barcode and go out by the till's own number.
func (m *Room) sameProducts(ctx context.Context, all []RecalledProduct) ([]RecalledProduct, error) {
	byID := map[int64][]int{}
	var order []int64
	var joined []RecalledProduct
	for i := range all {
		id := -int64(i) - 1 // a code that nobody knows is by itself
		if found, _ := m.Catalogue.Find(all[i].Codes[0]); len(found) == 1 {
			id = found[0].ID
		}
		if byID[id] == nil {
			order = append(order, id)
		}
		byID[id] = append(byID[id], i)
	}
	for _, id := range order {
		p := all[byID[id][0]]
		if len(byID[id]) > 1 {
			p = RecalledProduct{Name: p.Name}
			for _, i := range byID[id] {
				p.Codes = append(p.Codes, all[i].Codes[0])
				p.Branches, p.WithoutLot = append(p.Branches, all[i].Branches...), append(p.WithoutLot, all[i].WithoutLot...)
			}
			var err error
			if p.Branches, err = m.perBranch(ctx, p.Branches); err != nil {
				return nil, err
			}
			if p.WithoutLot, err = m.perBranch(ctx, p.WithoutLot); err != nil {
				return nil, err
			}
		}
		joined = append(joined, p)
	}
	return joined, nil
}

// perBranch joins what one branch has under several codes of a product, in the
// product's own unit. A count is of all of them: of what was not counted then, only
// what moved after it is there beside.
func (m *Room) perBranch(ctx context.Context, all []ledger.Stock) ([]ledger.Stock, error) {
	counted := map[string]time.Time{}
	for _, s := range all {
		if s.CountedAt.After(counted[s.Branch]) {
			counted[s.Branch] = s.CountedAt
		}
	}
	slices.SortStableFunc(all, func(x, y ledger.Stock) int { return cmp.Compare(x.Branch, y.Branch) })
	var joined []ledger.Stock
	for _, s := range all {
		if at := counted[s.Branch]; s.CountedAt.Before(at) {
			var err error
			if s.OnHand, err = m.Ledger.StockSince(ctx, &s, at); err != nil {
				return nil, err
			}
			s.CountedAt = at
		}
		s = m.inOwnUnit(s)
		i := slices.IndexFunc(joined, func(j ledger.Stock) bool { return j.Branch == s.Branch && j.Unit == s.Unit })
		if i < 0 {
			joined = append(joined, s)
			continue
		}
		to := &joined[i]
		if to.Expiry.IsZero() || !s.Expiry.IsZero() && s.Expiry.Before(to.Expiry) {
			to.Expiry = s.Expiry
		}
		add(to, &s)
	}
	return joined, nil
}

// inOwnUnit tells items of a code in the product's own unit; what is in another
// unit stays as it is.
func (m *Room) inOwnUnit(s ledger.Stock) ledger.Stock {
	found, per := m.Catalogue.Find(s.Product)
	if len(found) == 1 && s.Unit == "" {
		s.CameIn, s.WentOut, s.OnHand = times(s.CameIn, per[0]), times(s.WentOut, per[0]), times(s.OnHand, per[0])
		s.Unit = found[0].UoM.Name
	}
	return s
}

// times is how many of a product's own unit so many items are.
func times(n, per movement.Quantity) movement.Quantity {
	all := new(big.Int).Mul(big.NewInt(int64(n)), big.NewInt(int64(per)))
	return movement.Quantity(all.Quo(all, big.NewInt(movement.QuantityScale)).Int64())
}

// Words names the codes, with a text between them.
func (p *RecalledProduct) Words(between string) string {
	var all []string
	for _, c := range p.Codes {
		all = append(all, c.Code)
	}
	return strings.Join(all, between)
}

func (p *RecalledProduct) schemes() string {
	var all []string
	for _, c := range p.Codes {
		all = append(all, string(c.Scheme))
	}
	return strings.Join(all, " ")
}

// LotUnknown counts what waits for a person and names no lot, so that it may be of
// any, and at how many branches.
func (m *Room) LotUnknown(ctx context.Context) (movements, branches int64, err error) {
	return m.Ledger.LotUnknown(ctx)
}

// WriteRecall writes the answer as CSV, a line for each branch, product and way of
// writing.
func WriteRecall(out io.Writer, all []Recalled) error {
	w := csv.NewWriter(out)
	_ = w.Write([]string{"lot", "branch", "scheme", "code", "product", "unit", "expiry", "came_in", "went_out", "should_be_on_hand", "remark"}) // Flush tells
	for _, r := range all {
		for _, p := range r.Products {
			line := func(s ledger.Stock, remark string) {
				_ = w.Write([]string{Cell(s.Lot), s.Branch, p.schemes(), Cell(p.Words(" ")), Cell(p.Name), Cell(s.Unit), s.Expiry.String(),
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
