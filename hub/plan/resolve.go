package plan

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Reason codes of exceptions.
const (
	UnknownProduct   = ledger.ReasonUnknownProduct
	AmbiguousProduct = "ambiguous_product"
	ArchivedProduct  = "archived_product"
	NotStocked       = "product_not_stocked"
	UnknownUnit      = "unknown_unit"
	UnitMismatch     = "unit_mismatch"
	InexactUnit      = "unit_inexact"
	CountDecision    = "count_needs_decision"
)

type itemKey struct {
	product movement.Product
	unit    string
}

// item is what a code and a unit mean, found once for all movements of both.
type item struct {
	product odoo.Product
	// One of the movement's quantity is num/den of the product's own unit, and
	// step is the smallest quantity in that unit.
	num, den uint64
	step     movement.Quantity
	// reason says why it cannot be resolved; wait that Odoo must be asked.
	reason, field, text, hint string
	wait                      bool
	// held tells that what the code means waits for a person.
	held bool
}

// resolved is a movement of which product, amount and direction are known.
type resolved struct {
	m        *ledger.Movement
	it       *item
	quantity movement.Quantity // positive, in the product's own unit
	incoming bool
	day      movement.Date
	lot      string
	known    odoo.Lot // ID 0 if Odoo does not know the lot
	expiry   movement.Date
	// chosen says that the lot was chosen by [LotByEarliest] and not read.
	chosen bool
}

// resolve tells product and amount; ok is false if the movement has been
// refused or waits.
func (p *planner) resolve(m *ledger.Movement) (r resolved, ok bool) {
	if m.Kind == movement.Count {
		p.refuse(m, CountDecision, "quantity", "compare it with Odoo's stock, record the difference as an adjustment, then branchline-hub discard takes the count out",
			"%s counted %s of %s; what that means for the stock now depends on what was moved since", p.in.Branch.Code, m.Quantity, m.Product.Code)
		return r, false
	}
	key := itemKey{m.Product, m.Unit}
	it := p.items[key]
	if it == nil {
		it = p.lookUp(key)
		p.items[key] = it
	}
	if it.wait {
		p.wait(WaitCatalogue)
		return r, false
	}
	if it.held {
		if !p.quiet {
			p.alarm("%s: goods wait whose code has an alias from before the ledger was put back: look at branchline-hub alias list, remove what is wrong, then branchline-hub alias confirm", p.in.Branch.Code)
		}
		p.wait(WaitSetup)
		return r, false
	}
	if it.reason != "" {
		p.refuse(m, it.reason, it.field, it.hint, "%s", it.text)
		return r, false
	}
	r = resolved{m: m, it: it, incoming: incoming(m), day: movement.DateOf(m.OccurredAt), expiry: m.Expiry}
	q := m.Quantity
	if q < 0 {
		q = -q
	}
	exact := false
	if r.quantity, exact = it.convert(q); !exact {
		p.refuse(m, InexactUnit, "quantity", "mend the unit in the branch's mapping or its rounding in Odoo, then branchline-hub retry, or record it again at the branch and branchline-hub discard this one",
			"%s %s of %s cannot be kept exactly in %s", m.Quantity, m.Unit, it.product.Name, it.product.UoM.Name)
		return r, false
	}
	return r, true
}

// incoming tells whether the goods come into the branch.
func incoming(m *ledger.Movement) bool {
	switch m.Kind {
	case movement.Receipt, movement.Return, movement.TransferIn:
		return true
	case movement.Adjustment:
		return m.Quantity > 0
	}
	return false
}

