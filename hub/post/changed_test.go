package post_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/post"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// meddler is somebody in Odoo who changes the quantity of a document's first
// line at one moment, once.
type meddler struct {
	post.Odoo
	w     *world
	when  string
	calls atomic.Int64
}

var errLost = fault.New(fault.Transient, odoo.CodeAway, "the answer is lost")

func (m *meddler) meddle(ctx context.Context, id int64) {
	lines, err := m.Odoo.DocumentLines(ctx, id)
	must(m.w.t, err)
	must(m.w.t, m.w.admin.Write(ctx, "stock.move.line", []int64{lines[0].ID}, map[string]any{"quantity": 6.0}))
}

// Validate is the last moment: the lines have been compared.
func (m *meddler) Validate(ctx context.Context, id int64, c odoo.Confirm) (odoo.Validated, error) {
	if m.when == "created" || m.calls.Add(1) > 1 {
		return m.Odoo.Validate(ctx, id, c)
	}
	if m.when != "never" {
		m.meddle(ctx, id)
	}
	v, err := m.Odoo.Validate(ctx, id, c)
	if err == nil && m.when != "before our validation" {
		err = errLost // it was a person who validated, say
	}
	return v, err
}

func (m *meddler) CreateDocument(ctx context.Context, p odoo.NewPicking, moves []odoo.NewMove) (int64, error) {
	id, err := m.Odoo.CreateDocument(ctx, p, moves)
	if err != nil || m.when != "created" || m.calls.Add(1) > 1 {
		return id, err
	}
	m.meddle(ctx, id)
	if _, err := m.Odoo.Validate(ctx, id, odoo.Confirm{Backorder: true, Expired: true}); err != nil {
		return id, err
	}
	return id, errLost
}

func (w *world) told() (all []string) {
	trail, err := w.ledger.AuditTrail(w.t.Context(), 0, 1000)
	must(w.t, err)
	for _, e := range trail {
		if e.Action == "changed in Odoo" {
			all = append(all, e.Detail)
		}
	}
	return all
}

// What a person changed in Odoo before a document was validated is not taken
// for what was posted without a word, and told once. Where nobody meddles, the
// trail tells of nothing.
func TestADocumentChangedInOdooIsTold(t *testing.T) {
	for _, when := range []string{"before our validation", "and validated there", "created", "never"} {
		for _, kind := range []movement.Kind{movement.Receipt, movement.Dispense} {
			t.Run(string(kind)+" "+when, func(t *testing.T) {
				if kind == movement.Receipt && when == "created" {
					t.Skip("a receipt for an order is not ours to create")
				}
				t.Parallel()
				w := simulated(t, 17)
				w.betweenOdoo = func(o post.Odoo) post.Odoo { return &meddler{Odoo: o, w: w, when: when} }
				w.on(w.ledger)
				p := w.product(odoo.ByQuantity)
				if kind == movement.Receipt {
					w.send(w.moved(kind, p, 10, forOrder(w.order(map[int64]float64{p.ID: 10}))))
				} else {
					w.send(w.moved(kind, p, 10))
				}
				w.settle()
				told := w.told()
				switch {
				case when == "never" && len(told) > 0:
					t.Errorf("told of %q", told)
				case when != "never" && (len(told) != 1 || !strings.Contains(told[0], "4 of product")):
					t.Errorf("the audit trail tells %q", told)
				}
				if got := w.exceptions(); len(got) != 0 || w.state(1).String() != "posted" {
					t.Errorf("exceptions %v, state %s", got, w.state(1))
				}
			})
		}
	}
}

// mender is a meddler who puts right what was changed while Odoo does not take
// the document's date.
type mender struct {
	*meddler
	refused, mended atomic.Int64
}

func (m *mender) SetDates(ctx context.Context, id int64, at time.Time) error {
	if m.refused.Add(1) <= 3 {
		m.mended.Store(m.refused.Load() / 3)
		return errLost
	}
	return m.Odoo.SetDates(ctx, id, at)
}

func (m *mender) DocumentLines(ctx context.Context, id int64) ([]odoo.Line, error) {
	lines, err := m.Odoo.DocumentLines(ctx, id)
	if m.mended.Load() > 0 && len(lines) > 0 {
		lines[0].Quantity = 10
	}
	return lines, err
}

// What a document was when it was validated is told, and once, however long Odoo
// takes to accept its date and whatever becomes of it meanwhile.
func TestAChangedDocumentIsToldBeforeItIsDated(t *testing.T) {
	w := simulated(t, 19)
	m := &mender{meddler: &meddler{w: w, when: "before our validation"}}
	w.betweenOdoo = func(o post.Odoo) post.Odoo { m.Odoo = o; return m }
	w.on(w.ledger)
	p := w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Dispense, p, 10, func(m *movement.Movement) { m.OccurredAt = m.OccurredAt.AddDate(0, 0, -2) }))
	w.settle()
	if told := w.told(); len(told) != 1 || !strings.Contains(told[0], "4 of product") {
		t.Errorf("the audit trail tells %q", told)
	}
	if m.refused.Load() < 4 || w.state(1) != ledger.Posted {
		t.Errorf("dated %d times, state %s", m.refused.Load(), w.state(1))
	}
}

// The trail names every line that differs; the log and a refusal a few.
func TestAllDifferencesAreInTheTrail(t *testing.T) {
	w := simulated(t, 19)
	w.betweenOdoo = func(o post.Odoo) post.Odoo { return &cutter{Odoo: o, w: w} }
	w.on(w.ledger)
	var all []movement.Movement
	for _, p := range w.products(odoo.ByQuantity, 120) {
		all = append(all, w.moved(movement.Dispense, p, 10))
	}
	w.send(all...)
	w.settle()
	told := w.told()
	if len(told) != 1 {
		t.Fatalf("the audit trail tells %q", told)
	}
	if n := strings.Count(told[0], "9 of product"); n != 120 || strings.Contains(told[0], "more") {
		t.Errorf("%d of 120 differences are told: %s", n, told[0])
	}
}

// cutter changes all lines of a document before it is validated.
type cutter struct {
	post.Odoo
	w *world
}

func (c *cutter) Validate(ctx context.Context, id int64, confirm odoo.Confirm) (odoo.Validated, error) {
	lines, err := c.DocumentLines(ctx, id)
	must(c.w.t, err)
	ids := make([]int64, len(lines))
	for i, l := range lines {
		ids[i] = l.ID
	}
	must(c.w.t, c.w.admin.Write(ctx, "stock.move.line", ids, map[string]any{"quantity": 1.0}))
	return c.Odoo.Validate(ctx, id, confirm)
}
