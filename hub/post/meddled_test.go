package post_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/post"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// refusing corrects an alias while the create is under way, and then refuses it.
type refusing struct {
	post.Odoo
	meanwhile func()
	err       error
}

func (l *refusing) CreateDocument(ctx context.Context, p odoo.NewPicking, moves []odoo.NewMove) (int64, error) {
	if l.meanwhile != nil {
		l.meanwhile()
		l.meanwhile = nil
		return 0, l.err
	}
	return l.Odoo.CreateDocument(ctx, p, moves)
}

// As TestACorrectionInTheLastMomentIsPosted, but Odoo refuses the create: what is
// halved then is not the old plan.
func TestARefusedCreateTakesNoCorrectionBack(t *testing.T) {
	w := simulated(t, 19)
	wrong, right := w.product(odoo.ByQuantity), w.product(odoo.ByQuantity)
	code := movement.Product{Scheme: movement.SKU, Code: "X-" + w.unique()}
	means := func(p odoo.Product) {
		w.planning.Lock()
		defer w.planning.Unlock()
		_, err := w.ledger.SetAlias(t.Context(), ledger.Alias{Product: code, ProductID: p.ID, ProductName: p.Name, Who: "ph", Why: "test", At: w.clock.now()})
		must(t, err)
	}
	l := &refusing{err: fault.New(fault.Data, odoo.CodeRefused, "Odoo refused: something about that product")}
	w.betweenOdoo = func(o post.Odoo) post.Odoo { l.Odoo = o; return l }
	w.on(w.ledger)
	means(wrong)
	l.meanwhile = func() {
		means(right)
		must(t, w.master.Aliases(t.Context()))
		must(t, w.plan(t.Context()))
	}
	c := func(m *movement.Movement) { m.Product = code }
	w.send(w.moved(movement.Dispense, wrong, 3, c), w.moved(movement.Dispense, wrong, 2, c))
	w.settle()
	rows, err := w.user.Stock(t.Context(), w.branch.StockID)
	must(t, err)
	for _, r := range rows {
		if r.ProductID == wrong.ID && r.Quantity != 0 {
			t.Errorf("the wrong product was posted: %+v", r)
		}
	}
	if w.state(1) != ledger.Posted || w.state(2) != ledger.Posted {
		t.Errorf("exceptions %v, states %s %s", w.exceptions(), w.state(1), w.state(2))
	}
}

// canceller cancels a document in Odoo before it is validated, as a person there.
type canceller struct {
	post.Odoo
	w *world
	n atomic.Int64
}

func (c *canceller) Validate(ctx context.Context, id int64, k odoo.Confirm) (odoo.Validated, error) {
	if c.n.Add(1) == 1 {
		_, err := c.w.admin.Call(ctx, "stock.picking", "action_cancel", odoo.Args{IDs: []int64{id}})
		must(c.w.t, err)
		return odoo.Validated{}, errLost
	}
	return c.Odoo.Validate(ctx, id, k)
}

// What a person cancelled in Odoo is not made again in halves: a person decides.
func TestWhatAPersonCancelledStaysCancelled(t *testing.T) {
	w := simulated(t, 19)
	w.betweenOdoo = func(o post.Odoo) post.Odoo { return &canceller{Odoo: o, w: w} }
	w.on(w.ledger)
	a, b := w.product(odoo.ByQuantity), w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Dispense, a, 3), w.moved(movement.Dispense, b, 2))
	w.settle()
	if got := w.exceptions(); len(got) != 2 || got[1] != post.CancelledThere || got[2] != post.CancelledThere {
		t.Errorf("exceptions %v, states %s %s", got, w.state(1), w.state(2))
	}
}

// units changes the unit of a line, as a person in Odoo.
type units struct {
	post.Odoo
	w    *world
	unit int64
	n    atomic.Int64
	at   string
}

func (u *units) meddle(ctx context.Context, id int64) {
	lines, err := u.Odoo.DocumentLines(ctx, id)
	must(u.w.t, err)
	must(u.w.t, u.w.admin.Write(ctx, "stock.move.line", []int64{lines[0].ID}, map[string]any{"product_uom_id": u.unit}))
}

func (u *units) Validate(ctx context.Context, id int64, k odoo.Confirm) (odoo.Validated, error) {
	if u.n.Add(1) == 1 {
		u.meddle(ctx, id)
		if u.at == "retried" { // Odoo was away for a while
			return odoo.Validated{}, errLost
		}
	}
	return u.Odoo.Validate(ctx, id, k)
}

