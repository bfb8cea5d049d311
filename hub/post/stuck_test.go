package post_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/post"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// stubborn is a ledger that does not adopt one document, and an Odoo that does
// not let go of it.
type stubborn struct {
	post.Ledger
	post.Odoo
	mu   sync.Mutex
	name string
	err  error
}

func (s *stubborn) set(name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name, s.err = name, err
}

func (s *stubborn) about(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == s.name {
		return s.err
	}
	return nil
}

type stubbornLedger struct {
	post.Ledger
	s *stubborn
}

func (l stubbornLedger) Adopt(ctx context.Context, a ledger.Adopted) (int64, error) {
	if err := l.s.about(a.New.Name); err != nil {
		return 0, err
	}
	return l.Ledger.Adopt(ctx, a)
}

type stubbornOdoo struct {
	post.Odoo
	s *stubborn
}

func (o stubbornOdoo) WithdrawPicking(ctx context.Context, p odoo.Picking) error {
	if err := o.s.about(p.Name); err != nil {
		return err
	}
	return o.Odoo.WithdrawPicking(ctx, p)
}

func (w *world) stubborn() *stubborn {
	s := &stubborn{}
	w.betweenLedger = func(l post.Ledger) post.Ledger { return stubbornLedger{l, s} }
	w.betweenOdoo = func(o post.Odoo) post.Odoo { return stubbornOdoo{o, s} }
	return s
}

// lostNight has the hub post two documents of two movements each, and puts a ledger in its place that knows nothing of them and would cut them
// otherwise. It gives the two documents.
func (w *world) lostNight(p odoo.Product) (first, second odoo.Picking) {
	w.t.Helper()
	backup := filepath.Join(w.t.TempDir(), "backup.db")
	w.copyLedger(backup)
	w.send(w.moved(movement.Dispense, p, 1), w.moved(movement.Dispense, p, 1))
	w.settle()
	w.send(w.moved(movement.Dispense, p, 1), w.moved(movement.Dispense, p, 1))
	w.settle()
	all, err := w.user.PickingsNamedLike(w.t.Context(), "BL/"+w.branch.Code+"/", 0, 0)
	must(w.t, err)
	if len(all) != 2 {
		w.t.Fatalf("%d documents", len(all))
	}
	w.plans.Movements = 1
	w.on(ledgertest.OpenAt(w.t, backup))
	w.sender = ledgertest.NewSender(w.sender.Branch, w.sender.Epoch, w.sender.Lane)
	again := w.sent
	w.sent = nil
	for _, m := range again {
		w.send(m)
	}
	return all[0], all[1]
}

// dispensed is how much of a product has left the branch.
func (w *world) dispensed(p odoo.Product) movement.Quantity { return -w.stock()[p.Code+"/"] }

func (w *world) trail(action string) (all []string) {
	trail, err := w.ledger.AuditTrail(w.t.Context(), 0, 1000)
	must(w.t, err)
	for _, e := range trail {
		if e.Action == action {
			all = append(all, e.Subject+": "+e.Detail)
		}
	}
	return all
}

// A document of ours that is done and cannot be adopted keeps its branch from
// being posted, since what it moved could be moved again; it hides no other, a
// person is told once, and when it is settled all goes on.
func TestADocumentThatCannotBeAdoptedIsPostedNeverAgain(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(w *world, s *stubborn, d odoo.Picking)
		why   string
	}{
		"its marker is altered": {func(w *world, _ *stubborn, d odoo.Picking) {
			must(w.t, w.admin.Write(w.t.Context(), "stock.picking", []int64{d.ID}, map[string]any{"note": strings.Replace(d.Note, ":1-2@", ":1-9@", 1)}))
		}, "altered"},
		"it names what cannot be": {func(_ *world, s *stubborn, d odoo.Picking) {
			s.set(d.Name, fault.New(fault.Data, ledger.CodeNotAdoptable, "it names what cannot be"))
		}, "cannot be"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := simulated(t, 19)
			w.t = t
			p := w.product(odoo.ByQuantity)
			s := w.stubborn()
			first, _ := w.lostNight(p)
			c.spoil(w, s, first)
			ctx, cancel := contextFor(t)
			defer cancel()
			looks := 0
			if !w.until(ctx, func() bool {
				if w.state(3) == ledger.Posted && len(w.poster.Status().Unadopted) == 1 {
					looks++
				}
				return looks > 20
			}) {
				t.Fatalf("the other document is not adopted: %s", w.describe())
			}
			if got := w.dispensed(p); got != movement.Units(4) {
				t.Errorf("%s were dispensed in Odoo, want 4", got)
			}
			if told := w.trail("document not adopted"); len(told) != 1 || !strings.Contains(told[0], c.why) {
				t.Errorf("the audit trail tells %q", told)
			}
			// A hub that starts anew knows it from its ledger, however old it is.
			kept, err := w.ledger.Unadopted(t.Context())
			must(t, err)
			if len(kept) != 1 || kept[0].Odoo.ID != first.ID || kept[0].Branch != w.branch.Code {
				t.Fatalf("kept: %+v", kept)
			}
			w.on(w.ledger)
			if !w.until(ctx, func() bool { return w.poster.Status().Adopted }) || len(w.poster.Status().Unadopted) != 1 {
				t.Errorf("forgotten: %+v", w.poster.Status())
			}
			s.set("", nil)
			must(t, w.admin.Write(t.Context(), "stock.picking", []int64{first.ID}, map[string]any{"note": first.Note}))
			if !w.until(ctx, func() bool { return len(w.poster.Status().Unadopted) == 0 && w.rest(ctx) }) {
				t.Errorf("it does not go on: %s", w.describe())
			}
			w.check()
			if told := w.trail("document settled"); len(told) != 1 {
				t.Errorf("the audit trail tells %q", told)
			}
		})
	}
}

