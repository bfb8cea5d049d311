package post_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"branchline/hub/post"
	"branchline/internal/fault"
	"branchline/internal/odoo"
)

// meddler validates what it has changed, as a person in Odoo would, while our
// own call is lost.
type meddler struct {
	post.Odoo
	w     *world
	calls atomic.Int64
}

func (m *meddler) Validate(ctx context.Context, id int64, c odoo.Confirm) (odoo.Validated, error) {
	if m.calls.Add(1) > 1 {
		return m.Odoo.Validate(ctx, id, c)
	}
	lines, err := m.DocumentLines(ctx, id)
	if err != nil {
		return odoo.Validated{}, err
	}
	if err := m.w.admin.Write(ctx, "stock.move.line", []int64{lines[0].ID}, map[string]any{"quantity": 6.0}); err != nil {
		return odoo.Validated{}, err
	}
	if _, err := m.Odoo.Validate(ctx, id, c); err != nil {
		return odoo.Validated{}, err
	}
	return odoo.Validated{}, fault.New(fault.Transient, odoo.CodeAway, "the answer is lost")
}

// A receipt that a person changed and validated in Odoo is not taken for what
// was received without a word.
func TestAReceiptChangedInOdooIsTold(t *testing.T) {
	w := simulated(t, 17)
	w.betweenOdoo = func(o post.Odoo) post.Odoo { return &meddler{Odoo: o, w: w} }
	w.on(w.ledger)
	p := w.product(odoo.ByQuantity)
	w.send(w.moved("receipt", p, 10, forOrder(w.order(map[int64]float64{p.ID: 10}))))
	w.settle()
	trail, err := w.ledger.AuditTrail(t.Context(), 0, 1000)
	must(t, err)
	for _, e := range trail {
		if e.Action == "changed in Odoo" && strings.Contains(e.Detail, "validated in Odoo otherwise") {
			return
		}
	}
	t.Errorf("the audit trail does not tell of it: %+v", trail)
}

// Where nobody meddles, the trail tells of nothing.
func TestAReceiptFoundDoneAsItWasIsNoNews(t *testing.T) {
	w := simulated(t, 17)
	w.betweenOdoo = func(o post.Odoo) post.Odoo { return &forgetful{Odoo: o} }
	w.on(w.ledger)
	p := w.product(odoo.ByLot)
	w.send(w.moved("receipt", p, 10, forOrder(w.order(map[int64]float64{p.ID: 10}))))
	w.settle()
	trail, err := w.ledger.AuditTrail(t.Context(), 0, 1000)
	must(t, err)
	for _, e := range trail {
		if e.Action == "changed in Odoo" {
			t.Errorf("told of %+v", e)
		}
	}
}

// forgetful loses the answer of the first validation.
type forgetful struct {
	post.Odoo
	calls atomic.Int64
}

func (f *forgetful) Validate(ctx context.Context, id int64, c odoo.Confirm) (odoo.Validated, error) {
	v, err := f.Odoo.Validate(ctx, id, c)
	if err == nil && f.calls.Add(1) == 1 {
		return odoo.Validated{}, fault.New(fault.Transient, odoo.CodeAway, "the answer is lost")
	}
	return v, err
}
