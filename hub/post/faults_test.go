package post_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/post"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
)

// day is a small day at a branch that uses every way to post: an order's
// receipt, a delivery, dispensings of known and of new lots.
type day struct {
	w    *world
	a, b odoo.Product
	n    int
}

func newDay(w *world) *day {
	return &day{w: w, a: w.product(odoo.ByLot), b: w.product(odoo.ByQuantity)}
}

func (d *day) happen() {
	d.n++
	one, two := fmt.Sprintf("L%d", d.n), fmt.Sprintf("M%d", d.n)
	order := d.w.order(map[int64]float64{d.a.ID: 10, d.b.ID: 10})
	d.w.send(
		d.w.moved(movement.Receipt, d.a, 4, forOrder(order), lot(one), d.w.expiring(12)),
		d.w.moved(movement.Receipt, d.b, 10, forOrder(order)),
		d.w.moved(movement.Receipt, d.a, 3, lot(two), d.w.expiring(12)),
		d.w.moved(movement.Dispense, d.b, 2),
		d.w.moved(movement.Dispense, d.b, 1),
		d.w.moved(movement.Dispense, d.a, 1, lot(one)),
	)
}

// after checks that everything was posted once.
func (d *day) after() {
	d.w.t.Helper()
	if got := d.w.exceptions(); len(got) > 0 {
		d.w.t.Errorf("exceptions: %v", got)
	}
	d.w.check()
}

// transient are the kinds of mischief that no movement is to blame for.
var transient = []odootest.Kind{odootest.Lost, odootest.Dropped, odootest.Gateway, odootest.GatewayAfter, odootest.Serialization,
	odootest.Outage, odootest.Slow, odootest.Late, odootest.HangAfter, odootest.Hang}

func TestEveryCallMayFail(t *testing.T) {
	for i, kind := range transient {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := simulated(t, 19)
			d := newDay(w)
			d.happen()
			w.settle()
			step := 5
			if kind == odootest.Slow || kind == odootest.Late || kind == odootest.Hang || kind == odootest.HangAfter {
				step = 11 // each waits for the time limit
				w.hurry(500 * time.Millisecond)
			}
			for skip := i % step; skip < 300; skip += step {
				d.happen()
				w.sim.Cause(odootest.Mischief{Kind: kind, Skip: skip, Count: 1, Delay: 700 * time.Millisecond})
				before := w.sim.Hits()[kind]
				w.settle()
				w.sim.Behave()
				if w.sim.Hits()[kind] == before {
					break // beyond the last call
				}
			}
			d.after()
			if n := w.sim.Hits()[kind]; n*step < 10 {
				t.Errorf("only %d calls were hit", n)
			}
		})
	}
}

func TestWhateverFailsQuantitiesAreRight(t *testing.T) {
	w := simulated(t, 17)
	d := newDay(w)
	kinds := []odootest.Kind{odootest.Lost, odootest.Dropped, odootest.Gateway, odootest.GatewayAfter, odootest.Serialization, odootest.Outage}
	for seed := range uint64(12) {
		dice := rand.New(rand.NewPCG(seed, 5))
		d.happen()
		for range 1 + dice.IntN(4) {
			w.sim.Cause(odootest.Mischief{Kind: kinds[dice.IntN(len(kinds))], Skip: dice.IntN(20), Count: 1 + dice.IntN(8),
				Chance: 0.1 + 0.9*dice.Float64(), Seed: dice.Uint64()})
		}
		w.settle()
		w.sim.Behave()
		if d.after(); t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

func TestARefusedProductStandsAlone(t *testing.T) {
	for _, method := range []string{"create", "button_validate"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			w := simulated(t, 19)
			products := w.products(odoo.ByQuantity, 300)
			bad := 217
			w.sim.Cause(odootest.Mischief{Kind: odootest.Refusal, Model: "stock.picking", Method: method, Product: products[bad].ID,
				Words: "This product is blocked by quality control."})
			var all []movement.Movement
			for i := range 300 {
				all = append(all, w.moved(movement.Dispense, products[i], int64(1+i%5)))
			}
			w.send(all...)
			w.settle()
			got := w.exceptions()
			if len(got) != 1 || got[uint64(bad+1)] != odoo.CodeRefused {
				t.Fatalf("exceptions: %v", got)
			}
			w.check()
			list, err := w.ledger.Exceptions(t.Context(), exceptionsOf(w))
			must(t, err)
			if want := "Odoo refused: This product is blocked by quality control."; list[0].Text != want {
				t.Errorf("the reason is %q, want %q", list[0].Text, want)
			}
			// Mended in Odoo, the movement is tried again and goes.
			w.sim.Behave()
			again := decision{Choice: "retry", Who: "ph", Why: "unblocked", At: w.clock.now()}
			again.Movements = append(again.Movements, w.sender.Find(t, w.ledger, uint64(bad+1)))
			_, err = w.ledger.Decide(t.Context(), again)
			must(t, err)
			w.settle()
			if got := w.exceptions(); len(got) != 0 {
				t.Errorf("exceptions: %v", got)
			}
			w.check()
		})
	}
}

