package post_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/post"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// crash ends a poster at its n-th step: before or after the step's work.
type crash struct {
	mu      sync.Mutex
	at      int
	after   bool
	steps   int
	stop    context.CancelFunc
	crashed bool
}

var errCrashed = errors.New("the process has died")

// step does the work unless the process is dead.
func (c *crash) step(work func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.crashed {
		return errCrashed
	}
	c.steps++
	if c.steps != c.at {
		return work()
	}
	c.crashed = true
	if c.after {
		_ = work() // done, and nobody hears of it
	}
	c.stop()
	return errCrashed
}

type crashingLedger struct {
	post.Ledger
	c *crash
}

func (l crashingLedger) ChangePosting(ctx context.Context, id int64, ch ledger.PostingChange) (parts []int64, err error) {
	err = l.c.step(func() (err error) {
		parts, err = l.Ledger.ChangePosting(context.WithoutCancel(ctx), id, ch)
		return err
	})
	return parts, err
}

type crashingOdoo struct {
	post.Odoo
	c *crash
}

func (o crashingOdoo) CreateDocument(ctx context.Context, p odoo.NewPicking, moves []odoo.NewMove) (id int64, err error) {
	err = o.c.step(func() (err error) {
		id, err = o.Odoo.CreateDocument(context.WithoutCancel(ctx), p, moves)
		return err
	})
	return id, err
}

func (o crashingOdoo) WriteReceipt(ctx context.Context, id int64, replace []int64, lines []odoo.ReceiptLine, note string) error {
	return o.c.step(func() error { return o.Odoo.WriteReceipt(context.WithoutCancel(ctx), id, replace, lines, note) })
}

func (o crashingOdoo) ResetReceipt(ctx context.Context, r odoo.Receipt, lines []odoo.Line, note string) error {
	return o.c.step(func() error { return o.Odoo.ResetReceipt(context.WithoutCancel(ctx), r, lines, note) })
}

func (o crashingOdoo) ShowLines(ctx context.Context, id int64, lines []odoo.Line) error {
	return o.c.step(func() error { return o.Odoo.ShowLines(context.WithoutCancel(ctx), id, lines) })
}

func (o crashingOdoo) WithdrawPicking(ctx context.Context, p odoo.Picking) error {
	return o.c.step(func() error { return o.Odoo.WithdrawPicking(context.WithoutCancel(ctx), p) })
}

func (o crashingOdoo) Validate(ctx context.Context, id int64, confirm odoo.Confirm) (v odoo.Validated, err error) {
	err = o.c.step(func() (err error) {
		v, err = o.Odoo.Validate(context.WithoutCancel(ctx), id, confirm)
		return err
	})
	return v, err
}

// dieAt runs the poster until its n-th step, and tells whether it came there.
func (w *world) dieAt(n int, after bool) bool {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	c := &crash{at: n, after: after, stop: cancel}
	w.betweenLedger = func(l post.Ledger) post.Ledger { return crashingLedger{l, c} }
	w.betweenOdoo = func(o post.Odoo) post.Odoo { return crashingOdoo{o, c} }
	w.on(w.ledger)
	w.until(ctx, func() bool { return c.dead() || w.rest(w.t.Context()) })
	w.betweenLedger, w.betweenOdoo = nil, nil
	w.on(w.ledger)
	return c.dead()
}

func (c *crash) dead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.crashed
}

func TestThePosterMayDieAtEveryStep(t *testing.T) {
	for _, after := range []bool{false, true} {
		name := map[bool]string{false: "before the work", true: "after the work"}[after]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := simulated(t, 19)
			d := newDay(w)
			for n := 1; n < 100; n++ {
				d.happen()
				died := w.dieAt(n, after)
				w.settle()
				d.after()
				if t.Failed() {
					t.Fatalf("after dying at step %d", n)
				}
				if !died {
					if n < 15 {
						t.Errorf("only %d steps", n)
					}
					break
				}
			}
		})
	}
}

