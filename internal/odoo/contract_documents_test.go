package odoo_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/odoo"
)

func TestContractUniqueName(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		name := w.unique("BL/U")
		p := odoo.NewPicking{Name: name, TypeID: w.branch.OutTypeID, FromID: w.branch.StockID, ToID: w.places.Customers}
		const writers = 4
		errs := make([]error, writers)
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() { _, errs[i] = w.user.CreatePicking(w.ctx, p) })
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
				continue
			}
			refused(t, err, fault.Data, odoo.CodeRefused)
		}
		if made != 1 {
			t.Fatalf("%d of %d concurrent pickings of one name were made", made, writers)
		}
		found, err := w.user.PickingsNamedLike(w.ctx, name, 0, 0)
		must(t, err)
		if len(found) != 1 || found[0].State != odoo.Draft {
			t.Fatalf("found %+v", found)
		}
		t.Run("names are found by their beginning, not by wildcards in them", func(t *testing.T) {
			for prefix, want := range map[string]int{strings.Replace(name, "-", "_", 1): 0, name[:len(name)-1] + "%": 0, strings.ToLower(name): 0} {
				found, err := w.user.PickingsNamedLike(w.ctx, prefix, 0, 0)
				must(t, err)
				if len(found) != want {
					t.Errorf("%d found for %s", len(found), prefix)
				}
			}
			found, err := w.user.PickingsNamedLike(w.ctx, name, found[0].ID, 0)
			must(t, err)
			if len(found) != 0 {
				t.Error("a picking was found after itself")
			}
		})
		t.Run("a draft can be withdrawn and its name used again", func(t *testing.T) {
			must(t, w.user.DeletePicking(w.ctx, found[0].ID))
			if _, found, err := w.user.PickingByName(w.ctx, w.branch.CompanyID, name); err != nil || found {
				t.Fatalf("still there: %v, %v", found, err)
			}
			if _, err := w.user.CreatePicking(w.ctx, p); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func TestContractDispensing(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		tracked, plain := w.newProduct(t, odoo.ByLot), w.newProduct(t, odoo.ByQuantity)
		l1, l2 := w.newLot(t, tracked, day(2)), w.newLot(t, tracked, time.Time{})
		moves := []odoo.NewMove{{ProductID: tracked.ID, LotID: l1, Quantity: 3}, {ProductID: tracked.ID, LotID: l2, Quantity: 0.5}, {ProductID: plain.ID, Quantity: 7}}
		p := w.draft(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers, moves...)
		t.Run("with moves that are picked it is ready, no longer a draft", func(t *testing.T) {
			got, _, err := w.user.PickingByID(w.ctx, p.ID)
			must(t, err)
			if got.State != odoo.Assigned {
				t.Errorf("state %s", got.State)
			}
		})
		t.Run("before it is validated the lines can be read and no stock has moved", func(t *testing.T) {
			lines, err := w.user.Lines(w.ctx, p.ID)
			must(t, err)
			if len(lines) != len(moves) {
				t.Fatalf("%d lines, want %d: %+v", len(lines), len(moves), lines)
			}
			for i, l := range lines {
				m := moves[i]
				if l.ProductID != m.ProductID || l.LotID != m.LotID || !odoo.SameNumber(l.Quantity, m.Quantity) || !l.Picked || l.FromID != w.branch.StockID || l.ToID != w.places.Customers || l.State == odoo.Done {
					t.Errorf("line %d reads as %+v, made from %+v", i, l, m)
				}
			}
			if got := w.onHand(t, w.branch.StockID, tracked); len(got) != 0 {
				t.Errorf("stock moved already: %v", got)
			}
		})
		v, err := w.user.Validate(w.ctx, p.ID, odoo.Confirm{})
		must(t, err)
		if !v.Done() {
			t.Fatalf("not done: %+v", v)
		}
		t.Run("stock may become negative, lot by lot", func(t *testing.T) {
			got := w.onHand(t, w.branch.StockID, tracked)
			if !odoo.SameNumber(got[w.lotName(t, l1)], -3) || !odoo.SameNumber(got[w.lotName(t, l2)], -0.5) {
				t.Errorf("on hand %v", got)
			}
			if got := w.onHand(t, w.branch.StockID, plain); !odoo.SameNumber(got[""], -7) {
				t.Errorf("on hand %v", got)
			}
			if got := w.onHand(t, w.places.Customers, plain); !odoo.SameNumber(got[""], 7) {
				t.Errorf("at the customers %v", got)
			}
		})
		t.Run("a second document of the same lot adds up", func(t *testing.T) {
			if _, v := w.post(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers, odoo.Confirm{}, odoo.NewMove{ProductID: tracked.ID, LotID: l1, Quantity: 1}); !v.Done() {
				t.Fatalf("%+v", v)
			}
			if got := w.onHand(t, w.branch.StockID, tracked); !odoo.SameNumber(got[w.lotName(t, l1)], -4) {
				t.Errorf("on hand %v", got)
			}
		})
		t.Run("validating again changes nothing", func(t *testing.T) {
			v, err := w.user.Validate(w.ctx, p.ID, odoo.Confirm{})
			if err != nil || !v.Done() {
				t.Fatalf("%+v, %v", v, err)
			}
			if got := w.onHand(t, w.branch.StockID, plain); !odoo.SameNumber(got[""], -7) {
				t.Errorf("on hand %v", got)
			}
		})
		t.Run("the real moment can be written afterwards", func(t *testing.T) {
			at := time.Date(2024, 2, 29, 7, 30, 15, 0, time.UTC)
			must(t, w.user.SetDates(w.ctx, p.ID, at))
			got, _, err := w.user.PickingByID(w.ctx, p.ID)
			must(t, err)
			if !got.Done.Equal(at) || got.State != odoo.Done {
				t.Errorf("done at %v, state %s", got.Done, got.State)
			}
			for _, model := range []string{"stock.move", "stock.move.line"} {
				rows, err := w.user.SearchRead(w.ctx, model, odoo.Query{Domain: odoo.Domain{odoo.Where("picking_id", "=", p.ID)}, Fields: []string{"date"}})
				must(t, err)
				for _, r := range rows {
					if !r.Time("date").Equal(at) {
						t.Errorf("%s has %v", model, r.Time("date"))
					}
				}
			}
		})
		t.Run("a done document can be neither deleted nor withdrawn", func(t *testing.T) {
			refused(t, w.admin.DeletePicking(w.ctx, p.ID), fault.Data, odoo.CodeRefused)
			refused(t, w.user.WithdrawPicking(w.ctx, p), fault.Data, odoo.CodeRefused)
		})
		t.Run("moves added to a done document post at once", func(t *testing.T) {
			got, _, err := w.user.PickingByID(w.ctx, p.ID)
			must(t, err)
			must(t, w.user.CreateMoves(w.ctx, got, []odoo.NewMove{{ProductID: plain.ID, Quantity: 2}}))
			if got := w.onHand(t, w.branch.StockID, plain); !odoo.SameNumber(got[""], -9) {
				t.Errorf("on hand %v; the caution not to do this is outdated", got)
			}
		})
	})
}