func TestARefusedReceiptLineLeavesTheOrderAsItWas(t *testing.T) {
	w := simulated(t, 19)
	a, b, c := w.product(odoo.ByLot), w.product(odoo.ByQuantity), w.product(odoo.ByQuantity)
	order := w.order(map[int64]float64{a.ID: 10, b.ID: 10, c.ID: 10})
	w.sim.Cause(odootest.Mischief{Kind: odootest.Refusal, Model: "stock.picking", Method: "button_validate", Product: b.ID})
	g := group("g", 3)
	w.send(w.moved(movement.Receipt, a, 10, forOrder(order), lot("L"), w.expiring(9), g), w.moved(movement.Receipt, b, 10, forOrder(order), g),
		w.moved(movement.Receipt, c, 10, forOrder(order), g))
	w.settle()
	if got := w.exceptions(); len(got) != 1 || got[2] != odoo.CodeRefused {
		t.Fatalf("exceptions: %v", got)
	}
	w.check()
	open, err := w.user.OpenReceipts(t.Context(), w.branch)
	must(t, err)
	if len(open) != 1 || len(open[0].Moves) != 1 || open[0].Moves[0].ProductID != b.ID || open[0].Moves[0].Ordered != 10 {
		t.Fatalf("what is still expected: %+v", open)
	}
	if _, marked := odoo.MarkerOf(odoo.Picking{ID: open[0].ID, Note: open[0].Note}); marked {
		t.Errorf("the open receipt still says that we received it: %s", open[0].Note)
	}
	lines, err := w.user.DocumentLines(t.Context(), open[0].ID)
	must(t, err)
	for _, l := range lines {
		if l.Picked {
			t.Errorf("a line of the open receipt is still picked: %+v", l)
		}
	}
}

func TestPostingStopsForSetupAndGoesOn(t *testing.T) {
	w := simulated(t, 19)
	b := w.product(odoo.ByQuantity)
	deny := &denying{code: odoo.CodeDenied}
	w.betweenOdoo = deny.stand
	w.on(w.ledger)
	deny.set(true)
	w.send(w.moved(movement.Dispense, b, 3))
	ctx, cancel := contextFor(t)
	defer cancel()
	if !w.until(ctx, func() bool { return w.poster.Status().Halted != "" && deny.count() > 3 }) {
		t.Fatalf("no alarm: %s", w.describe())
	}
	if got := w.exceptions(); len(got) != 0 {
		t.Errorf("the setup's fault was blamed on movements: %v", got)
	}
	deny.set(false)
	w.on(w.ledger)
	w.settle()
	if s := w.poster.Status(); s.Halted != "" {
		t.Errorf("still halted: %s", s.Halted)
	}
	w.check()
}

// A right that is missing for one branch is told, and holds up no other.
func TestAMissingRightHoldsUpItsBranchOnly(t *testing.T) {
	w := simulated(t, 19)
	b := w.product(odoo.ByQuantity)
	deny := &denying{code: odoo.CodeRight}
	w.betweenOdoo = deny.stand
	w.posts.SetupPause = time.Hour
	w.on(w.ledger)
	deny.set(true)
	w.send(w.moved(movement.Dispense, b, 3))
	ctx, cancel := contextFor(t)
	defer cancel()
	if !w.until(ctx, func() bool { return w.poster.Status().Blocked[w.branch.Code] != "" && w.attempts() > 0 }) {
		t.Fatalf("no alarm: %s", w.describe())
	}
	if s := w.poster.Status(); s.Halted != "" {
		t.Errorf("all branches stand still: %s", s.Halted)
	}
	open, err := w.ledger.OpenPostings(t.Context(), w.branch.Code, w.clock.now().Add(50*time.Minute), 10)
	must(t, err)
	if len(open) != 0 {
		t.Errorf("tried again at once: %+v", open)
	}
	deny.set(false)
	w.clock.forward(2 * time.Hour)
	w.settle()
	if s := w.poster.Status(); len(s.Blocked) != 0 {
		t.Errorf("still told: %v", s.Blocked)
	}
	w.check()
}

// late is an Odoo in which something else happens while it makes a document.
type late struct {
	post.Odoo
	meanwhile func()
}

func (l *late) CreateDocument(ctx context.Context, p odoo.NewPicking, moves []odoo.NewMove) (int64, error) {
	id, err := l.Odoo.CreateDocument(ctx, p, moves)
	if l.meanwhile != nil {
		l.meanwhile()
		l.meanwhile = nil
	}
	return id, err
}

