package projection_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

func (f fixture) correct(seq uint64, to ledger.Correction) error {
	f.Helper()
	err := f.Correct(f.Context(), ledger.Correcting{Movement: f.ids(seq)[0], To: to, Who: "ann", Why: "the box says so", At: ledgertest.Noon})
	if err == nil {
		catchUp(f.T, projector(f.Ledger))
	}
	return err
}

func refuse(f fixture, seq uint64, reason string) {
	f.Helper()
	if err := f.Refuse(f.Context(), []ledger.Refusal{{Movement: f.ids(seq)[0], Stage: "plan", Reason: reason, Text: "no", Aliases: f.aliases()}}, ledgertest.Noon); err != nil {
		f.Fatal(err)
	}
}

// What a person says that a movement should have been goes on in its place, under
// its own name and once; the record stays as it came.
func TestACorrectionGoesOnInItsPlace(t *testing.T) {
	lot, expiry, two, unit := "B2", movement.Date{Year: 2028, Month: 5, Day: 31}, movement.Units(2), "Box"
	product := movement.Product{Scheme: movement.SKU, Code: "ASP500"}
	all := ledger.Correction{Product: &product, Lot: &lot, Expiry: &expiry, Quantity: &two, Unit: &unit,
		Document: &movement.Document{Type: "order", Ref: "P00018"}}
	records := map[string][]byte{
		"refused by the planner": ledgertest.Record(movement.Receipt, 1, keyed("k"), func(m *movement.Movement) { m.Lot = "A1" }),
		"of which a field is missing": ledgertest.Record(movement.Receipt, 0, keyed("k"), problem("lot_needed"), func(m *movement.Movement) {
			m.Product = movement.Product{}
		}),
	}
	for name, record := range records {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, record)
			if strings.Contains(name, "planner") {
				refuse(f, 1, "unknown_lot")
			}
			if err := f.correct(1, all); err != nil {
				t.Fatal(err)
			}
			m, err := f.Movement(t.Context(), f.ids(1)[0])
			if err != nil || m.Product != product || m.Lot != lot || m.Expiry != expiry || m.Quantity != two || m.Unit != unit || m.Document.Ref != "P00018" {
				t.Errorf("%+v, %v", m, err)
			}
			if s, err := f.BranchStock(t.Context(), "BR01"); err != nil || len(s) != 1 || s[0].Lot != lot || s[0].CameIn != two {
				t.Errorf("stock %+v, %v", s, err)
			}
			trace, err := f.Trace(t.Context(), f.s.ID(1))
			if err != nil || string(trace.Record.Bytes) != string(record) || trace.Exception != nil {
				t.Fatalf("%+v, %v", trace, err)
			}
			if g := trace.Rulings[len(trace.Rulings)-1]; g.What != "corrected" || g.Who != "ann" || g.Corrected == nil || *g.Corrected.Lot != lot {
				t.Errorf("%+v", g)
			}
			entries, _, err := f.AuditEntries(t.Context(), ledger.AuditFilter{Action: "correct"})
			if err != nil || len(entries) != 1 || !strings.Contains(entries[0].Detail, "→ sku ASP500") || !strings.Contains(entries[0].Detail, "the box says so") {
				t.Errorf("%+v, %v", entries, err)
			}
			f.s.Commit(t, f.Ledger, record) // read once more
			catchUp(t, projector(f.Ledger))
			f.states(ledger.Pending, ledger.Duplicate)
			f.post("P1", 1)
			f.states(ledger.Planned, ledger.Duplicate)
		})
	}
}