func TestContractRefusals(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		tracked, other := w.newProduct(t, odoo.ByLot), w.newProduct(t, odoo.ByLot)
		lot, foreign := w.newLot(t, tracked, time.Time{}), w.newLot(t, other, time.Time{})
		t.Run("a tracked product without a lot", func(t *testing.T) {
			p := w.draft(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers, odoo.NewMove{ProductID: tracked.ID, Quantity: 1})
			_, err := w.user.Validate(w.ctx, p.ID, odoo.Confirm{})
			refused(t, err, fault.Data, odoo.CodeRefused)
			after, _, err := w.user.PickingByID(w.ctx, p.ID)
			must(t, err)
			if after.State != odoo.Assigned {
				t.Errorf("a refused validation left it %s", after.State)
			}
		})
		t.Run("a lot of another product, and nothing of the call stays", func(t *testing.T) {
			p := w.draft(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers)
			err := w.user.CreateMoves(w.ctx, p, []odoo.NewMove{{ProductID: tracked.ID, LotID: lot, Quantity: 1}, {ProductID: tracked.ID, LotID: foreign, Quantity: 1}})
			if err == nil {
				_, err = w.user.Validate(w.ctx, p.ID, odoo.Confirm{})
			} else if lines, err := w.user.Lines(w.ctx, p.ID); err != nil || len(lines) != 0 {
				t.Errorf("%d lines of a refused call stayed, %v", len(lines), err)
			}
			refused(t, err, fault.Data, odoo.CodeRefused)
			if got := w.onHand(t, w.branch.StockID, tracked); len(got) != 0 {
				t.Errorf("on hand %v", got)
			}
		})
		t.Run("an empty document", func(t *testing.T) {
			p := w.draft(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers)
			_, err := w.user.Validate(w.ctx, p.ID, odoo.Confirm{})
			refused(t, err, fault.Data, odoo.CodeRefused)
		})
		t.Run("a cancelled document", func(t *testing.T) {
			p := w.draft(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers, odoo.NewMove{ProductID: tracked.ID, LotID: lot, Quantity: 1})
			_, err := w.user.Call(w.ctx, "stock.picking", "action_cancel", odoo.Args{IDs: []int64{p.ID}})
			must(t, err)
			_, err = w.user.Validate(w.ctx, p.ID, odoo.Confirm{})
			if fault.ClassOf(err) != fault.Data || fault.CodeOf(err) != "picking_cancelled" {
				t.Errorf("%v", err)
			}
		})
		t.Run("a document with moves is withdrawn, not deleted, and its name is free again", func(t *testing.T) {
			p := w.draft(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers, odoo.NewMove{ProductID: tracked.ID, LotID: lot, Quantity: 1})
			if w.stockUser {
				refused(t, w.user.DeletePicking(w.ctx, p.ID), fault.Setup, odoo.CodeRight)
			}
			for range 2 {
				now, _, err := w.user.PickingByID(w.ctx, p.ID)
				must(t, err)
				must(t, w.user.WithdrawPicking(w.ctx, now))
			}
			gone, _, err := w.user.PickingByID(w.ctx, p.ID)
			must(t, err)
			if !gone.Withdrawn() || gone.State != odoo.Cancelled || gone.Name == p.Name {
				t.Errorf("withdrawn it reads as %+v", gone)
			}
			if _, err := w.user.CreatePicking(w.ctx, odoo.NewPicking{Name: p.Name, TypeID: p.TypeID, FromID: p.FromID, ToID: p.ToID}); err != nil {
				t.Errorf("the name is not free: %v", err)
			}
		})
		t.Run("a document that is gone", func(t *testing.T) {
			_, err := w.user.Validate(w.ctx, 999999999, odoo.Confirm{})
			if fault.ClassOf(err) != fault.Data || fault.CodeOf(err) != "picking_gone" {
				t.Errorf("%v", err)
			}
		})
	})
}

