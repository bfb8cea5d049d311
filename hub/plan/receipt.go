package plan

import (
	"fmt"
	"strings"

	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Reason codes of exceptions.
const (
	OrderNotOpen = "order_not_open"
	NotOnOrder   = "not_on_order"
	OverReceipt  = "over_receipt"
)

// expected is one product of one open receipt.
type expected struct{ receipt, product int64 }

// expectation is how much of it was to come when it was read, and how much of
// that has been laid into baskets since, in the product's own unit.
type expectation struct{ total, taken movement.Quantity }

// beyond says how a line of the quantity would be too much.
func (e *expectation) beyond(q movement.Quantity) string {
	if e.taken == 0 {
		return "this line has " + q.String()
	}
	return fmt.Sprintf("with this line of %s it would be %s", q, e.taken+q)
}

// putReceipt finds the document that goods go into: the open receipts of their
// order, or one of their own. Goods that a person has released as more than was
// ordered stay that when the order, or its line, has been filled by others
// meanwhile: then they go into a document of their own, without another question
// about the same goods.
func (p *planner) putReceipt(r *resolved) {
	m := r.m
	key := basketKey{kind: movement.Receipt, incoming: true, day: r.day, document: m.Document, group: m.GroupID}
	if _, _, _, missing := p.route(key); missing != "" {
		p.alarm("%s: Odoo has no %s; receipts wait", p.in.Branch.Code, missing)
		p.wait(WaitSetup)
		return
	}
	if m.Document.Type != docOrder || p.released(m, OrderNotOpen) || p.released(m, NotOnOrder) {
		p.add(key, r, false)
		return
	}
	order := m.Document.Ref
	switch {
	case !p.in.ReceiptsKnown:
		p.wait(WaitOdoo)
		return
	case p.busyFor(order, key):
		p.wait(WaitOrder)
		return
	}
	open := p.openReceipts(order)
	if len(open) == 0 && p.released(m, OverReceipt) {
		p.add(key, r, false)
		return
	}
	if len(open) == 0 {
		p.refuse(m, OrderNotOpen, "document.ref", "check the number; branchline-hub release receives the line without the order, or confirm the order in Odoo, then branchline-hub retry",
			"Odoo expects nothing at %s for order %s: it is closed, not confirmed, or another branch's", p.in.Branch.Code, order)
		return
	}
	p.fill(key, r, open)
}

// turn is which part of an order this plan has begun.
type turn struct {
	group int64
	day   movement.Date
}

// busyFor tells whether another posting for the order is under way, has been
// begun in this plan by another group or day, or is as large as one may be.
func (p *planner) busyFor(order string, key basketKey) bool {
	if p.busy[order] {
		return true
	}
	t, begun := p.turns[order]
	return begun && t != turn{key.group, key.day}
}

// openReceipts are the receipts of an order, the oldest first. A receipt may
// stand for several orders.
func (p *planner) openReceipts(order string) []*odoo.Receipt {
	var open []*odoo.Receipt
	for i := range p.in.Receipts {
		r := &p.in.Receipts[i]
		for part := range strings.SplitSeq(r.Origin, ",") {
			if strings.TrimSpace(part) == order {
				open = append(open, r)
				break
			}
		}
	}
	return open
}

// fill lays the goods into the first receipt that expects as much.
func (p *planner) fill(key basketKey, r *resolved, open []*odoo.Receipt) {
	var sum expectation
	first := int64(0)
	for _, rec := range open {
		e := p.expect(rec, r)
		if e == nil {
			continue
		}
		if first == 0 {
			first = rec.ID
		}
		if e.total-e.taken >= r.quantity {
			key.receipt = rec.ID
			if p.into(key, r, false) {
				e.taken += r.quantity
			}
			return
		}
		sum.total += e.total
		sum.taken += e.taken
	}
	m, product := r.m, &r.it.product
	switch {
	case first == 0 && p.released(m, OverReceipt):
		p.add(key, r, false)
	case first == 0:
		p.refuse(m, NotOnOrder, "product.code", "branchline-hub release receives the line without the order; or set the goods apart and branchline-hub discard it",
			"%s is not among what order %s still expects", product.Name, m.Document.Ref)
	case p.released(m, OverReceipt):
		key.receipt = first
		p.into(key, r, true)
	default:
		p.refuse(m, OverReceipt, "quantity", "count again; branchline-hub release receives more than was ordered; or set the rest apart and branchline-hub discard the line",
			"order %s still expects %s %s of %s, and %s", m.Document.Ref, sum.total, product.UoM.Name,
			product.Name, sum.beyond(r.quantity))
	}
}

// into lays goods into an open receipt. What would make the document too large
// waits until it is done; false then.
func (p *planner) into(key basketKey, r *resolved, over bool) bool {
	if b := p.baskets[key]; b != nil && len(b.lines) >= p.in.Settings.Lines {
		p.wait(WaitOrder)
		return false
	}
	p.turns[key.document.Ref] = turn{key.group, key.day}
	p.add(key, r, over)
	return true
}

// expect gives what a receipt expects of a product; nil for nothing at all.
func (p *planner) expect(rec *odoo.Receipt, r *resolved) *expectation {
	k := expected{rec.ID, r.it.product.ID}
	if e, ok := p.remaining[k]; ok {
		return e
	}
	if p.remaining == nil {
		p.remaining = map[expected]*expectation{}
	}
	var e *expectation
	own, _ := p.in.Catalogue.Unit(r.it.product.UoM.ID)
	for _, move := range rec.Moves {
		if move.ProductID != k.product {
			continue
		}
		if e == nil {
			e = new(expectation)
		}
		e.total += p.ordered(&move, own)
	}
	p.remaining[k] = e
	return e
}

// ordered is what a move still expects in the product's own unit, cut down to
// a millionth.
func (p *planner) ordered(move *odoo.ReceiptMove, own odoo.UoM) movement.Quantity {
	q, err := movement.QuantityFromFloat(move.Ordered)
	if err != nil || q < 0 {
		return 0
	}
	if move.UoM.ID == own.ID || move.UoM.ID == 0 {
		return q
	}
	unit, known := p.in.Catalogue.Unit(move.UoM.ID)
	num, den, ok := ratio(unit.Ratio, own.Ratio)
	if !known || !ok || unit.Family != own.Family {
		return 0
	}
	whole, err := movement.QuantityFromFloat(move.Ordered * float64(num) / float64(den))
	if err != nil {
		return 0
	}
	return whole
}
