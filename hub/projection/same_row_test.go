package projection_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// badRow is a row of an export that could not be read, under a key of its own.
func badRow(key string, sum byte) []byte {
	return ledgertest.Record(movement.Dispense, 0, problem("unknown_unit"), keyed(movement.BadRowKey(key, bytes.Repeat([]byte{sum}, 8))), func(m *movement.Movement) {
		m.Product = movement.Product{}
		m.Source = movement.Source{Adapter: "till", File: "day.csv", Line: 7, Raw: "receipt=R1; line=1; unit=(not kept)"}
	})
}

func namelessRow(line int64, sum byte) []byte {
	return ledgertest.Record(movement.Dispense, 0, problem("unknown_unit"), keyed(movement.NamelessRowKey("till", bytes.Repeat([]byte{sum}, 12))), func(m *movement.Movement) {
		m.Product = movement.Product{}
		m.Source = movement.Source{Adapter: "till", File: "day.csv", Line: line, Raw: "unit=(not kept)"}
	})
}

func goodRow(key string) []byte {
	return ledgertest.Record(movement.Dispense, 1, keyed(key), func(m *movement.Movement) { m.RecordedAt = m.RecordedAt.Add(time.Hour) })
}

func whole() ledger.Correction {
	product, one := movement.Product{Scheme: movement.SKU, Code: "A1"}, movement.Units(1)
	return ledger.Correction{Product: &product, Quantity: &one}
}

func (f fixture) sends(records ...[]byte) {
	f.Helper()
	f.s.Commit(f.T, f.Ledger, records...)
	catchUp(f.T, projector(f.Ledger))
}

func (f fixture) says(seq uint64, release bool) {
	f.Helper()
	d := ledger.Decision{Choice: ledger.Discard, Movements: f.ids(seq), Who: "ann", Why: "seen", At: ledgertest.Noon}
	do := f.Decide
	if release {
		do = f.Release
	}
	if n, err := do(f.Context(), d); err != nil || n != 1 {
		f.Fatal(n, err)
	}
	catchUp(f.T, projector(f.Ledger))
}

// are compares the states of all movements, before and after all tables were made
// anew.
func (f fixture) are(want ...ledger.State) {
	f.Helper()
	for _, when := range []string{"now", "rebuilt"} {
		for i, w := range want {
			m, err := f.Movement(f.Context(), f.ids(uint64(i + 1))[0])
			if err != nil || m.State != w {
				f.Errorf("%s: movement %d is %s, want %s (%v)", when, i+1, m.State, w, err)
			}
		}
		if err := projector(f.Ledger).Rebuild(f.Context()); err != nil {
			f.Fatal(err)
		}
	}
}

// A row that a person at the hub has corrected is mended in the dispensing system
// and exported again: it counts once, and a person says which.
func TestARowThatWasCorrectedCountsOnce(t *testing.T) {
	for name, c := range map[string]struct {
		then func(f fixture)
		want []ledger.State
	}{
		"the row comes itself": {func(f fixture) { f.sends(goodRow("till/R1/1")) }, []ledger.State{ledger.Pending, ledger.Excepted}},
		"and again":            {func(f fixture) { f.sends(goodRow("till/R1/1"), goodRow("till/R1/1")) }, []ledger.State{ledger.Pending, ledger.Excepted, ledger.Duplicate}},
		"after it was posted": {func(f fixture) {
			f.change(f.post("P", 1), ledger.PostingChange{State: ledger.PostingDone})
			f.sends(goodRow("till/R1/1"))
		}, []ledger.State{ledger.Posted, ledger.Excepted}},
		"and is discarded":           {func(f fixture) { f.sends(goodRow("till/R1/1")); f.says(2, false) }, []ledger.State{ledger.Pending, ledger.Discarded}},
		"and is an event of its own": {func(f fixture) { f.sends(goodRow("till/R1/1")); f.says(2, true) }, []ledger.State{ledger.Pending, ledger.Pending}},
		"and both are posted": {func(f fixture) {
			f.sends(goodRow("till/R1/1"))
			f.says(2, true)
			f.change(f.post("P", 1, 2), ledger.PostingChange{State: ledger.PostingDone})
		}, []ledger.State{ledger.Posted, ledger.Posted}},
		"another row": {func(f fixture) { f.sends(goodRow("till/R1/2")) }, []ledger.State{ledger.Pending, ledger.Pending}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, badRow("till/R1/1", 1))
			if err := f.correct(1, whole()); err != nil {
				t.Fatal(err)
			}
			c.then(f)
			f.are(c.want...)
		})
	}
}