// The same with a movement that Odoo refuses, so that taking back and halving
// are cut off, too.
func TestThePosterMayDieWhileItHalves(t *testing.T) {
	for i, after := range []bool{false, true} {
		w := simulated(t, 19)
		bad := w.products(odoo.ByQuantity, 6)
		days := 0
		refuse(w, bad[3].ID)
		order := func() string {
			q := map[int64]float64{}
			for _, p := range bad {
				q[p.ID] = 5
			}
			return w.order(q)
		}
		for n := 1 + i; n < 200; n += 7 {
			days++
			var all []movement.Movement
			ref := order()
			for _, p := range bad {
				all = append(all, w.moved(movement.Dispense, p, 1), w.moved(movement.Receipt, p, 5, forOrder(ref)))
			}
			w.send(all...)
			died := w.dieAt(n, after)
			w.settle()
			if got := len(w.exceptions()); got != 2*days {
				t.Fatalf("after dying at step %d: %d exceptions, want %d", n, got, 2*days)
			}
			if w.check(); t.Failed() {
				t.Fatalf("after dying at step %d", n)
			}
			if !died {
				break
			}
		}
	}
}

// A hub put back from last night's backup gets the day's movements again, cuts
// them otherwise, and posts nothing twice.
func TestALedgerPutBackPostsNothingTwice(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		d := newDay(w)
		d.happen()
		w.settle()
		backup := filepath.Join(t.TempDir(), "backup.db")
		w.copyLedger(backup)
		night := len(w.sent)

		d.happen()
		w.settle()
		d.happen()
		// Some are in Odoo's drafts only, some nowhere yet.
		w.dieAt(7, true)
		day := len(w.sent)

		l := ledgertest.OpenAt(t, backup)
		w.plans.Movements = 2
		w.on(l)
		again := ledgertest.NewSender(w.sender.Branch, w.sender.Epoch, w.sender.Lane)
		cursor, err := l.Cursor(t.Context(), again.Stream)
		must(t, err)
		if cursor.Through != uint64(night) {
			t.Fatalf("the backup has %d movements, want %d", cursor.Through, night)
		}
		again.At = cursor
		w.sender = again
		resend := append([]movement.Movement(nil), w.sent[night:]...)
		w.sent = w.sent[:night]
		for _, m := range resend {
			w.send(m)
		}
		w.settle()
		if len(w.sent) != day {
			t.Fatalf("%d movements, want %d", len(w.sent), day)
		}
		d.after()
		d.happen()
		w.settle()
		d.after()
		if told := w.comparedAll(); len(told) != 0 {
			t.Errorf("nobody has changed anything in Odoo, and the audit trail tells %q", told)
		}
		// Nothing of ours is left open in Odoo.
		found, err := w.user.PickingsNamedLike(t.Context(), "BL/"+w.branch.Code+"/", 0, 0)
		must(t, err)
		for _, p := range found {
			if p.State != odoo.Done && p.State != odoo.Cancelled {
				t.Errorf("%s is %s", p.Name, p.State)
			}
		}
	})
}

// copyLedger copies the ledger as a backup does.
func (w *world) copyLedger(to string) {
	w.t.Helper()
	must(w.t, w.ledger.Close())
	w.closed = w.ledger
	b, err := os.ReadFile(w.path)
	must(w.t, err)
	must(w.t, os.WriteFile(to, b, 0o600))
	w.start()
}

// The hub was put back, and its clock had been ahead when it last posted.
func TestAClockThatWasAheadHidesNoDocumentAfterARestore(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	w.clock.forward(72 * time.Hour)
	w.send(w.moved(movement.Dispense, p, 1))
	w.settle()
	w.clock.forward(-72 * time.Hour)
	backup := filepath.Join(t.TempDir(), "backup.db")
	w.copyLedger(backup)
	night := w.sender.At
	w.send(w.moved(movement.Dispense, p, 1), w.moved(movement.Dispense, p, 1))
	w.settle()
	w.plans.Movements = 1
	w.on(ledgertest.OpenAt(t, backup))
	again := ledgertest.NewSender(w.sender.Branch, w.sender.Epoch, w.sender.Lane)
	again.At = night
	w.sender = again
	resend := append([]movement.Movement(nil), w.sent[1:]...)
	w.sent = w.sent[:1]
	w.send(resend...)
	w.settle()
	must(t, w.master.Refresh(t.Context()))
	if got := w.dispensed(p); got != movement.Units(3) {
		t.Errorf("%s left in Odoo, want 3: posted twice", got)
	}
}