// A line whose unit somebody changed in Odoo is told, and not taken for ours.
func TestAUnitChangedInOdooIsTold(t *testing.T) {
	for _, at := range []string{"last moment", "retried"} {
		t.Run(at, func(t *testing.T) {
			w := simulated(t, 17)
			ids, err := w.admin.SearchRead(t.Context(), "uom.uom", odoo.Query{Domain: odoo.Domain{odoo.Where("name", "=", "Dozens")}, Fields: []string{"name"}})
			must(t, err)
			w.betweenOdoo = func(o post.Odoo) post.Odoo { return &units{Odoo: o, w: w, unit: ids[0].ID(), at: at} }
			w.on(w.ledger)
			a := w.product(odoo.ByQuantity)
			w.send(w.moved(movement.Dispense, a, 3))
			w.settle()
			if at == "last moment" { // it is done so, and told
				if len(w.told()) != 1 {
					t.Errorf("%d entries in the trail, exceptions %v, state %s", len(w.told()), w.exceptions(), w.state(1))
				}
				return
			}
			w.check() // another document took its place
		})
	}
}

// noteCleared validates, loses the answer, and somebody clears the note.
type noteCleared struct {
	post.Odoo
	w *world
	n atomic.Int64
}

func (c *noteCleared) Validate(ctx context.Context, id int64, k odoo.Confirm) (odoo.Validated, error) {
	v, err := c.Odoo.Validate(ctx, id, k)
	if err == nil && c.n.Add(1) == 1 {
		must(c.w.t, c.w.admin.Write(ctx, "stock.picking", []int64{id}, map[string]any{"note": "<p>Checked by Bob</p>"}))
		return odoo.Validated{}, errLost
	}
	return v, err
}

// The answer to the validation of a partial receipt is lost, and before the next
// try somebody in Odoo has cleared the note: its lines say that it was ours.
func TestAReceiptWithoutItsNoteIsNotPostedTwice(t *testing.T) {
	w := simulated(t, 19)
	w.betweenOdoo = func(o post.Odoo) post.Odoo { return &noteCleared{Odoo: o, w: w} }
	w.on(w.ledger)
	p := w.product(odoo.ByQuantity)
	w.send(w.moved(movement.Receipt, p, 4, forOrder(w.order(map[int64]float64{p.ID: 10}))))
	w.settle()
	must(t, w.master.Refresh(t.Context()))
	if got := w.stock()[p.Code+"/"]; got != movement.Units(4) {
		t.Errorf("%s in Odoo's stock, 4 came; exceptions %v, trail %q", got, w.exceptions(), w.trail("posted twice"))
	}
}

// breakingReceipt is an Odoo that breaks, as by a faulty module, over one product's receipt.
type breakingReceipt struct {
	post.Odoo
	product int64
}

func (b *breakingReceipt) WriteReceipt(ctx context.Context, id int64, replace []int64, lines []odoo.ReceiptLine, note string) error {
	if slices.ContainsFunc(lines, func(l odoo.ReceiptLine) bool { return l.ProductID == b.product }) {
		return errDefect
	}
	return b.Odoo.WriteReceipt(ctx, id, replace, lines, note)
}

// A line over which Odoo breaks goes to a person in the end, and the later ones of
// its order go on.
func TestALineOverWhichOdooBreaksHoldsUpNoOrder(t *testing.T) {
	w := simulated(t, 19)
	bad, good := w.product(odoo.ByQuantity), w.product(odoo.ByQuantity)
	w.betweenOdoo = func(o post.Odoo) post.Odoo { return &breakingReceipt{Odoo: o, product: bad.ID} }
	w.on(w.ledger)
	order := w.order(map[int64]float64{bad.ID: 10, good.ID: 10})
	w.send(w.moved(movement.Receipt, bad, 4, forOrder(order), group("g1", 1)))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	w.until(ctx, func() bool { return w.attempts() > 20 })
	w.send(w.moved(movement.Receipt, good, 5, forOrder(order), group("g2", 1)))
	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	before := w.attempts()
	w.until(ctx, func() bool { return w.state(2) == ledger.Posted || w.attempts() > before+200 })
	if w.state(2) != ledger.Posted {
		t.Errorf("after %d more tries of the bad one the good line is %s; exceptions %v", w.attempts()-before, w.state(2), w.exceptions())
	}
}