func (p *planner) lookUp(k itemKey) *item {
	if p.in.Catalogue.Held(k.product) {
		return &item{held: true}
	}
	found, per := p.in.Catalogue.Find(k.product)
	code := k.product.Words()
	switch len(found) {
	case 0:
		if !p.in.MissingIsFinal {
			return &item{wait: true}
		}
		return &item{reason: UnknownProduct, field: "product.code", text: "Odoo has no product with " + code,
			hint: "say what the code means (branchline-hub alias set), or enter it at the product in Odoo, then branchline-hub retry"}
	case 1:
	default:
		names := make([]string, len(found))
		for i, f := range found {
			names[i] = f.Name
		}
		return &item{reason: AmbiguousProduct, field: "product.code", text: clip(code+" belongs to more than one product in Odoo: "+strings.Join(names, ", "), 400),
			hint: "say which of them it means (branchline-hub alias set), or mend the barcodes in Odoo, then branchline-hub retry"}
	}
	it := &item{product: found[0], num: 1, den: 1}
	switch {
	case !it.product.Active:
		it.reason, it.field, it.text = ArchivedProduct, "product.code", fmt.Sprintf("%s is %s, which is archived in Odoo", code, it.product.Name)
		it.hint = "say which product is used now (branchline-hub alias set), or take the old one out of the archive, then branchline-hub retry"
		return it
	case !it.product.Storable:
		it.reason, it.field, it.text = NotStocked, "product.code", fmt.Sprintf("Odoo keeps no stock of %s (%s)", it.product.Name, code)
		it.hint = "let Odoo track the product's inventory, then branchline-hub retry, or branchline-hub discard"
		return it
	}
	own, _ := p.in.Catalogue.Unit(it.product.UoM.ID)
	it.step = movement.Quantity(math.Round(own.Rounding * movement.QuantityScale))
	if k.unit == "" {
		if per[0] != movement.QuantityScale {
			it.num, it.den = uint64(per[0]), movement.QuantityScale
		}
		return it
	}
	p.convertUnit(it, own, k.unit)
	return it
}

// convertUnit finds the unit by name among those that convert into the
// product's own.
func (p *planner) convertUnit(it *item, own odoo.UoM, name string) {
	all := p.in.Catalogue.Units(name)
	fits := slices.DeleteFunc(slices.Clone(all), func(u odoo.UoM) bool { return u.Family != own.Family || !u.Active && u.ID != own.ID })
	switch {
	case len(all) == 0 && !p.in.MissingIsFinal:
		it.wait = true
	case len(all) == 0:
		it.reason, it.field, it.text = UnknownUnit, "unit", fmt.Sprintf("Odoo has no unit of measure %q", name)
		it.hint = "name the unit as Odoo does, in the branch's mapping, or make it in Odoo, then branchline-hub retry"
	case len(fits) != 1:
		it.reason, it.field, it.text = UnitMismatch, "unit", fmt.Sprintf("%q is not one unit that converts into %s, in which %s is kept", name, own.Name, it.product.Name)
		it.hint = "correct the unit in the branch's mapping or at the product in Odoo, then branchline-hub retry"
	default:
		var ok bool
		if it.num, it.den, ok = ratio(fits[0].Ratio, own.Ratio); !ok {
			it.reason, it.field, it.text = InexactUnit, "unit", fmt.Sprintf("%q is no exact multiple or part of %s", name, own.Name)
			it.hint = "mend the unit's ratio in Odoo, then branchline-hub retry"
		}
	}
}

// convert is exact: ok is false for what does not come out even, or is beyond
// all bounds.
func (it *item) convert(q movement.Quantity) (movement.Quantity, bool) {
	if it.num != it.den {
		hi, lo := bits.Mul64(uint64(q), it.num)
		if hi >= it.den {
			return 0, false
		}
		quo, rem := bits.Div64(hi, lo, it.den)
		if rem != 0 || quo > uint64(movement.MaxQuantity) {
			return 0, false
		}
		q = movement.Quantity(quo)
	}
	if it.step > 1 && q%it.step != 0 {
		return 0, false
	}
	return q, true
}

// ratio makes an exact fraction of what Odoo keeps as a double: whole, one over
// a whole number, or a decimal of six places.
func ratio(of, to float64) (num, den uint64, ok bool) {
	if of <= 0 || to <= 0 || math.IsInf(of, 0) || math.IsInf(to, 0) {
		return 0, 0, false
	}
	near := func(f float64) (uint64, bool) {
		n := math.Round(f)
		return uint64(n), n >= 1 && n < 1e12 && math.Abs(f-n) <= 1e-9*f
	}
	f := of / to
	if n, ok := near(f); ok {
		return n, 1, true
	}
	if n, ok := near(1 / f); ok {
		return 1, n, true
	}
	if n, ok := near(f * 1e6); ok {
		return n, 1e6, true
	}
	return 0, 0, false
}

func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
