package post_test

import (
	"context"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/post"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// lastMoment takes a document away between the hub's check and its validation, as
// a person in Odoo: cancelled, or deleted.
type lastMoment struct {
	post.Odoo
	w      *world
	delete bool
	done   bool
}

func (l *lastMoment) Validate(ctx context.Context, id int64, k odoo.Confirm) (odoo.Validated, error) {
	if !l.done {
		l.done = true
		_, err := l.w.admin.Call(ctx, "stock.picking", "action_cancel", odoo.Args{IDs: []int64{id}})
		must(l.w.t, err)
		if l.delete {
			must(l.w.t, l.w.admin.Unlink(ctx, "stock.picking", []int64{id}))
		}
	}
	return l.Odoo.Validate(ctx, id, k)
}

// What a person takes away in the last moment is not made again in halves: a
// person decides about all of it.
func TestWhatIsTakenAwayInTheLastMomentGoesToAPersonAsAWhole(t *testing.T) {
	for name, want := range map[string]string{"cancelled": post.CancelledThere, "deleted": odoo.CodeDeleted} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, w *world) {
				w.betweenOdoo = func(o post.Odoo) post.Odoo { return &lastMoment{Odoo: o, w: w, delete: name == "deleted"} }
				w.on(w.ledger)
				a, b := w.product(odoo.ByQuantity), w.product(odoo.ByQuantity)
				w.send(w.moved(movement.Dispense, a, 3), w.moved(movement.Dispense, b, 2))
				w.settle()
				if got := w.exceptions(); len(got) != 2 || got[1] != want || got[2] != want {
					t.Errorf("exceptions %v, states %s %s", got, w.state(1), w.state(2))
				}
				for _, s := range w.splits() {
					t.Errorf("%s was halved", s.Name)
				}
			})
		})
	}
}

// An order whose receipt is cancelled in the last moment is planned anew, as when
// it had been seen a moment before.
func TestAReceiptCancelledInTheLastMomentIsPlannedAnew(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.betweenOdoo = func(o post.Odoo) post.Odoo { return &lastMoment{Odoo: o, w: w} }
		w.on(w.ledger)
		p := w.product(odoo.ByQuantity)
		w.send(w.moved(movement.Receipt, p, 4, forOrder(w.order(map[int64]float64{p.ID: 10}))))
		w.settle()
		if got := w.exceptions(); got[1] != "order_not_open" {
			t.Errorf("exceptions %v, state %s", got, w.state(1))
		}
	})
}

func (w *world) splits() (all []ledger.Posting) {
	w.t.Helper()
	found, err := w.ledger.Postings(w.t.Context(), ledger.PostingFilter{Limit: 100})
	must(w.t, err)
	for _, p := range found {
		if p.State == ledger.PostingSplit {
			all = append(all, p)
		}
	}
	return all
}

// A pause that was told by a clock that was ahead ends with the clock's mending.
func TestAClockThatWasAheadHoldsUpNoPosting(t *testing.T) {
	w := simulated(t, 19)
	w.posts.RetryFirst, w.posts.RetryMost = time.Minute, time.Minute
	failing := true
	w.betweenOdoo = func(o post.Odoo) post.Odoo {
		return &refusing{Odoo: o, meanwhile: func() { failing = false }, err: errLost}
	}
	w.on(w.ledger)
	w.clock.forward(30 * 24 * time.Hour)
	w.send(w.moved(movement.Dispense, w.product(odoo.ByQuantity), 1))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w.until(ctx, func() bool { return w.attempts() > 0 })
	if failing || w.state(1) == ledger.Posted {
		t.Fatal("it did not fail")
	}
	w.clock.forward(-30 * 24 * time.Hour)
	w.betweenOdoo = nil
	w.on(w.ledger)
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if !w.until(ctx, func() bool { return w.state(1) == ledger.Posted }) {
		t.Errorf("it still waits: %s", w.describe())
	}
}
