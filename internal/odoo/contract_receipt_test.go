package odoo_test

import (
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/odoo"
)

// line is what arrived of a receipt's i-th move.
func line(r odoo.Receipt, i int, lot string, expires time.Time, q float64) odoo.ReceiptLine {
	m := r.Moves[i]
	return odoo.ReceiptLine{MoveID: m.ID, ProductID: m.ProductID, LotName: lot, Expires: expires, Quantity: q, FromID: m.FromID, ToID: m.ToID}
}

func prepared(r odoo.Receipt) []int64 {
	var ids []int64
	for _, m := range r.Moves {
		ids = append(ids, m.Lines...)
	}
	return ids
}

func (w *world) receive(t *testing.T, r odoo.Receipt, confirm odoo.Confirm, lines ...odoo.ReceiptLine) odoo.Validated {
	t.Helper()
	must(t, w.user.WriteReceipt(w.ctx, r.ID, prepared(r), lines, ""))
	v, err := w.user.Validate(w.ctx, r.ID, confirm)
	must(t, err)
	return v
}

func TestContractReceipt(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		tracked, plain := w.newProduct(t, odoo.ByLot), w.newProduct(t, odoo.ByQuantity)
		r := w.purchase(t, ordered{tracked, 10}, ordered{plain, 5})
		if len(r.Moves) != 2 || r.FromID != w.places.Suppliers || r.ToID != w.branch.StockID || r.Partner.ID == 0 || r.CompanyID != w.branch.CompanyID {
			t.Fatalf("the receipt reads as %+v", r)
		}
		for i, want := range []float64{10, 5} {
			if m := r.Moves[i]; m.Ordered != want || m.UoM.ID != tracked.UoM.ID || m.OrderLine == 0 || len(m.Lines) != 1 || m.ToID != w.branch.StockID {
				t.Errorf("move %d reads as %+v", i, m)
			}
		}
		before, err := w.user.Lines(w.ctx, r.ID)
		must(t, err)
		if len(before) != 2 || before[0].LotName != "" || before[0].Picked {
			t.Errorf("the prepared lines are %+v", before)
		}
		l1, l2 := w.unique("L"), w.unique("L")
		m := odoo.Marker{Posting: "R1", PickingID: r.ID, Body: "b7/k3f9zq/live:5-7"}
		note, err := m.With(r.Note)
		must(t, err)
		must(t, w.user.WriteReceipt(w.ctx, r.ID, prepared(r), []odoo.ReceiptLine{
			line(r, 0, l1, day(1), 4), line(r, 0, l2, day(2), 6), line(r, 1, "", time.Time{}, 5)}, note))
		lines, err := w.user.Lines(w.ctx, r.ID)
		must(t, err)
		if len(lines) != 3 {
			t.Fatalf("%d lines instead of the three written: %+v", len(lines), lines)
		}
		for i, want := range []struct {
			lot     string
			q       float64
			expires time.Time
		}{{l1, 4, day(1)}, {l2, 6, day(2)}, {"", 5, time.Time{}}} {
			if l := lines[i]; l.LotName != want.lot || l.Quantity != want.q || !l.Picked || !want.expires.IsZero() && !l.Expires.Equal(want.expires) {
				t.Errorf("line %d reads as %+v", i, l)
			}
		}
		v, err := w.user.Validate(w.ctx, r.ID, odoo.Confirm{Backorder: true})
		must(t, err)
		if !v.Done() {
			t.Fatalf("%+v", v)
		}
		if got := w.onHand(t, w.branch.StockID, tracked); !odoo.SameNumber(got[l1], 4) || !odoo.SameNumber(got[l2], 6) {
			t.Errorf("on hand %v", got)
		}
		if got := w.onHand(t, w.branch.StockID, plain); !odoo.SameNumber(got[""], 5) {
			t.Errorf("on hand %v", got)
		}
		if l, found, err := w.user.LotByName(w.ctx, tracked.ID, w.branch.CompanyID, l2); err != nil || !found || !l.Expires.Equal(day(2)) {
			t.Errorf("the lot made by the receipt: %v %+v %v", found, l, err)
		}
		p, _, err := w.user.PickingByID(w.ctx, r.ID)
		must(t, err)
		if got, ok := odoo.MarkerOf(p); !ok || got != m {
			t.Errorf("the marker came back as %v %+v", ok, got)
		}
		if _, open, err := w.user.ReceiptByID(w.ctx, r.ID); err != nil || open {
			t.Errorf("a done receipt is still expected: %v", err)
		}
		if left, err := w.user.SearchRead(w.ctx, "stock.picking", odoo.Query{Domain: odoo.Domain{odoo.Where("backorder_id", "=", r.ID)}, Fields: []string{"name"}}); err != nil || len(left) != 0 {
			t.Errorf("a whole receipt has %d backorders, %v", len(left), err)
		}
	})
}

