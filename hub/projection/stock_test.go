package projection_test

import (
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
)

// on puts a movement of lot A some minutes after noon.
func on(kind movement.Kind, n int64, minute int, change ...func(*movement.Movement)) []byte {
	return ledgertest.Record(kind, n, append([]func(*movement.Movement){func(m *movement.Movement) {
		m.Lot = "A"
		m.OccurredAt = ledgertest.Noon.Add(time.Duration(minute) * time.Minute)
	}}, change...)...)
}

func TestImpliedStock(t *testing.T) {
	cases := map[string]struct {
		records         [][]byte
		in, out, onHand int64
	}{
		"every kind": {[][]byte{on(movement.Receipt, 10, 0), on(movement.Dispense, 3, 1), on(movement.Return, 1, 2),
			on(movement.Wastage, 2, 3), on(movement.TransferIn, 5, 4), on(movement.TransferOut, 4, 5),
			on(movement.Adjustment, -1, 6), on(movement.Adjustment, 2, 7)}, 18, 10, 8},
		"a count":                         {[][]byte{on(movement.Receipt, 10, 0), on(movement.Count, 7, 5), on(movement.Dispense, 3, 9)}, 10, 3, 4},
		"what comes late is in the count": {[][]byte{on(movement.Count, 7, 5), on(movement.Receipt, 10, 0), on(movement.Dispense, 3, 9)}, 10, 3, 4},
		"the newest count holds":          {[][]byte{on(movement.Count, 7, 5), on(movement.Count, 2, 3), on(movement.Receipt, 1, 4), on(movement.Receipt, 1, 6)}, 2, 0, 8},
		"a count of nothing":              {[][]byte{on(movement.Receipt, 10, 0), on(movement.Count, 0, 5)}, 10, 0, 0},
		"less than nothing":               {[][]byte{on(movement.Dispense, 3, 9)}, 0, 3, -3},
		"repeats and problems do not count": {[][]byte{on(movement.Receipt, 2, 0, keyed("k")), on(movement.Receipt, 2, 0, keyed("k")),
			on(movement.Receipt, 3, 0, keyed("k")), on(movement.Receipt, 5, 0, problem("x"))}, 2, 0, 2},
	}
	for name, c := range cases {
		for _, cut := range []string{"at once", "one by one"} {
			t.Run(name+" "+cut, func(t *testing.T) {
				l := ledgertest.Open(t)
				p := projector(l)
				s := ledgertest.NewSender("BR01", epoch, movement.Bulk)
				for _, r := range c.records {
					s.Commit(t, l, r)
					if cut == "one by one" {
						catchUp(t, p)
					}
				}
				catchUp(t, p)
				got, err := l.Recall(t.Context(), "A")
				if err != nil || len(got) != 1 || len(got[0].Stock) != 1 {
					t.Fatalf("%+v, %v", got, err)
				}
				if g := got[0].Stock[0]; g.CameIn != movement.Units(c.in) || g.WentOut != movement.Units(c.out) || g.OnHand != movement.Units(c.onHand) {
					t.Errorf("in %v, out %v, on hand %v; want %d, %d, %d", g.CameIn, g.WentOut, g.OnHand, c.in, c.out, c.onHand)
				}
				if m, err := l.Search(t.Context(), ledger.Search{Lot: "A"}); err != nil || len(m) != len(c.records) {
					t.Errorf("%d movements of the lot, %v", len(m), err)
				}
			})
		}
	}
}

func TestTheEarliestExpiryOfALotIsShown(t *testing.T) {
	l := ledgertest.Open(t)
	s := ledgertest.NewSender("BR01", epoch, movement.Bulk)
	for _, e := range []string{"", "2027-06-30", "2027-01-31", "2028-01-31", ""} {
		s.Commit(t, l, on(movement.Receipt, 1, 0, func(m *movement.Movement) {
			if err := m.Expiry.UnmarshalText([]byte(e)); err != nil {
				t.Fatal(err)
			}
		}))
		catchUp(t, projector(l))
	}
	got, err := l.BranchStock(t.Context(), "BR01")
	if err != nil || len(got) != 1 || got[0].Expiry.String() != "2027-01-31" || got[0].OnHand != movement.Units(5) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestADiscardedMovementNoLongerCounts(t *testing.T) {
	l := ledgertest.Open(t)
	p := projector(l)
	s := ledgertest.NewSender("BR01", epoch, movement.Bulk)
	s.Commit(t, l, on(movement.Receipt, 10, 0), on(movement.Count, 7, 5))
	catchUp(t, p)
	id := s.Find(t, l, 2)
	if err := l.Refuse(t.Context(), []ledger.Refusal{{Movement: id, Stage: "plan", Reason: "x", Text: "y"}}, ledgertest.Noon); err != nil {
		t.Fatal(err)
	}
	onHand := func() movement.Quantity {
		t.Helper()
		got, err := l.Recall(t.Context(), "A")
		if err != nil || len(got) != 1 || len(got[0].Stock) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		return got[0].Stock[0].OnHand
	}
	if q := onHand(); q != movement.Units(7) {
		t.Errorf("refused by Odoo, but on the shelf: %v", q)
	}
	if n, err := l.Decide(t.Context(), ledger.Decision{Choice: ledger.Discard, Movements: []ledger.MovementID{id},
		Who: "ann", Why: "counted wrongly", At: ledgertest.Noon}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if q := onHand(); q != movement.Units(10) {
		t.Errorf("after the count was discarded: %v", q)
	}
}
