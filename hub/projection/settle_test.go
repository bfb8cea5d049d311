package projection_test

import (
	"slices"
	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/movement"
)

func settles(key string) func(*movement.Movement) {
	return func(m *movement.Movement) {
		m.Settles, m.By = movement.Settlement{Key: key, Why: "the box says so"}, "AB"
	}
}

func dismisses(key string) []byte {
	return ledgertest.Record("", 0, settles(key), keyed(key+"!settled"), func(m *movement.Movement) {
		m.Settles.Dismissed, m.Product = true, movement.Product{}
	})
}

// What the branch's own people say of a row with a problem closes its exception,
// whichever of the two comes first, and never where it has gone on meanwhile.
func TestABranchSettlesItsOwnProblem(t *testing.T) {
	bad := ledgertest.Record(movement.Dispense, 1000, problem("implausible_quantity"), keyed("k"))
	correction := ledgertest.Record(movement.Dispense, 1, settles("k"), keyed("k!settled"))
	open := func(f fixture, want ...string) []ledger.Exception {
		t.Helper()
		all, err := f.Exceptions(f.Context(), ledger.ExceptionFilter{})
		if err != nil {
			f.Fatal(err)
		}
		var got []string
		for _, e := range all {
			got = append(got, e.Reason)
		}
		if !slices.Equal(got, want) {
			f.Errorf("open %v, want %v", got, want)
		}
		return all
	}
	t.Run("by a correction", func(t *testing.T) {
		f := newFixture(t, bad, correction)
		f.states(ledger.Discarded, ledger.Pending)
		open(f)
		trace, err := f.Trace(t.Context(), f.s.ID(1))
		if err != nil || len(trace.Rulings) != 1 {
			t.Fatalf("%+v, %v", trace, err)
		}
		if r := trace.Rulings[0]; r.Who != "AB" || r.What != "corrected at the branch" || !strings.Contains(r.Text, "the box says so (by BR01/") {
			t.Errorf("%+v", r)
		}
		if s, err := f.BranchStock(t.Context(), "BR01"); err != nil || len(s) != 1 || s[0].WentOut != movement.Units(1) {
			t.Errorf("counted %+v, %v", s, err)
		}
	})
	t.Run("by a dismissal", func(t *testing.T) {
		f := newFixture(t, bad, dismisses("k"))
		f.states(ledger.Discarded, ledger.Discarded)
		open(f)
		trace, err := f.Trace(t.Context(), f.s.ID(1))
		if err != nil || len(trace.Rulings) != 1 || trace.Rulings[0].What != "dismissed at the branch" {
			t.Fatalf("%+v, %v", trace, err)
		}
	})
	t.Run("before the row has come", func(t *testing.T) {
		for _, first := range [][]byte{correction, dismisses("k")} {
			f := newFixture(t, first)
			f.s.Commit(t, f.Ledger, bad)
			catchUp(t, projector(f.Ledger))
			state := ledger.Pending
			if len(first) == len(dismisses("k")) {
				state = ledger.Discarded
			}
			f.states(state, ledger.Discarded)
			open(f)
		}
	})
	t.Run("what had no problem counts once", func(t *testing.T) {
		f := newFixture(t, ledgertest.Record(movement.Dispense, 1, keyed("k")), correction)
		f.states(ledger.Pending, ledger.Excepted)
	})
	t.Run("a row of another branch stays", func(t *testing.T) {
		f := newFixture(t, bad)
		other := ledgertest.NewSender("BR02", epoch, movement.Live)
		other.Commit(t, f.Ledger, dismisses("k"))
		catchUp(t, projector(f.Ledger))
		f.states(ledger.Excepted)
	})
	t.Run("the same word again is known", func(t *testing.T) {
		f := newFixture(t, bad, correction, correction)
		f.states(ledger.Discarded, ledger.Pending, ledger.Duplicate)
	})
	t.Run("a second word goes to a person", func(t *testing.T) {
		f := newFixture(t, bad, correction, ledgertest.Record(movement.Dispense, 2, settles("k")))
		f.states(ledger.Discarded, ledger.Pending, ledger.Excepted)
		open(f, projection.ReasonSettledOtherwise)
		if _, err := f.Release(t.Context(), ledger.Decision{Movements: f.ids(3), Who: "ann", Why: "both", At: ledgertest.Noon}); err != nil {
			t.Fatal(err)
		}
		catchUp(t, projector(f.Ledger))
		f.states(ledger.Discarded, ledger.Pending, ledger.Pending)
	})
	t.Run("what was released meanwhile counts once", func(t *testing.T) {
		for _, word := range [][]byte{correction, dismisses("k")} {
			f := newFixture(t, bad)
			f.decide(ledger.Retry, 1)
			f.s.Commit(t, f.Ledger, word)
			catchUp(t, projector(f.Ledger))
			f.states(ledger.Pending, ledger.Excepted)
			open(f, projection.ReasonSettledOtherwise)
		}
	})
	t.Run("what was released at the same moment counts once", func(t *testing.T) {
		f := newFixture(t, bad)
		f.s.Commit(t, f.Ledger, correction)
		if n, err := f.Release(t.Context(), ledger.Decision{Movements: f.ids(1), Who: "ann", Why: "it is right", At: ledgertest.Noon}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		catchUp(t, projector(f.Ledger))
		f.states(ledger.Pending, ledger.Excepted)
	})
	t.Run("what was discarded meanwhile stays so", func(t *testing.T) {
		f := newFixture(t, bad)
		f.decide(ledger.Discard, 1)
		f.s.Commit(t, f.Ledger, correction)
		catchUp(t, projector(f.Ledger))
		f.states(ledger.Discarded, ledger.Pending)
		open(f)
	})
	t.Run("what is found in Odoo counts once", func(t *testing.T) {
		f := newFixture(t, bad, correction)
		if _, err := f.Adopt(t.Context(), ledger.Adopted{New: ledger.NewPosting{Name: "P", Branch: "BR01", Kind: movement.Dispense},
			Runs: []ledger.Run{{Stream: f.s.Stream, First: 1, Last: 1}}, Odoo: ledger.OdooRef{Model: "stock.picking", ID: 9, Name: "OUT/9"}, At: ledgertest.Noon}); err != nil {
			t.Fatal(err)
		}
		catchUp(t, projector(f.Ledger))
		f.states(ledger.Posted, ledger.Excepted)
	})
}

// A session that a branch has thrown away stands in the audit trail once, moves
// nothing and asks nobody anything; a rebuild adds nothing.
func TestAThrownAwaySessionIsInTheAuditTrail(t *testing.T) {
	gone := ledgertest.Record("", 0, func(m *movement.Movement) {
		m.By, m.Product, m.Reason = "AB", movement.Product{}, "2 scans, 3 packs"
		m.Document = movement.Document{Type: "order", Ref: "P00017"}
		m.ThrowAway("P00017@x", "wrong order")
	})
	f := newFixture(t, gone, gone)
	f.states(ledger.Discarded, ledger.Duplicate)
	for range 2 {
		all, err := f.Exceptions(t.Context(), ledger.ExceptionFilter{})
		if err != nil || len(all) != 0 {
			t.Errorf("open %+v, %v", all, err)
		}
		trail, _, err := f.AuditEntries(t.Context(), ledger.AuditFilter{Action: "thrown away at the branch"})
		if err != nil || len(trail) != 1 {
			t.Fatalf("%+v, %v", trail, err)
		}
		if e := trail[0]; e.Who != "AB at BR01" || !strings.Contains(e.Subject, "BR01/") || !strings.Contains(e.Detail, "order P00017") ||
			!strings.Contains(e.Detail, "wrong order (2 scans, 3 packs)") {
			t.Errorf("%+v", e)
		}
		if err := projector(f.Ledger).Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.VerifyAudit(t.Context()); err != nil {
		t.Error(err)
	}
}