func TestContractPartialReceipt(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		tracked, plain := w.newProduct(t, odoo.ByLot), w.newProduct(t, odoo.ByQuantity)
		r := w.purchase(t, ordered{tracked, 10}, ordered{plain, 5})
		lot := w.unique("L")
		m := odoo.Marker{Posting: "R2", PickingID: r.ID, Body: "b7/k3f9zq/live:8"}
		note, err := m.With("<p>Ring the bell</p>")
		must(t, err)
		must(t, w.user.WriteReceipt(w.ctx, r.ID, prepared(r), []odoo.ReceiptLine{line(r, 0, lot, day(1), 4)}, note))
		v, err := w.user.Validate(w.ctx, r.ID, odoo.Confirm{})
		must(t, err)
		if v.Done() || v.Dialog == nil || v.Dialog.Model != odoo.BackorderDialog {
			t.Fatalf("a partial receipt without asking for a backorder gives %+v", v)
		}
		if got := w.onHand(t, w.branch.StockID, tracked); len(got) != 0 {
			t.Fatalf("posted in spite of the dialog: %v", got)
		}
		v, err = w.user.Validate(w.ctx, r.ID, odoo.Confirm{Backorder: true})
		must(t, err)
		if !v.Done() {
			t.Fatalf("%+v", v)
		}
		receipts, err := w.user.OpenReceipts(w.ctx, w.branch)
		must(t, err)
		if len(receipts) != 1 || receipts[0].BackorderOf != r.ID {
			t.Fatalf("open are %+v", receipts)
		}
		back := receipts[0]
		if back.Origin != r.Origin || back.Partner.ID != r.Partner.ID || len(back.Moves) != 2 {
			t.Fatalf("the backorder reads as %+v", back)
		}
		want := map[int64]float64{tracked.ID: 6, plain.ID: 5}
		for _, move := range back.Moves {
			if !odoo.SameNumber(move.Ordered, want[move.ProductID]) || len(move.Lines) == 0 {
				t.Errorf("the backorder's move reads as %+v", move)
			}
		}
		t.Run("the backorder copies the note, and the marker in it is void", func(t *testing.T) {
			p, _, err := w.user.PickingByID(w.ctx, back.ID)
			must(t, err)
			if got, ok := odoo.ReadMarker(p.Note); !ok || got != m {
				t.Errorf("the note of the backorder is %q", p.Note)
			}
			if got, ok := odoo.MarkerOf(p); ok {
				t.Errorf("the backorder claims the movements %+v", got)
			}
			found, err := w.user.PickingsMarked(w.ctx, "R2", r.ID-1, 0)
			must(t, err)
			if len(found) != 2 {
				t.Errorf("%d documents hold the marker", len(found))
			}
		})
		t.Run("the rest can be received", func(t *testing.T) {
			lines := []odoo.ReceiptLine{}
			for i, move := range back.Moves {
				l := line(back, i, "", time.Time{}, move.Ordered)
				if move.ProductID == tracked.ID {
					known, _, err := w.user.LotByName(w.ctx, tracked.ID, w.branch.CompanyID, lot)
					must(t, err)
					l.LotID = known.ID
				}
				lines = append(lines, l)
			}
			if v := w.receive(t, back, odoo.Confirm{Backorder: true}, lines...); !v.Done() {
				t.Fatalf("%+v", v)
			}
			if got := w.onHand(t, w.branch.StockID, tracked); !odoo.SameNumber(got[lot], 10) {
				t.Errorf("on hand %v", got)
			}
		})
	})
}