func TestContractExpired(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		p := w.newProduct(t, odoo.ByLot)
		lot := w.newLot(t, p, day(-1))
		doc, v := w.post(t, w.branch.OutTypeID, w.branch.StockID, w.places.Customers, odoo.Confirm{}, odoo.NewMove{ProductID: p.ID, LotID: lot, Quantity: 1})
		if v.Done() || v.Dialog == nil || v.Dialog.Model != odoo.ExpiryDialog || v.Dialog.Name == "" {
			t.Fatalf("an expired lot going out gives %+v", v)
		}
		if got := w.onHand(t, w.branch.StockID, p); len(got) != 0 {
			t.Fatalf("posted in spite of the dialog: %v", got)
		}
		v, err := w.user.Validate(w.ctx, doc.ID, odoo.Confirm{Expired: true})
		must(t, err)
		if !v.Done() {
			t.Fatalf("confirmed beforehand it gives %+v", v)
		}
	})
}

// The documents besides receipts and dispensing. Each has a name of our own, so
// each can be looked up.
func TestContractOtherDocuments(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		t.Run("a return from a customer, with a lot that Odoo does not know yet", func(t *testing.T) {
			p := w.newProduct(t, odoo.ByLot)
			known, name := w.newLot(t, p, day(1)), w.unique("L")
			_, v := w.post(t, w.branch.InTypeID, w.places.Customers, w.branch.StockID, odoo.Confirm{},
				odoo.NewMove{ProductID: p.ID, LotID: known, Quantity: 2}, odoo.NewMove{ProductID: p.ID, LotName: name, Expires: day(3), Quantity: 4})
			got := w.onHand(t, w.branch.StockID, p)
			if !v.Done() || !odoo.SameNumber(got[name], 4) || !odoo.SameNumber(got[w.lotName(t, known)], 2) {
				t.Fatalf("%+v %v", v, got)
			}
			if l, found, err := w.user.LotByName(w.ctx, p.ID, w.branch.CompanyID, name); err != nil || !found || !l.Expires.Equal(day(3)) {
				t.Errorf("the new lot: %v %+v %v", found, l, err)
			}
		})
		t.Run("wastage", func(t *testing.T) {
			p := w.newProduct(t, odoo.ByLot)
			lot := w.newLot(t, p, day(-1))
			_, v := w.post(t, w.branch.IntTypeID, w.branch.StockID, w.places.Scrap, odoo.Confirm{Expired: true}, odoo.NewMove{ProductID: p.ID, LotID: lot, Quantity: 5})
			if got := w.onHand(t, w.branch.StockID, p); !v.Done() || !odoo.SameNumber(got[w.lotName(t, lot)], -5) {
				t.Fatalf("%+v %v", v, got)
			}
		})
		t.Run("a correction up and down", func(t *testing.T) {
			p := w.newProduct(t, odoo.ByQuantity)
			if _, v := w.post(t, w.branch.IntTypeID, w.places.Inventory, w.branch.StockID, odoo.Confirm{}, odoo.NewMove{ProductID: p.ID, Quantity: 10}); !v.Done() {
				t.Fatalf("%+v", v)
			}
			if _, v := w.post(t, w.branch.IntTypeID, w.branch.StockID, w.places.Inventory, odoo.Confirm{}, odoo.NewMove{ProductID: p.ID, Quantity: 3}); !v.Done() {
				t.Fatalf("%+v", v)
			}
			if got := w.onHand(t, w.branch.StockID, p); !odoo.SameNumber(got[""], 7) {
				t.Fatalf("on hand %v", got)
			}
		})
		t.Run("a correction up, with a new lot", func(t *testing.T) {
			p := w.newProduct(t, odoo.ByLot)
			lot := w.newLot(t, p, day(2))
			if _, v := w.post(t, w.branch.IntTypeID, w.places.Inventory, w.branch.StockID, odoo.Confirm{}, odoo.NewMove{ProductID: p.ID, LotID: lot, Quantity: 10}); !v.Done() {
				t.Fatalf("%+v", v)
			}
			if got := w.onHand(t, w.branch.StockID, p); !odoo.SameNumber(got[w.lotName(t, lot)], 10) {
				t.Fatalf("on hand %v", got)
			}
		})
		t.Run("a transfer to another branch, out and in", func(t *testing.T) {
			b := w.newBranch(t, "B")
			p := w.newProduct(t, odoo.ByLot)
			lot := w.newLot(t, p, day(2))
			if w.places.Transit == 0 {
				t.Fatal("no transit location")
			}
			if _, v := w.post(t, w.branch.OutTypeID, w.branch.StockID, w.places.Transit, odoo.Confirm{}, odoo.NewMove{ProductID: p.ID, LotID: lot, Quantity: 6}); !v.Done() {
				t.Fatalf("out: %+v", v)
			}
			if got := w.onHand(t, w.places.Transit, p); !odoo.SameNumber(got[w.lotName(t, lot)], 6) {
				t.Fatalf("between the branches %v", got)
			}
			if _, v := w.post(t, b.InTypeID, w.places.Transit, b.StockID, odoo.Confirm{}, odoo.NewMove{ProductID: p.ID, LotID: lot, Quantity: 6}); !v.Done() {
				t.Fatalf("in: %+v", v)
			}
			a, bb, between := w.onHand(t, w.branch.StockID, p), w.onHand(t, b.StockID, p), w.onHand(t, w.places.Transit, p)
			if name := w.lotName(t, lot); !odoo.SameNumber(a[name], -6) || !odoo.SameNumber(bb[name], 6) || len(between) != 0 {
				t.Fatalf("at A %v, at B %v, between %v", a, bb, between)
			}
		})
	})
}