// What a code means is corrected in the moment in which its document is made:
// the document that leaves is the corrected one.
func TestACorrectionInTheLastMomentIsPosted(t *testing.T) {
	w := simulated(t, 19)
	wrong, right := w.product(odoo.ByQuantity), w.product(odoo.ByQuantity)
	code := movement.Product{Scheme: movement.SKU, Code: "X-" + w.unique()}
	means := func(p odoo.Product) {
		w.planning.Lock() // it takes a plan back
		defer w.planning.Unlock()
		_, err := w.ledger.SetAlias(t.Context(), ledger.Alias{Product: code, ProductID: p.ID, ProductName: p.Name, Who: "ph", Why: "test", At: w.clock.now()})
		must(t, err)
	}
	l := &late{}
	w.betweenOdoo = func(o post.Odoo) post.Odoo { l.Odoo = o; return l }
	w.on(w.ledger)
	means(wrong)
	l.meanwhile = func() {
		means(right)
		must(t, w.master.Aliases(t.Context()))
		must(t, w.plan(t.Context()))
	}
	w.send(w.moved(movement.Dispense, wrong, 3, func(m *movement.Movement) { m.Product = code }))
	w.settle()
	rows, err := w.user.Stock(t.Context(), w.branch.StockID)
	must(t, err)
	for _, r := range rows {
		if r.ProductID == wrong.ID && r.Quantity != 0 {
			t.Errorf("the wrong product was posted: %+v", r)
		}
	}
	if got := w.exceptions(); len(got) != 0 || w.state(1).String() != "posted" {
		t.Errorf("exceptions %v, state %s", got, w.state(1))
	}
}

// unsearchable is an Odoo that answers no search for documents of ours.
type unsearchable struct {
	post.Odoo
	n atomic.Int64
}

func (u *unsearchable) OursSince(context.Context, string, time.Time, int64, int) ([]odoo.Picking, error) {
	u.n.Add(1)
	return nil, fault.New(fault.Transient, odoo.CodeBusy, "busy")
}

func TestASearchThatFailsIsNotMadeAgainAtOnce(t *testing.T) {
	w := simulated(t, 19)
	u := &unsearchable{}
	w.betweenOdoo = func(o post.Odoo) post.Odoo { u.Odoo = o; return u }
	w.posts.RetryFirst, w.posts.RetryMost = time.Hour, time.Hour
	w.on(w.ledger)
	ctx, cancel := contextFor(t)
	defer cancel()
	looks := 0
	w.until(ctx, func() bool {
		w.send(w.moved(movement.Dispense, w.product(odoo.ByQuantity), 1)) // wakes the poster
		looks++
		return u.n.Load() > 0 && looks > 10
	})
	if n := u.n.Load(); n != 1 {
		t.Errorf("searched %d times", n)
	}
	if w.poster.Status().Adopted {
		t.Error("posting began before the search had succeeded")
	}
}

func TestCallsAreHeldBackWhileOdooIsAway(t *testing.T) {
	w := simulated(t, 19)
	b := w.product(odoo.ByQuantity)
	w.posts.BreakFor = time.Hour
	w.on(w.ledger)
	must(t, w.master.Refresh(t.Context()))
	w.send(w.moved(movement.Dispense, b, 3))
	w.sim.Down()
	ctx, cancel := contextFor(t)
	defer cancel()
	if !w.until(ctx, func() bool { return w.poster.Status().BreakerOpen }) {
		t.Fatalf("the breaker stays closed: %s", w.describe())
	}
	if why := w.poster.Status().Away; !strings.Contains(why, "refused") && !strings.Contains(why, "closed the connection") {
		t.Errorf("Odoo is away since %q", why)
	}
	tries := w.attempts()
	w.sim.Cause(odootest.Mischief{Kind: odootest.Serialization}) // whatever comes is counted
	must(t, w.sim.Up())
	looks := 0
	w.until(ctx, func() bool { looks++; return looks > 20 })
	if n := w.sim.Hits()[odootest.Serialization]; n > 0 || w.attempts() != tries {
		t.Errorf("%d calls and %d tries although the breaker is open", n, w.attempts()-tries)
	}
	// A new hub, or the hour gone by, lets calls through again.
	w.sim.Behave()
	w.posts.BreakFor = time.Millisecond
	w.on(w.ledger)
	w.settle()
	if got := w.exceptions(); len(got) > 0 {
		t.Errorf("Odoo's absence was blamed on movements: %v", got)
	}
	w.check()
}

func TestWhatNobodyForesawHoldsUpOnlyItself(t *testing.T) {
	w := simulated(t, 19)
	list := w.products(odoo.ByQuantity, 8)
	broken := &breaking{product: list[5].ID}
	w.betweenOdoo = broken.stand
	w.on(w.ledger)
	var all []movement.Movement
	for _, p := range list {
		all = append(all, w.moved(movement.Dispense, p, 1))
	}
	w.send(all...)
	ctx, cancel := contextFor(t)
	defer cancel()
	if !w.until(ctx, func() bool {
		n := 0
		for i := range all {
			if w.state(uint64(i+1)).String() == "posted" {
				n++
			}
		}
		return n == 7
	}) {
		t.Fatalf("others wait: %s", w.describe())
	}
	if got := w.exceptions(); len(got) != 0 {
		t.Errorf("a defect was blamed on a movement: %v", got)
	}
	if fault.ClassOf(errDefect) != fault.Defect {
		t.Error("this is no defect")
	}
	w.check()
}