// What Odoo accepts without a word; the hub must look before it posts.
func TestContractSilentReceipts(t *testing.T) {
	contract(t, func(t *testing.T, w *world) {
		t.Run("more than ordered", func(t *testing.T) {
			p := w.newProduct(t, odoo.ByQuantity)
			r := w.purchase(t, ordered{p, 3})
			if v := w.receive(t, r, odoo.Confirm{Backorder: true}, line(r, 0, "", time.Time{}, 8)); !v.Done() {
				t.Fatalf("%+v", v)
			}
			if got := w.onHand(t, w.branch.StockID, p); !odoo.SameNumber(got[""], 8) {
				t.Errorf("on hand %v", got)
			}
		})
		t.Run("a known lot with another expiry keeps the one it has", func(t *testing.T) {
			p := w.newProduct(t, odoo.ByLot)
			name := w.unique("L")
			_, err := w.user.CreateLot(w.ctx, p.ID, w.branch.CompanyID, name, day(1))
			must(t, err)
			r := w.purchase(t, ordered{p, 2})
			if v := w.receive(t, r, odoo.Confirm{Backorder: true}, line(r, 0, name, day(3), 2)); !v.Done() {
				t.Fatalf("%+v", v)
			}
			l, _, err := w.user.LotByName(w.ctx, p.ID, w.branch.CompanyID, name)
			must(t, err)
			if !l.Expires.Equal(day(1)) {
				t.Errorf("the lot now expires %v", l.Expires)
			}
		})
		t.Run("a product that was not ordered", func(t *testing.T) {
			p, stranger := w.newProduct(t, odoo.ByQuantity), w.newProduct(t, odoo.ByQuantity)
			r := w.purchase(t, ordered{p, 2})
			extra := line(r, 0, "", time.Time{}, 4)
			extra.MoveID, extra.ProductID = 0, stranger.ID
			must(t, w.user.WriteReceipt(w.ctx, r.ID, prepared(r), []odoo.ReceiptLine{line(r, 0, "", time.Time{}, 2), extra}, ""))
			if w.major >= 19 && w.stockUser {
				// It would add a line to the purchase order.
				_, err := w.user.Validate(w.ctx, r.ID, odoo.Confirm{Backorder: true})
				refused(t, err, fault.Setup, odoo.CodeRight)
			}
			v, err := w.admin.Validate(w.ctx, r.ID, odoo.Confirm{Backorder: true})
			must(t, err)
			if got := w.onHand(t, w.branch.StockID, stranger); !v.Done() || !odoo.SameNumber(got[""], 4) {
				t.Errorf("%+v, on hand %v", v, got)
			}
		})
		t.Run("a new lot that has expired: a dialog from 19 on", func(t *testing.T) {
			p := w.newProduct(t, odoo.ByLot)
			r := w.purchase(t, ordered{p, 2})
			v := w.receive(t, r, odoo.Confirm{Backorder: true}, line(r, 0, w.unique("L"), day(-1), 2))
			if w.major < 19 {
				if !v.Done() {
					t.Errorf("%+v", v)
				}
				return
			}
			if v.Done() || v.Dialog == nil || v.Dialog.Model != odoo.ExpiryDialog {
				t.Fatalf("%+v", v)
			}
			v, err := w.user.Validate(w.ctx, r.ID, odoo.Confirm{Backorder: true, Expired: true})
			must(t, err)
			if !v.Done() {
				t.Errorf("confirmed beforehand: %+v", v)
			}
		})
		t.Run("a lot by its name and without an expiry expires at once, one that was ensured does not", func(t *testing.T) {
			p := w.newProduct(t, odoo.ByLot)
			r := w.purchase(t, ordered{p, 2})
			named := w.unique("L")
			ensured, err := w.user.EnsureLot(w.ctx, p.ID, w.branch.CompanyID, w.unique("L"), time.Time{})
			must(t, err)
			second := line(r, 0, "", time.Time{}, 1)
			second.LotID = ensured.ID
			v := w.receive(t, r, odoo.Confirm{Backorder: true}, line(r, 0, named, time.Time{}, 1), second)
			if w.major >= 19 {
				if v.Done() || v.Dialog == nil || v.Dialog.Model != odoo.ExpiryDialog {
					t.Errorf("without an expiry nobody asks: %+v", v)
				}
				v, err = w.user.Validate(w.ctx, r.ID, odoo.Confirm{Backorder: true, Expired: true})
				must(t, err)
			}
			if !v.Done() {
				t.Fatalf("%+v", v)
			}
			l, found, err := w.user.LotByName(w.ctx, p.ID, w.branch.CompanyID, named)
			must(t, err)
			if !found || time.Since(l.Expires).Abs() > 24*time.Hour {
				t.Errorf("the lot made by its name expires %v", l.Expires)
			}
			l, _, err = w.user.LotByName(w.ctx, p.ID, w.branch.CompanyID, ensured.Name)
			must(t, err)
			if !l.Expires.IsZero() {
				t.Errorf("the lot that was ensured expires %v", l.Expires)
			}
		})
		t.Run("an ensured lot whose expiry lies ahead comes in without a question", func(t *testing.T) {
			p := w.newProduct(t, odoo.ByLot)
			r := w.purchase(t, ordered{p, 2})
			lot, err := w.user.EnsureLot(w.ctx, p.ID, w.branch.CompanyID, w.unique("L"), day(1))
			must(t, err)
			l := line(r, 0, "", time.Time{}, 2)
			l.LotID = lot.ID
			if v := w.receive(t, r, odoo.Confirm{Backorder: true}, l); !v.Done() {
				t.Fatalf("%+v", v)
			}
			if got := w.onHand(t, w.branch.StockID, p); !odoo.SameNumber(got[lot.Name], 2) {
				t.Errorf("on hand %v", got)
			}
		})
		t.Run("but a tracked product without a lot is refused", func(t *testing.T) {
			p := w.newProduct(t, odoo.ByLot)
			r := w.purchase(t, ordered{p, 2})
			must(t, w.user.WriteReceipt(w.ctx, r.ID, prepared(r), []odoo.ReceiptLine{line(r, 0, "", time.Time{}, 2)}, ""))
			_, err := w.user.Validate(w.ctx, r.ID, odoo.Confirm{Backorder: true})
			refused(t, err, fault.Data, odoo.CodeRefused)
			if state, _, err := w.user.PickingByID(w.ctx, r.ID); err != nil || state.State != odoo.Assigned {
				t.Errorf("left %s, %v", state.State, err)
			}
		})
	})
}
