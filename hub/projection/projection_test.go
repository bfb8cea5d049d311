package projection_test

import (
	"time"

	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/movement"
)

const epoch = "aaaaaaaaaaaa"

func keyed(key string) func(*movement.Movement) {
	return func(m *movement.Movement) { m.NaturalKey = key }
}

func grouped(id string, size int) func(*movement.Movement) {
	return func(m *movement.Movement) { m.Group = movement.Group{ID: id, Size: size} }
}

func problem(code string) func(*movement.Movement) {
	return func(m *movement.Movement) { m.Problem = &movement.Problem{Code: code, Text: "look at it"} }
}

// What one record becomes, after those before it.
func TestWhatARecordBecomes(t *testing.T) {
	dispense := func(change ...func(*movement.Movement)) []byte {
		return ledgertest.Record(movement.Dispense, 1, change...)
	}
	cases := map[string]struct {
		records [][]byte
		state   ledger.State // of the last
		reason  string
	}{
		"a movement":                   {[][]byte{dispense()}, ledger.Pending, ""},
		"bytes that are no record":     {[][]byte{[]byte("\x00\xff")}, ledger.Excepted, "malformed_movement"},
		"a record of a newer agent":    {[][]byte{[]byte(`{"v":99}`)}, ledger.Excepted, "unsupported_version"},
		"an invalid movement":          {[][]byte{[]byte(`{"v":1,"kind":"theft","occurred_at":"2026-03-02T12:00:00Z","recorded_at":"2026-03-02T12:00:00Z"}`)}, ledger.Excepted, "invalid_movement"},
		"a text that no table holds":   {[][]byte{dispense(func(m *movement.Movement) { m.Lot = "a\x00b" })}, ledger.Excepted, "invalid_movement"},
		"what the branch did not read": {[][]byte{dispense(problem("not_gs1"))}, ledger.Excepted, "not_gs1"},
		"the same event again":         {[][]byte{dispense(keyed("k")), dispense(keyed("k"))}, ledger.Duplicate, ""},
		"the same event read elsewhere": {[][]byte{dispense(keyed("k")), dispense(keyed("k"), func(m *movement.Movement) {
			m.Source, m.By = movement.Source{File: "again.csv", Line: 7}, "XY"
			m.RecordedAt = m.RecordedAt.AddDate(0, 0, 1)
		})}, ledger.Duplicate, ""},
		"another key":              {[][]byte{dispense(keyed("k")), dispense(keyed("l"))}, ledger.Pending, ""},
		"no key at all":            {[][]byte{dispense(), dispense()}, ledger.Pending, ""},
		"the same event otherwise": {[][]byte{dispense(keyed("k")), ledgertest.Record(movement.Dispense, 2, keyed("k"))}, ledger.Excepted, "conflicting_repeat"},
		"a number used once more": {[][]byte{dispense(keyed("k")), dispense(keyed("k"), func(m *movement.Movement) {
			m.OccurredAt = m.OccurredAt.AddDate(0, 6, 0)
		})}, ledger.Excepted, "conflicting_repeat"},
		"a bad row read later": {[][]byte{dispense(problem("x"), keyed("k")), dispense(problem("x"), keyed("k"), func(m *movement.Movement) {
			m.OccurredAt = m.OccurredAt.AddDate(0, 0, 1)
		})}, ledger.Duplicate, ""},
		"a problem again":           {[][]byte{dispense(problem("x"), keyed("k")), dispense(problem("x"), keyed("k"))}, ledger.Duplicate, ""},
		"another problem":           {[][]byte{dispense(problem("x"), keyed("k")), dispense(problem("y"), keyed("k"))}, ledger.Excepted, "conflicting_repeat"},
		"a corrected row":           {[][]byte{dispense(problem("x"), keyed("k")), dispense(keyed("k"))}, ledger.Excepted, "conflicting_repeat"},
		"a group of another size":   {[][]byte{dispense(grouped("g", 3)), dispense(grouped("g", 2))}, ledger.Excepted, "group_size_conflict"},
		"one too many for a group":  {[][]byte{dispense(grouped("g", 1)), dispense(grouped("g", 1))}, ledger.Excepted, "group_size_conflict"},
		"the last of a group":       {[][]byte{dispense(grouped("g", 2)), dispense(grouped("g", 2))}, ledger.Pending, ""},
		"the same serial once more": {[][]byte{dispense(func(m *movement.Movement) { m.Serial = "S" }), dispense(func(m *movement.Movement) { m.Serial = "S" })}, ledger.Pending, ""},
	}
	for name, c := range cases {
		for _, cut := range []string{"at once", "one by one"} {
			t.Run(name+" "+cut, func(t *testing.T) {
				l := ledgertest.Open(t)
				p := projector(l)
				s := ledgertest.NewSender("BR01", epoch, movement.Bulk)
				if cut == "at once" {
					s.Commit(t, l, c.records...)
				} else {
					for _, r := range c.records {
						s.Commit(t, l, r)
						catchUp(t, p)
					}
				}
				catchUp(t, p)
				got, err := l.Trace(t.Context(), s.ID(s.At.Through))
				if err != nil {
					t.Fatal(err)
				}
				if got.Movement.State != c.state {
					t.Errorf("state %v, want %v", got.Movement.State, c.state)
				}
				if (got.Exception == nil) != (c.reason == "") || got.Exception != nil && got.Exception.Reason != c.reason {
					t.Errorf("exception %+v, want %q", got.Exception, c.reason)
				}
				if string(got.Record.Bytes) != string(c.records[len(c.records)-1]) {
					t.Errorf("record %q", got.Record.Bytes)
				}
			})
		}
	}
}

