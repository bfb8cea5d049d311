package room

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// CodeNoOrders is a hub that may not have Odoo order.
const CodeNoOrders = "orders_off"

// OrderStock is what a person asks for: that Odoo replenishes by a rule that is shown
// as running low.
type OrderStock struct {
	Branch string `json:"branch"`
	// Rule is the reordering rule's id in Odoo.
	Rule int64  `json:"rule"`
	Who  string `json:"who"`
}

// StockOrder is what Odoo answered.
type StockOrder struct {
	At      time.Time `json:"at"`
	Who     string    `json:"who"`
	Product string    `json:"product"`
	Unit    string    `json:"unit,omitempty"`
	Rule    string    `json:"rule"`
	// Wanted is what Odoo's own forecast lacked, in Unit: what was ordered unless Left.
	// 0 where its forecast reaches the minimum, and nothing was ordered.
	Wanted movement.Quantity `json:"wanted"`
	Left   movement.Quantity `json:"left"`
	// Order is what Odoo calls the order; empty where it tells none.
	Order string `json:"order,omitempty"`
	// Failed are the words why it was not ordered; empty where it was.
	Failed string `json:"failed,omitempty"`
}

// Words say what came of it.
func (o *StockOrder) Words() string {
	switch what := o.Wanted.String() + " " + o.Unit; {
	case o.Failed != "":
		return "not ordered: " + o.Failed
	case o.Wanted == 0:
		return "nothing was ordered: by Odoo's own forecast, with what is ordered already, nothing is missing"
	case o.Left > 0:
		return fmt.Sprintf("%s were missing by Odoo's forecast, %s still are%s", what, o.Left, under(o.Order))
	default:
		return "ordered " + what + under(o.Order)
	}
}

func under(order string) string {
	if order == "" {
		return ""
	}
	return ", " + order + " in Odoo"
}

// keptOrders bounds what is remembered of a branch for its page; the audit trail has all.
const keptOrders = 10

type stockOrders struct {
	mu sync.Mutex
	of map[string][]StockOrder
}

// MayOrder tells whether this hub may have Odoo order.
func (m *Room) MayOrder() bool { return m.Refill != nil && m.Refill.Order != nil }

// StockOrders are the last ones of a branch, the newest first, since the hub was started.
func (m *Room) StockOrders(branch string) []StockOrder {
	m.orders.mu.Lock()
	defer m.orders.mu.Unlock()
	return slices.Clone(m.orders.of[branch])
}

// OrderStock has Odoo replenish by one rule, waits for it, and writes into the audit
// trail who asked and what came of it, the first before Odoo is asked. A rule by which
// nothing runs low is a fault of class Data, as is a branch that is not configured; a
// hub that may not order one of class Setup. What Odoo answers with is Odoo's fault.
func (m *Room) OrderStock(ctx context.Context, o OrderStock) (StockOrder, error) {
	if !m.MayOrder() {
		return StockOrder{}, fault.New(fault.Setup, CodeNoOrders, "this hub may not have Odoo order").
			WithHint("name an Odoo user for it under replenishment.order in hub.yaml")
	}
	s, err := m.BranchReplenishment(ctx, o.Branch)
	if err != nil {
		return StockOrder{}, err
	}
	i := slices.IndexFunc(s.Low, func(l LowStock) bool { return l.RuleID == o.Rule })
	if i < 0 {
		return StockOrder{}, fault.New(fault.Data, "not_low", "%s runs low of nothing by that rule any more", o.Branch).
			WithHint("look at its replenishment again")
	}
	low := &s.Low[i]
	done := StockOrder{At: time.Now(), Who: o.Who, Product: low.Name, Unit: low.Unit, Rule: low.Rule}
	entry := ledger.Entry{At: done.At, Who: o.Who, Action: "replenishment asked", Subject: o.Branch, Detail: done.about(o.Rule)}
	if err := m.Ledger.Audit(ctx, entry); err != nil {
		return done, err
	}
	// Whoever asked may have gone: what Odoo did is written down all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), orderTime)
	defer cancel()
	said, failed := m.Refill.Order(ctx, o.Rule)
	switch fault.CodeOf(failed) {
	case odoo.CodeRight:
		failed = fault.New(fault.Setup, odoo.CodeRight, "Odoo does not let the user of replenishment.order order by a rule: %w", failed).
			WithHint("give that user the right Inventory / Administrator in Odoo")
	case odoo.CodeDenied:
		failed = fault.New(fault.Setup, odoo.CodeDenied, "Odoo does not accept the user of replenishment.order or its key: %w", failed).
			WithHint("check replenishment.order in hub.yaml")
	}
	done.answered(said, failed)
	entry.At, entry.Action, entry.Detail = time.Now(), "replenishment answered", done.about(o.Rule)+": "+done.Words()
	err = m.Ledger.Audit(ctx, entry)
	m.keepOrder(o.Branch, done)
	if failed != nil {
		return done, failed
	}
	return done, err
}

// orderTime bounds how long Odoo may take, its answer's way into the audit trail included.
const orderTime = 5 * time.Minute

func (o *StockOrder) about(rule int64) string {
	return o.Product + " by " + o.Rule + " (id " + strconv.FormatInt(rule, 10) + ")"
}

func (o *StockOrder) answered(said odoo.Replenished, failed error) {
	o.Order = said.Order
	for to, from := range map[*movement.Quantity]float64{&o.Wanted: said.Wanted, &o.Left: said.Left} {
		q, err := movement.QuantityFromFloat(from)
		if err != nil && failed == nil {
			failed = fmt.Errorf("what Odoo says is missing cannot be read, look there: %w", err)
		}
		*to = q
	}
	if failed != nil {
		o.Failed = failed.Error()
		if odoo.Unknown(failed) {
			o.Failed = "it is not known whether Odoo has ordered; to ask again orders nothing twice (" + o.Failed + ")"
		}
	}
}

func (m *Room) keepOrder(branch string, o StockOrder) {
	m.orders.mu.Lock()
	defer m.orders.mu.Unlock()
	if m.orders.of == nil {
		m.orders.of = map[string][]StockOrder{}
	}
	kept := append([]StockOrder{o}, m.orders.of[branch]...)
	m.orders.of[branch] = kept[:min(len(kept), keptOrders)]
}
