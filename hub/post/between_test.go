package post_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/post"
	"branchline/internal/fault"
	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
)

func contextFor(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), time.Minute)
}

func exceptionsOf(w *world) ledger.ExceptionFilter {
	return ledger.ExceptionFilter{Branch: w.sender.Branch, Limit: 1000}
}

// denying is an Odoo whose user may not make documents.
type denying struct {
	post.Odoo
	code string
	mu   sync.Mutex
	deny bool
	n    int
}

func (d *denying) stand(o post.Odoo) post.Odoo { d.Odoo = o; return d }

func (d *denying) set(deny bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deny = deny
}

func (d *denying) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n
}

func (d *denying) CreateDocument(ctx context.Context, p odoo.NewPicking, moves []odoo.NewMove) (int64, error) {
	d.mu.Lock()
	deny := d.deny
	d.n++
	d.mu.Unlock()
	if deny {
		return 0, fault.New(fault.Setup, d.code, "Odoo does not allow its user to make documents")
	}
	return d.Odoo.CreateDocument(ctx, p, moves)
}

var errDefect = errors.New("a failure that nobody foresaw")

// breaking is an Odoo that breaks over one product.
type breaking struct {
	post.Odoo
	product int64
}

func (b *breaking) stand(o post.Odoo) post.Odoo { b.Odoo = o; return b }

func (b *breaking) CreateDocument(ctx context.Context, p odoo.NewPicking, moves []odoo.NewMove) (int64, error) {
	if slices.ContainsFunc(moves, func(m odoo.NewMove) bool { return m.ProductID == b.product }) {
		return 0, errDefect
	}
	return b.Odoo.CreateDocument(ctx, p, moves)
}

// refuse makes the simulated Odoo refuse to validate a product.
func refuse(w *world, product int64) {
	w.sim.Cause(odootest.Mischief{Kind: odootest.Refusal, Model: "stock.picking", Method: "button_validate", Product: product})
}