func catchUp(t *testing.T, p *projection.Projector) {
	t.Helper()
	if err := p.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestNaturalKeysAreOfOneBranch(t *testing.T) {
	l := ledgertest.Open(t)
	for _, branch := range []string{"BR01", "BR02"} {
		ledgertest.NewSender(branch, epoch, movement.Live).Commit(t, l, ledgertest.Record(movement.Dispense, 1, keyed("k")))
	}
	other := ledgertest.NewSender("BR01", "bbbbbbbbbbbb", movement.Bulk)
	other.Commit(t, l, ledgertest.Record(movement.Dispense, 1, keyed("k")))
	catchUp(t, projector(l))
	work, err := l.PendingWork(t.Context())
	if err != nil || len(work) != 2 || work[0].Loose != 1 || work[1].Loose != 1 {
		t.Errorf("pending %+v, %v: want one of each branch", work, err)
	}
	if m, err := l.Movement(t.Context(), other.Find(t, l, 1)); err != nil || m.State != ledger.Duplicate {
		t.Errorf("from another epoch and lane: %v, %v", m.State, err)
	}
}

func TestGroupsAreReadyWhenAllHaveCome(t *testing.T) {
	l := ledgertest.Open(t)
	p := projector(l)
	s := ledgertest.NewSender("BR01", epoch, movement.Live)
	latest := ledgertest.Noon.Add(time.Hour)
	ready := func(complete bool) []ledger.Group {
		t.Helper()
		catchUp(t, p)
		quiet := ledgertest.Noon.Add(-time.Second)
		g, err := l.DueGroups(t.Context(), "BR01", quiet, latest, 0, 10)
		if !complete {
			g, err = l.ComingGroups(t.Context(), "BR01", quiet, latest, 10)
		}
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	s.Commit(t, l, ledgertest.Record(movement.Receipt, 1, grouped("g", 3)))
	s.Commit(t, l, ledgertest.Record(movement.Receipt, 2, grouped("g", 3)))
	if g := ready(true); len(g) != 0 {
		t.Errorf("complete with two of three: %+v", g)
	}
	if g := ready(false); len(g) != 1 || g[0].Pending != 2 || g[0].Come != 2 || g[0].Size != 3 || !g[0].LastAt.Equal(ledgertest.Noon) {
		t.Errorf("incomplete %+v", g)
	}
	// The same group name in another epoch is another group.
	ledgertest.NewSender("BR01", "bbbbbbbbbbbb", movement.Live).Commit(t, l, ledgertest.Record(movement.Receipt, 2, grouped("g", 3)))
	if g := ready(true); len(g) != 0 {
		t.Errorf("complete by another epoch: %+v", g)
	}
	s.Commit(t, l, ledgertest.Record(movement.Receipt, 3, grouped("g", 3), problem("x")))
	g := ready(true)
	if len(g) != 1 || g[0].Pending != 2 || g[0].Epoch != epoch {
		t.Fatalf("complete %+v", g)
	}
	if next, err := l.DueGroups(t.Context(), "BR01", ledgertest.Noon, latest, g[0].ID, 10); err != nil || len(next) != 1 || next[0].Epoch == epoch {
		t.Errorf("after it, and with patience at its end: %+v, %v", next, err)
	}
	members, err := l.GroupMembers(t.Context(), g[0].ID)
	if err != nil || len(members) != 3 || members[2].State != ledger.Excepted || members[0].State != ledger.Pending {
		t.Errorf("members %+v, %v", members, err)
	}
	if loose, err := l.PendingLoose(t.Context(), "BR01", movement.Receipt, 0, 10); err != nil || len(loose) != 0 {
		t.Errorf("members of groups are loose: %+v, %v", loose, err)
	}
}

func TestWhatTheBranchLostIsAnException(t *testing.T) {
	l := ledgertest.Open(t)
	p := projector(l)
	s := ledgertest.NewSender("BR01", epoch, movement.Bulk)
	s.Commit(t, l, ledgertest.Record(movement.Dispense, 1))
	before := s.At
	s.Batch(t, []byte("2"), []byte("3"), []byte("4"))
	a := s.Batch(t, ledgertest.Record(movement.Dispense, 1))
	a.After, a.Lost = before, true
	if err := l.Commit(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	catchUp(t, p)
	open, err := l.Exceptions(t.Context(), ledger.ExceptionFilter{})
	if err != nil || len(open) != 1 || open[0].Reason != "lost_at_branch" || open[0].Identity != s.ID(2) || open[0].LastLost != 4 {
		t.Fatalf("exceptions %+v, %v", open, err)
	}
	all, err := l.Overview(t.Context())
	if err != nil || len(all) != 1 || all[0].Received != 2 || all[0].Projected != 2 || all[0].Exceptions != 1 {
		t.Errorf("overview %+v, %v", all, err)
	}
	d := ledger.Decision{Choice: ledger.Retry, Movements: []ledger.MovementID{open[0].ID}, Who: "ann", Why: "counted", At: ledgertest.Noon}
	if _, err := l.Decide(t.Context(), d); err == nil || !strings.Contains(err.Error(), "cannot be retried") {
		t.Errorf("retry of what is lost: %v", err)
	}
	d.Choice = ledger.Discard
	if n, err := l.Decide(t.Context(), d); n != 1 || err != nil {
		t.Errorf("discard: %d, %v", n, err)
	}
	if err := p.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if open, err := l.Exceptions(t.Context(), ledger.ExceptionFilter{}); err != nil || len(open) != 0 {
		t.Errorf("it came back: %+v, %v", open, err)
	}
}

// A batch that no longer opens is shown and holds nothing else up.
func TestADamagedBatchHoldsNothingUp(t *testing.T) {
	l := ledgertest.Open(t)
	p := projector(l)
	s := ledgertest.NewSender("BR01", epoch, movement.Bulk)
	a := s.Batch(t, ledgertest.Record(movement.Dispense, 1), ledgertest.Record(movement.Dispense, 1))
	a.Payload = []byte("not what was judged")
	if err := l.Commit(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	s.Commit(t, l, ledgertest.Record(movement.Dispense, 1))
	catchUp(t, p)
	open, err := l.Exceptions(t.Context(), ledger.ExceptionFilter{Branch: "BR01"})
	if err != nil || len(open) != 1 || open[0].Reason != "damaged_batch" || open[0].LastLost != 2 {
		t.Errorf("exceptions %+v, %v", open, err)
	}
	if m, err := l.Movement(t.Context(), s.Find(t, l, 3)); err != nil || m.State != ledger.Pending {
		t.Errorf("the next: %+v, %v", m, err)
	}
}