func TestContractMarker(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		plain := w.newProduct(t, odoo.ByQuantity)
		name := w.unique("BL/M")
		m := odoo.Marker{Posting: name, Body: strings.Repeat("b7/k3f9zq/live:1001-1050,1052 ", 300) + "end"}
		note, err := m.HTML()
		must(t, err)
		id, err := w.user.CreatePicking(w.ctx, odoo.NewPicking{Name: name, TypeID: w.branch.OutTypeID, FromID: w.branch.StockID, ToID: w.places.Customers, Note: note})
		must(t, err)
		p, _, err := w.user.PickingByID(w.ctx, id)
		must(t, err)
		must(t, w.user.CreateMoves(w.ctx, p, []odoo.NewMove{{ProductID: plain.ID, Quantity: 1}}))
		v, err := w.user.Validate(w.ctx, id, odoo.Confirm{})
		must(t, err)
		if !v.Done() {
			t.Fatalf("%+v", v)
		}
		found, err := w.user.PickingsMarked(w.ctx, name[:len(name)-1], 0, 0)
		must(t, err)
		if len(found) != 1 || found[0].ID != id {
			t.Fatalf("found %+v", found)
		}
		if got, ok := odoo.MarkerOf(found[0]); !ok || got != m {
			t.Fatalf("a marker of %d bytes came back as %v, %d bytes", len(m.Body), ok, len(got.Body))
		}
		if found, err := w.user.PickingsMarked(w.ctx, name, id, 0); err != nil || len(found) != 0 {
			t.Errorf("found after itself: %+v, %v", found, err)
		}
	})
}