func TestWhatCannotBeCorrected(t *testing.T) {
	lot, zero, same := "B2", movement.Units(0), ""
	toLot := ledger.Correction{Lot: &lot}
	f := newFixture(t, ledgertest.Record(movement.Dispense, 1, keyed("k")), ledgertest.Record(movement.Dispense, 2, keyed("k")),
		[]byte("\x00\xff"), ledgertest.Record(movement.Dispense, 1), ledgertest.Record(movement.Dispense, 1, keyed("posted")))
	refuse(f, 4, "unknown_lot")
	for name, c := range map[string]struct {
		seq  uint64
		to   ledger.Correction
		code string
	}{
		"waits for nobody":        {1, toLot, ledger.CodeChanged},
		"another content":         {2, toLot, ledger.CodeNotCorrectable},
		"no movement":             {3, toLot, ledger.CodeNotCorrectable},
		"nothing is otherwise":    {4, ledger.Correction{Lot: &same}, ledger.CodeNotCorrectable},
		"no whole movement then":  {4, ledger.Correction{Quantity: &zero}, "invalid_movement"},
		"a document without type": {4, ledger.Correction{Document: &movement.Document{Ref: "x"}}, "invalid_movement"},
	} {
		if err := f.correct(c.seq, c.to); fault.CodeOf(err) != c.code || fault.ClassOf(err) != fault.Data {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := f.Correct(t.Context(), ledger.Correcting{Movement: f.ids(4)[0], To: toLot, Shown: "over_receipt", Who: "ann", Why: "x"}); fault.CodeOf(err) != ledger.CodeChanged {
		t.Errorf("shown otherwise: %v", err)
	}
	f.states(ledger.Pending, ledger.Excepted, ledger.Excepted, ledger.Excepted, ledger.Pending)
}

// Between a correction and the projector's look, nobody decides about it as it
// was, and no document is made of it.
func TestACorrectionIsNotOvertaken(t *testing.T) {
	f := newFixture(t, dispensings(2)...)
	refuse(f, 1, "unknown_lot")
	lot := "B2"
	id := f.ids(1)
	if err := f.Correct(t.Context(), ledger.Correcting{Movement: id[0], To: ledger.Correction{Lot: &lot}, Who: "ann", Why: "x", At: ledgertest.Noon}); err != nil {
		t.Fatal(err)
	}
	n, err := f.Decide(t.Context(), ledger.Decision{Choice: ledger.Retry, Movements: id, Who: "bob", Why: "x", At: ledgertest.Noon})
	if n != 0 || err != nil {
		t.Errorf("decided %d, %v", n, err)
	}
	if _, err := f.CreatePosting(t.Context(), ledger.NewPosting{Name: "P", Branch: "BR01", Kind: movement.Dispense, Movements: f.ids(2), Aliases: f.aliases()}, ledgertest.Noon); err == nil {
		t.Error("planned before it was looked at")
	}
	catchUp(t, projector(f.Ledger))
	f.states(ledger.Pending, ledger.Pending)
}

// What was released is what a person saw: with another quantity it is asked again.
func TestACorrectionEndsARelease(t *testing.T) {
	f := newFixture(t, dispensings(1)...)
	refuse(f, 1, "over_receipt")
	if _, err := f.Release(t.Context(), ledger.Decision{Movements: f.ids(1), Who: "ann", Why: "x", At: ledgertest.Noon}); err != nil {
		t.Fatal(err)
	}
	catchUp(t, projector(f.Ledger))
	released := func() []string {
		t.Helper()
		all, err := f.Released(t.Context(), "BR01")
		if err != nil {
			t.Fatal(err)
		}
		return all[f.ids(1)[0]]
	}
	if got := released(); !slices.Equal(got, []string{"over_receipt"}) {
		t.Fatalf("released %v", got)
	}
	refuse(f, 1, "unknown_lot")
	lots := movement.Units(1000)
	if err := f.correct(1, ledger.Correction{Quantity: &lots}); err != nil {
		t.Fatal(err)
	}
	if got := released(); len(got) != 0 {
		t.Errorf("still released %v", got)
	}
}

// The hub has corrected it; the branch, which did not know, says something else
// later: both are shown, and nothing is counted twice unseen.
func TestTheBranchSettlesWhatTheHubHasCorrected(t *testing.T) {
	f := newFixture(t, ledgertest.Record(movement.Dispense, 1000, problem("implausible_quantity"), keyed("k")))
	one := movement.Units(1)
	if err := f.correct(1, ledger.Correction{Quantity: &one}); err != nil {
		t.Fatal(err)
	}
	f.s.Commit(t, f.Ledger, ledgertest.Record(movement.Dispense, 1, settles("k"), keyed("k!settled"), func(m *movement.Movement) {
		m.RecordedAt = m.RecordedAt.Add(time.Hour)
	}))
	catchUp(t, projector(f.Ledger))
	f.states(ledger.Pending, ledger.Excepted)
}
