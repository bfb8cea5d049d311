package projection_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
)

// comes commits records in a batch of their own, received at a moment.
func comes(f fixture, s *ledgertest.Sender, at time.Time, records ...[]byte) {
	f.Helper()
	a := s.Batch(f, records...)
	a.ReceivedAt = at
	if err := f.Commit(f.Context(), a); err != nil {
		f.Fatal(err)
	}
	catchUp(f.T, projector(f.Ledger))
}

func happened(at time.Time) func(*movement.Movement) {
	return func(m *movement.Movement) { m.OccurredAt = at }
}

func (f fixture) reason(s *ledgertest.Sender, seq uint64) string {
	f.Helper()
	all, err := f.Exceptions(f.Context(), ledger.ExceptionFilter{})
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range all {
		if e.Identity == s.ID(seq) {
			return e.Reason
		}
	}
	m, err := f.Movement(f.Context(), s.Find(f, f.Ledger, seq))
	if err != nil {
		f.Fatal(err)
	}
	return m.State.String()
}

// The batch of an event that is posted no longer opens, the tables are made anew,
// and the event is read again: a person looks before it is posted a second time.
// What cannot be such an event goes on.
func TestARepeatOfWhatCanNoLongerBeReadIsNotPosted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	f := fixture{t, ledgertest.OpenAt(t, path), ledgertest.NewSender("BR01", epoch, movement.Bulk)}
	noon := ledgertest.Noon
	comes(f, f.s, noon, dispensings(1, keyed("k1"))...)
	f.change(f.post("P", 1), ledger.PostingChange{State: ledger.PostingDone})
	comes(f, f.s, noon, dispensings(1, keyed("k2"))...)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE batches SET payload = x'00' WHERE id = 1`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := projector(f.Ledger).Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	later := noon.Add(6 * time.Hour)
	comes(f, f.s, later, ledgertest.Record(movement.Dispense, 1, keyed("k1")), ledgertest.Record(movement.Dispense, 1),
		ledgertest.Record(movement.Dispense, 1, keyed("k4"), happened(later)), ledgertest.Record(movement.Dispense, 1, keyed("k5"), happened(later.AddDate(1, 0, 0))))
	other := ledgertest.NewSender("BR02", epoch, movement.Bulk)
	comes(f, other, later, dispensings(1, keyed("k1"))...)
	check := func(want ...string) {
		t.Helper()
		for i, w := range want {
			if got := f.reason(f.s, uint64(i+2)); got != w {
				t.Errorf("movement %d: %s, want %s", i+2, got, w)
			}
		}
		if got := f.reason(other, 1); got != "pending" {
			t.Errorf("another branch's: %s", got)
		}
	}
	// k2 came after the lost ones, and happened when one of them may have.
	check("may_be_posted", "may_be_posted", "pending", "pending", "may_be_posted")
	f.again()
	// That somebody has dealt with the damage posts nothing.
	f.decide(ledger.Discard, 1)
	f.again()
	check("may_be_posted", "may_be_posted", "pending", "pending", "may_be_posted")
	// A person knows.
	f.decide(ledger.Discard, 3)
	f.decide(ledger.Retry, 2, 6)
	check("pending", "discarded", "pending", "pending", "pending")
	f.again()
}

// What was released for another reason is in no less doubt.
func TestAProblemAndADoubtAreTwoQuestions(t *testing.T) {
	f := fixture{t, ledgertest.Open(t), ledgertest.NewSender("BR01", epoch, movement.Bulk)}
	a := f.s.Batch(t, ledgertest.Record(movement.Dispense, 1))
	a.Payload = []byte("not what was judged")
	if err := f.Commit(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	comes(f, f.s, ledgertest.Noon, dispensings(1, keyed("k"), problem("expired"))...)
	for _, want := range []string{"expired", "may_be_posted", "pending"} {
		if got := f.reason(f.s, 2); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
		if want != "pending" {
			f.decide(ledger.Retry, 2)
		}
	}
}

// Hub and branch were put back: an event of the lost day that is read again, in
// whatever stream, is not posted without a person.
func TestAnEventOfALostDayThatIsReadAgainIsNotPosted(t *testing.T) {
	lost := dispensings(4)
	f := newFixture(t, dispensings(1, keyed("k1"))...)
	noon := ledgertest.Noon
	comes(f, f.s, noon, append(parting(2, 0), ledgertest.Record(movement.Dispense, 1, keyed("k2")), ledgertest.Record(movement.Dispense, 1))...)
	f.adopts(7, ledger.Run{First: 2, Last: 3, Hash: chainOf(f.s, lost)[3]})
	next := ledgertest.NewSender("BR01", "bbbbbbbbbbbb", movement.Bulk)
	later := noon.Add(6 * time.Hour)
	comes(f, next, later, ledgertest.Record(movement.Dispense, 1, keyed("k3")), ledgertest.Record(movement.Dispense, 1),
		ledgertest.Record(movement.Dispense, 1, keyed("k4"), happened(later)), ledgertest.Record(movement.Dispense, 1, keyed("k1")))
	for _, c := range []struct {
		s    *ledgertest.Sender
		seq  uint64
		want string
	}{{f.s, 1, "pending"}, {f.s, 2, "other_history"}, {f.s, 3, "other_history"}, {f.s, 4, "may_be_posted"}, {f.s, 5, "pending"},
		{next, 1, "may_be_posted"}, {next, 2, "pending"}, {next, 3, "pending"}, {next, 4, "duplicate"}} {
		if got := f.reason(c.s, c.seq); got != c.want {
			t.Errorf("%s: %s, want %s", c.s.ID(c.seq), got, c.want)
		}
	}
	f.again()
}
