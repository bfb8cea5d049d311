package projection_test

import (
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
)

// A branch is stirred by what it is told of: sessions, and what waits for a
// person, and not by the rows of its exports or single scans, of which there are
// tens of thousands a day.
func TestWhatStirsABranch(t *testing.T) {
	l := ledgertest.Open(t)
	p := projector(l)
	live, bulk := ledgertest.NewSender("BR01", epoch, movement.Live), ledgertest.NewSender("BR01", epoch, movement.Bulk)
	w := l.WatchBranches()
	defer w.Stop()
	stirs := func(what string, want bool, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		catchUp(t, p)
		got, err := w.Take(t.Context())
		if err != nil || (len(got) == 1 && got[0] == "BR01") != want || len(got) > 1 {
			t.Errorf("%s: %q %v, want %v", what, got, err, want)
		}
	}
	came := func(s *ledgertest.Sender, change ...func(*movement.Movement)) error {
		s.Commit(t, l, ledgertest.Record(movement.Dispense, 1, change...))
		return nil
	}
	post := func(s *ledgertest.Sender, seq uint64, name string) error {
		id, err := l.CreatePosting(t.Context(), ledger.NewPosting{Name: name, Branch: "BR01", Kind: movement.Dispense, Movements: []ledger.MovementID{s.Find(t, l, seq)}}, time.Now())
		if err == nil {
			_, err = l.ChangePosting(t.Context(), id, ledger.PostingChange{At: time.Now(), State: ledger.PostingDone})
		}
		return err
	}
	stirs("a row", false, came(bulk))
	stirs("a row in Odoo", false, post(bulk, 1, "a"))
	stirs("a row that waits", true, came(bulk, problem("x")))
	stirs("a scan", false, came(live))
	stirs("a delivery", true, came(live, grouped("d1", 1)))
	stirs("a delivery in Odoo", true, post(live, 2, "b"))
	stirs("a pack with a serial", true, came(live, func(m *movement.Movement) { m.Document = movement.Document{Type: "session", Ref: "s1"} }))
	stirs("a row that is refused", true, func() error {
		if err := came(bulk); err != nil {
			return err
		}
		catchUp(t, p)
		return l.Refuse(t.Context(), []ledger.Refusal{{Movement: bulk.Find(t, l, 3), Stage: "plan", Reason: "unknown_product"}}, time.Now())
	}())
	decide := func(choice ledger.Choice, seq uint64) error {
		_, err := l.Decide(t.Context(), ledger.Decision{Choice: choice, Movements: []ledger.MovementID{bulk.Find(t, l, seq)}, Who: "AB", Why: "x", At: time.Now()})
		return err
	}
	stirs("one tried again", true, decide(ledger.Retry, 3))
	stirs("one taken out", true, decide(ledger.Discard, 2))
	stirs("nothing", false, nil)
}
