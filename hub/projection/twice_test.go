package projection_test

import (
	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/movement"
)

// adopt finds a document in Odoo that holds one movement.
func (f fixture) adopt(name string, seq uint64) {
	f.Helper()
	if _, err := f.Adopt(f.Context(), ledger.Adopted{New: ledger.NewPosting{Name: name, Branch: "BR01", Kind: movement.Dispense},
		Odoo: ledger.OdooRef{Model: "stock.picking", ID: 5, Name: name}, At: ledgertest.Noon,
		Runs: []ledger.Run{{Stream: f.s.Stream, First: seq, Last: seq}}}); err != nil {
		f.Fatal(err)
	}
	catchUp(f.T, projector(f.Ledger))
}

// twice holds the exceptions of what was posted twice against those wanted: the
// seq and the other document.
func (f fixture) twice(want map[uint64]string) {
	f.Helper()
	catchUp(f.T, projector(f.Ledger))
	open, err := f.Exceptions(f.Context(), ledger.ExceptionFilter{Reason: projection.ReasonPostedTwice})
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range open {
		if other, ok := want[e.Identity.Seq]; !ok || !strings.Contains(e.Text, "posting "+other) || e.PostingID == 0 || e.Hint == "" {
			f.Errorf("told of %s: %q", e.Identity, e.Text)
		}
	}
	if len(open) != len(want) {
		f.Errorf("told of %d, want %v", len(open), want)
	}
	stock, err := f.BranchStock(f.Context(), "BR01")
	if err != nil || len(stock) != 1 || stock[0].WentOut != movement.Units(1) {
		f.Errorf("the event counts %+v, %v", stock, err)
	}
}

// One event in two documents is told of in whatever order they are found, and as
// long as it is so.
func TestAnEventInTwoDocumentsIsToldOf(t *testing.T) {
	t.Run("the later first", func(t *testing.T) {
		f := newFixture(t, dispensings(2, keyed("k"))...)
		f.adopt("P", 2)
		f.twice(nil)
		f.adopt("Q", 1)
		f.twice(map[uint64]string{2: "Q"})
		f.states(ledger.Posted, ledger.Posted)
	})
	t.Run("found once more", func(t *testing.T) {
		f := newFixture(t, dispensings(2, keyed("k"))...)
		f.adopt("P", 2)
		f.adopt("Q", 1)
		f.adopt("P", 2)
		f.twice(map[uint64]string{2: "Q"})
		f.states(ledger.Posted, ledger.Posted)
	})
	t.Run("two later ones, from the last", func(t *testing.T) {
		f := newFixture(t, dispensings(3, keyed("k"))...)
		f.adopt("P", 3)
		f.adopt("Q", 2)
		f.twice(map[uint64]string{3: "Q"})
		f.states(ledger.Duplicate, ledger.Posted, ledger.Posted)
		f.adopt("R", 1)
		f.twice(map[uint64]string{2: "R", 3: "R"})
		f.states(ledger.Posted, ledger.Posted, ledger.Posted)
	})
	t.Run("the first has begun and is refused", func(t *testing.T) {
		f := newFixture(t, dispensings(2, keyed("k"))...)
		id := f.post("Q", 1)
		f.change(id, ledger.PostingChange{State: ledger.PostingBegun, Step: "created"})
		f.adopt("P", 2)
		f.twice(map[uint64]string{2: "Q"})
		f.states(ledger.Planned, ledger.Posted)
		f.change(id, ledger.PostingChange{State: ledger.PostingRefused, Refused: []ledger.Refusal{{Movement: f.ids(1)[0], Stage: "post", Reason: "odoo_refused"}}})
		f.twice(nil)
		f.states(ledger.Duplicate, ledger.Posted)
	})
	t.Run("the first has begun and is split", func(t *testing.T) {
		f := newFixture(t, append(dispensings(2, keyed("k")), dispensings(1, func(m *movement.Movement) { m.Lot = "B" })...)...)
		id := f.post("Q", 1, 3)
		f.change(id, ledger.PostingChange{State: ledger.PostingBegun, Step: "created"})
		f.adopt("P", 2)
		parts := f.change(id, ledger.PostingChange{State: ledger.PostingSplit, Parts: []ledger.NewPosting{
			{Name: "Q1", Branch: "BR01", Kind: movement.Dispense, Movements: f.ids(1)}, {Name: "Q2", Branch: "BR01", Kind: movement.Dispense, Movements: f.ids(3)}}})
		catchUp(t, projector(f.Ledger))
		f.states(ledger.Duplicate, ledger.Posted, ledger.Planned)
		if p, err := f.Posting(t.Context(), parts[0]); err != nil || p.State != ledger.PostingWithdrawn {
			t.Errorf("%+v, %v", p.State, err)
		}
	})
	t.Run("the first is released while the later is found", func(t *testing.T) {
		f := newFixture(t, dispensings(2, keyed("k"), problem("x"))...)
		d := ledger.Decision{Choice: ledger.Retry, Movements: f.ids(1), Who: "ann", Why: "seen", At: ledgertest.Noon}
		if n, err := f.Decide(t.Context(), d); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		f.adopt("P", 2)
		f.twice(nil)
		f.states(ledger.Duplicate, ledger.Posted)
	})
	t.Run("dealt with, and found once more", func(t *testing.T) {
		f := newFixture(t, dispensings(2, keyed("k"))...)
		f.change(f.post("Q", 1), ledger.PostingChange{State: ledger.PostingDone})
		f.adopt("P", 2)
		f.decide(ledger.Discard, 2)
		f.twice(nil)
		f.adopt("P", 2)
		f.twice(nil)
		f.states(ledger.Posted, ledger.Posted)
	})
}

// The hub is killed after it found the later copy, and all is built anew before
// the first one's posting was taken back: what else is in that is not forgotten.
func TestWhatIsTakenBackWhileAllIsBuiltAnew(t *testing.T) {
	f := newFixture(t, append(dispensings(2, keyed("k")), dispensings(1)...)...)
	id := f.post("Q", 1, 3)
	if _, err := f.Adopt(t.Context(), ledger.Adopted{New: ledger.NewPosting{Name: "P", Branch: "BR01", Kind: movement.Dispense},
		Odoo: ledger.OdooRef{Model: "stock.picking", ID: 5, Name: "P"}, At: ledgertest.Noon,
		Runs: []ledger.Run{{Stream: f.s.Stream, First: 2, Last: 2}}}); err != nil {
		t.Fatal(err)
	}
	if err := projector(f.Ledger).Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.states(ledger.Duplicate, ledger.Posted, ledger.Pending)
	if p, err := f.Posting(t.Context(), id); err != nil || p.State != ledger.PostingWithdrawn {
		t.Errorf("%+v, %v", p.State, err)
	}
}