// A failure of the ledger itself is no matter of one document: nothing is posted
// before all has been adopted, though the rest is looked at meanwhile.
func TestNothingIsPostedBeforeAllIsAdopted(t *testing.T) {
	w := simulated(t, 17)
	p := w.product(odoo.ByQuantity)
	s := w.stubborn()
	first, _ := w.lostNight(p)
	s.set(first.Name, errors.New("constraint failed"))
	ctx, cancel := contextFor(t)
	defer cancel()
	looks := 0
	if !w.until(ctx, func() bool {
		if w.state(3) == ledger.Posted {
			looks++
		}
		return looks > 20
	}) {
		t.Fatalf("the other document is not adopted: %s", w.describe())
	}
	if got := w.dispensed(p); got != movement.Units(4) || w.poster.Status().Adopted {
		t.Errorf("%s were dispensed in Odoo, want 4; %+v", got, w.poster.Status())
	}
	s.set("", nil)
	if !w.until(ctx, func() bool { st := w.poster.Status(); return st.Adopted && len(st.Unadopted) == 0 && w.rest(ctx) }) {
		t.Errorf("it does not go on: %s", w.describe())
	}
	w.check()
}

// A document that is not done and that Odoo does not let go of is in nobody's
// way; when a person validates it after all, it is adopted.
func TestADocumentThatCannotBeTakenBackHoldsUpNobody(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	m := odoo.Marker{Body: w.branch.Code + " dispense " + w.sender.Epoch + "/live:7"}
	m.Posting = ledger.PostingName(movement.Dispense, []ledger.Run{{Stream: w.sender.Stream, First: 7, Last: 7}})
	note, err := m.HTML()
	must(t, err)
	id, err := w.user.CreateDocument(t.Context(), odoo.NewPicking{Name: m.Posting, TypeID: w.branch.OutTypeID, FromID: w.branch.StockID,
		ToID: w.places.Customers, Note: note}, []odoo.NewMove{{ProductID: p.ID, Quantity: 5}})
	must(t, err)
	s := w.stubborn()
	s.set(m.Posting, fault.New(fault.Data, odoo.CodeRefused, "Odoo refused"))
	w.on(w.ledger)
	w.send(w.moved(movement.Dispense, p, 1))
	w.settle()
	if got := w.dispensed(p); got != movement.Units(1) {
		t.Fatalf("%s were dispensed in Odoo, want 1", got)
	}
	_, err = w.user.Validate(t.Context(), id, odoo.Confirm{Backorder: true, Expired: true})
	must(t, err)
	s.set("", nil)
	w.on(w.ledger)
	for range 6 {
		w.send(w.moved(movement.Dispense, p, 5))
	}
	w.settle()
	if _, known, err := w.ledger.PostingByName(t.Context(), m.Posting); err != nil || !known {
		t.Errorf("it is not adopted: %v", err)
	}
	if w.check(); w.dispensed(p) != movement.Units(31) {
		t.Errorf("%s were dispensed in Odoo, want 41", w.dispensed(p))
	}
}

// What a person does to the note of a document that the ledger knows matters to
// nobody, nor does a note that names no branch, or another hub's.
func TestANoteInOdooHoldsUpNobodyWhoseDocumentsAreKnown(t *testing.T) {
	w := simulated(t, 19)
	p := w.product(odoo.ByQuantity)
	w.posts.Branches = []string{w.branch.Code}
	w.send(w.moved(movement.Dispense, p, 1), w.moved(movement.Receipt, p, 4, forOrder(w.order(map[int64]float64{p.ID: 9}))))
	w.settle()
	own := "BL/" + w.branch.Code + "/"
	for _, note := range []string{"<p>branchline:1|" + own + "ab</p>", "<p>branchline:1|BL/ /x</p>", "<p>branchline:1|BL/OTHERHUB/abcd/L1-1/00000000|0|x|0</p>"} {
		done, err := w.user.OursSince(t.Context(), "BL/", time.Time{}, 0, 0)
		must(t, err)
		if len(done) < 2 {
			t.Fatalf("%d documents bear a marker", len(done))
		}
		for _, d := range done {
			must(t, w.admin.Write(t.Context(), "stock.picking", []int64{d.ID}, map[string]any{"note": note}))
		}
		w.on(w.ledger)
		w.send(w.moved(movement.Dispense, p, 1))
		w.settle()
		if st := w.poster.Status(); len(st.Unadopted) != 0 {
			t.Errorf("%s: %+v", note, st.Unadopted)
		}
	}
	w.check()
}
