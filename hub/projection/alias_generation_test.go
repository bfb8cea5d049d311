package projection_test

import (
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
)

// What was begun and has no document yet is planned again when a code means
// something else, also when it was Odoo that knew it; and a refused document is
// not halved by what the code meant before.
func TestWhatHasNoDocumentYetFollowsTheAlias(t *testing.T) {
	code := ledgertest.Movement(movement.Dispense, 1).Product
	f := newFixture(t, dispensings(4)...)
	f.change(f.post("away", 1), ledger.PostingChange{State: ledger.PostingBegun})
	refused := f.post("refused", 2, 3)
	f.change(refused, ledger.PostingChange{State: ledger.PostingBegun, Step: "refused"})
	before := f.aliases()
	f.change(f.post("made", 4), ledger.PostingChange{State: ledger.PostingBegun, Step: "created"})
	if _, err := f.SetAlias(t.Context(), ledger.Alias{Product: code, ProductID: 42, ProductName: "Aspirin", Who: "ann", Why: "old code", At: ledgertest.Noon}); err != nil {
		t.Fatal(err)
	}
	parts := f.change(refused, ledger.PostingChange{State: ledger.PostingSplit, Parts: []ledger.NewPosting{
		{Name: "half", Branch: "BR01", Kind: movement.Dispense, Movements: f.ids(2), Aliases: before},
		{Name: "other half", Branch: "BR01", Kind: movement.Dispense, Movements: f.ids(3), Aliases: before}}})
	if p, err := f.Posting(t.Context(), refused); err != nil || len(parts) != 0 || p.State != ledger.PostingWithdrawn {
		t.Errorf("halved to %v, and is %s; %v", parts, p.State, err)
	}
	f.states(ledger.Pending, ledger.Pending, ledger.Pending, ledger.Planned)
}

// A restore noted by a clock that was ahead holds no alias longer than until a
// person has looked.
func TestAliasesAreConfirmedWhateverTheClockSaidAtTheRestore(t *testing.T) {
	f := newFixture(t, dispensings(2)...)
	alias := ledger.Alias{Product: ledgertest.Movement(movement.Dispense, 1).Product, ProductID: 42, Who: "ann", Why: "old code", At: ledgertest.Noon}
	if _, err := f.SetAlias(t.Context(), alias); err != nil {
		t.Fatal(err)
	}
	planned := f.post("planned", 1)
	held := func() (n int) {
		t.Helper()
		all, err := f.Aliases(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if a.Held {
				n++
			}
		}
		return n
	}
	before := f.aliases()
	if noted, err := f.NoteAhead(t.Context(), f.s.Stream, ledgertest.Noon.AddDate(1, 0, 0)); err != nil || !noted {
		t.Fatal(noted, err)
	}
	if held() != 1 || f.aliases() == before {
		t.Errorf("%d aliases held, generation %d as before", held(), before)
	}
	for want := range 2 { // that one hides no later one for a year
		noted, err := f.NoteAhead(t.Context(), f.s.Stream, time.Now())
		if err != nil || noted != (want == 0) {
			t.Errorf("the %d. later one: noted %t, %v", want+1, noted, err)
		}
	}
	if p, err := f.Posting(t.Context(), planned); err != nil || p.State != ledger.PostingWithdrawn {
		t.Errorf("what was planned by an alias that is held now is %s, %v", p.State, err)
	}
	if n, err := f.ConfirmAliases(t.Context(), "ann", "looked", ledgertest.Noon.Add(time.Hour)); n != 1 || err != nil || held() != 0 {
		t.Errorf("%d confirmed, %d still held, %v", n, held(), err)
	}
}