// What came otherwise, too, is not corrected into a second event.
func TestARowThatIsRecordedIsNotCorrected(t *testing.T) {
	for name, first := range map[string]func(f fixture){
		"waiting": func(f fixture) {},
		"posted":  func(f fixture) { f.change(f.post("P", 1), ledger.PostingChange{State: ledger.PostingDone}) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, goodRow("till/R1/1"))
			first(f)
			f.sends(badRow("till/R1/1", 1))
			err := f.correct(2, whole())
			if fault.CodeOf(err) != ledger.CodeRowRecorded || !strings.Contains(err.Error(), f.s.ID(1).String()) {
				t.Error(err)
			}
		})
	}
	t.Run("corrected as it was read before", func(t *testing.T) {
		f := newFixture(t, badRow("till/R1/1", 1))
		if err := f.correct(1, whole()); err != nil {
			t.Fatal(err)
		}
		f.change(f.post("P", 1), ledger.PostingChange{State: ledger.PostingDone})
		f.sends(badRow("till/R1/1", 2))
		if err := f.correct(2, whole()); fault.CodeOf(err) != ledger.CodeRowRecorded {
			t.Error(err)
		}
		f.are(ledger.Posted, ledger.Excepted)
	})
	t.Run("refused by the planner, and corrected once more", func(t *testing.T) {
		f := newFixture(t, badRow("till/R1/1", 1))
		if err := f.correct(1, whole()); err != nil {
			t.Fatal(err)
		}
		f.sends(goodRow("till/R1/1"))
		refuse(f, 1, "unknown_lot")
		lot := "B2"
		if err := f.correct(1, ledger.Correction{Lot: &lot}); err != nil {
			t.Error(err)
		}
		f.are(ledger.Pending, ledger.Excepted)
	})
}

// A hub that was put back has lost what was corrected, and finds the document in
// Odoo; the branch sends the mended row before it sends the bad one again.
func TestARowOfADocumentInOdooIsNotPostedAgain(t *testing.T) {
	for name, plan := range map[string]func(f fixture){
		"it waits":   func(f fixture) {},
		"is planned": func(f fixture) { f.post("P", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, goodRow("till/R1/1"))
			plan(f)
			other := ledgertest.NewSender("BR01", f.s.Epoch, movement.Live)
			other.Commit(t, f.Ledger, badRow("till/R1/1", 1))
			if _, err := f.Adopt(t.Context(), ledger.Adopted{New: ledger.NewPosting{Name: "found", Branch: "BR01", Kind: movement.Dispense},
				Odoo: ledger.OdooRef{Model: "stock.picking", ID: 7, Name: "WH/OUT/7"}, Runs: []ledger.Run{{Stream: other.Stream, First: 1, Last: 1}}, At: ledgertest.Noon}); err != nil {
				t.Fatal(err)
			}
			catchUp(t, projector(f.Ledger))
			f.are(ledger.Excepted)
			e, err := f.Ledger.Exceptions(t.Context(), ledger.ExceptionFilter{})
			if err != nil || len(e) != 1 || e[0].Reason != projection.ReasonRowCorrected {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
}

// Of a row without a key of its own only its place tells a person.
func TestARowWithoutAKeyIsComparedByItsPlace(t *testing.T) {
	f := newFixture(t, namelessRow(7, 1))
	if err := f.correct(1, whole()); err != nil {
		t.Fatal(err)
	}
	f.sends(namelessRow(7, 2), namelessRow(8, 3))
	if err := f.correct(2, whole()); fault.CodeOf(err) != ledger.CodeRowAgain {
		t.Error(err)
	}
	if err := f.correct(3, whole()); err != nil {
		t.Error(err)
	}
	// A second person confirms it as it was proposed.
	id, err := f.ProposeCorrection(t.Context(), "ann", ledger.Correcting{Movement: f.ids(2)[0], To: whole(), Shown: "unknown_unit", Again: true, Who: "ann", Why: "another day's file", At: ledgertest.Noon})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.ConfirmProposal(t.Context(), id, "bob", "bob", "seen", ledgertest.Noon); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	catchUp(t, projector(f.Ledger))
	f.are(ledger.Pending, ledger.Pending, ledger.Pending)
}