// A look at many documents, by their markers or names, reads them page by page, and
// none twice.
func TestContractMarkedPages(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		for _, n := range []int{200, 201} {
			prefix := w.unique("BL/P") + "/"
			drafts := make([]map[string]any, n)
			for i := range drafts {
				m := odoo.Marker{Posting: fmt.Sprintf("%s%d", prefix, i), Body: "b7 dispense k3f9zq/live:1"}
				note, err := m.HTML()
				must(t, err)
				drafts[i] = map[string]any{"name": m.Posting, "picking_type_id": w.branch.OutTypeID, "location_id": w.branch.StockID,
					"location_dest_id": w.places.Customers}
				if i%3 != 0 { // the name alone will do
					drafts[i]["note"] = note
				}
			}
			ids, err := w.admin.Create(w.ctx, "stock.picking", drafts...)
			must(t, err)
			const page = 100
			var seen []int64
			for more, last := true, int64(0); more; {
				found, err := w.user.OursSince(w.ctx, prefix, time.Time{}, last, page)
				must(t, err)
				for _, p := range found {
					last = p.ID
					seen = append(seen, p.ID)
					if p.Changed.IsZero() {
						t.Fatalf("%s was never written", p.Name)
					}
				}
				more = len(found) == page
			}
			slices.Sort(ids)
			if !slices.Equal(seen, ids) {
				t.Errorf("of %d documents %d were found: %v", n, len(seen), seen)
			}
		}
	})
}

func TestAnAlteredMarkerIsKnownAsOne(t *testing.T) {
	note, err := odoo.Marker{Posting: "BL/BR01/abcd/L1-2/0a1b2c3d", Body: "BR01 dispense abcdefghijkl/live:1-2"}.HTML()
	must(t, err)
	for what, c := range map[string]struct {
		note, posting string
		altered       bool
	}{
		"whole":          {note, "", false},
		"no marker":      {"<p>keep cool</p>", "", false},
		"another seq":    {strings.Replace(note, ":1-2", ":1-3", 1), "BL/BR01/abcd/L1-2/0a1b2c3d", true},
		"cut off":        {note[:len("<p>branchline:1|BL/BR01/abcd")], "BL/BR01/abcd", true},
		"markup between": {strings.Replace(note, "|BR01", "<b>|BR01", 1), "BL/BR01/abcd/L1-2/0a1b2c3d", true},
	} {
		if posting, altered := odoo.AlteredMarker(c.note); posting != c.posting || altered != c.altered {
			t.Errorf("%s: %q, %v", what, posting, altered)
		}
	}
}
