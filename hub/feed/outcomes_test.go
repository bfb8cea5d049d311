package feed_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	hubfeed "branchline/hub/feed"
	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// book is a ledger of two branches and what a hub tells of it. Nothing is known
// of Odoo.
type book struct {
	*world
	l         *ledger.Ledger
	projector *projection.Projector
	sender    *ledgertest.Sender
}

func openBook(t *testing.T) *book {
	w := open(t, 18, []hubfeed.Branch{{Code: "BR01"}, {Code: "BR02"}})
	b := &book{world: w, l: ledgertest.Open(t), sender: ledgertest.NewSender("BR01", "aaaaaaaaaaaa", movement.Live)}
	b.projector = projection.New(b.l, quiet(), nil)
	w.feed.Ledger = b.l
	return b
}

func (b *book) came(records ...[]byte) {
	b.Helper()
	b.cameAt(time.Now(), records...)
}

func (b *book) cameAt(at time.Time, records ...[]byte) {
	b.Helper()
	a := b.sender.Batch(b.T, records...)
	a.ReceivedAt = at
	must(b.T, b.l.Commit(b.Context(), a))
	must(b.T, b.projector.CatchUp(b.Context()))
}

// session are the records of a delivery of so many lines, confirmed now.
func session(name string, lines int, change ...func(*movement.Movement)) (records [][]byte) {
	at := time.Now().UTC().Truncate(time.Second)
	for i := range lines {
		records = append(records, ledgertest.Record(movement.Receipt, int64(i+1), append(slices.Clone(change), func(m *movement.Movement) {
			m.Group = movement.Group{ID: name, Size: lines}
			m.Document = movement.Document{Type: "order", Ref: "P00017"}
			m.OccurredAt, m.RecordedAt = at, at
		})...))
	}
	return records
}

// sums says what a branch knows, a line for each row: "d1 1-3 posted BR01/IN/00012".
func sums(rows []feed.Outcome) string {
	var all []string
	for _, o := range rows {
		line := o.Session
		if o.Goods != nil {
			line = fmt.Sprintf("%s of %s %s", o.Goods.Quantity, o.Goods.Product.Code, o.Goods.Document.Ref)
		}
		if o.More > 0 {
			line = fmt.Sprint("more ", o.More)
		}
		for _, r := range o.Runs {
			line += strings.TrimRight(fmt.Sprintf(" %d-%d %s %s%s", r.First, r.Last, r.State, r.Document, r.Why), " ")
		}
		all = append(all, line)
	}
	return strings.Join(all, "\n")
}

func (b *book) knows(branch, want string) []feed.Outcome {
	b.Helper()
	return until(b.world, branch, feed.Outcomes, want, func(rows []feed.Outcome) bool { return sums(rows) == want })
}

// A branch is told how each line of what it has confirmed goes on, and nothing of
// what it only captured, until a person must look at it. Odoo need not be there
// for it.
func TestABranchIsToldWhatBecameOfItsMovements(t *testing.T) {
	b := openBook(t)
	sold := ledgertest.Record(movement.Dispense, 1, func(m *movement.Movement) { m.Group = movement.Group{} })
	unread := ledgertest.Record(movement.Dispense, 1, func(m *movement.Movement) {
		m.Problem = &movement.Problem{Code: "check_digit", Text: "the check digit of 4012345678902 is wrong"}
	})
	b.came(append(session("d1", 4), sold, unread)...)
	b.start("BR01", "BR02")
	waits := "1 of 04012345678901  6-6 person the check digit of 4012345678902 is wrong"
	b.knows("BR01", "d1 1-4 underway\n"+waits)
	b.knows("BR02", "")

	ctx, id := b.Context(), func(seq uint64) ledger.MovementID { return b.sender.Find(b.T, b.l, seq) }
	must(t, b.l.Refuse(ctx, []ledger.Refusal{{Movement: id(4), Stage: "plan", Reason: "over_receipt", Text: "order P00017 still expects 3 packs"}}, time.Now()))
	over := "4 of 04012345678901 P00017 4-4 person more than was ordered"
	rows := b.knows("BR01", "d1 1-3 underway 4-4 person more than was ordered\n"+over+"\n"+waits)
	if g := rows[1].Goods; g.Detail != "order P00017 still expects 3 packs" || g.Kind != movement.Receipt || g.Happened == 0 || rows[1].Runs[0].Code != "over_receipt" {
		t.Errorf("%+v %+v", rows[1].Runs, g)
	}
	posting, err := b.l.CreatePosting(ctx, ledger.NewPosting{Name: "BL/BR01/1", Branch: "BR01", Kind: movement.Receipt, Movements: []ledger.MovementID{id(1), id(2), id(3)}}, time.Now())
	must(t, err)
	done := time.Date(2026, 11, 23, 14, 5, 0, 0, time.UTC)
	_, err = b.l.ChangePosting(ctx, posting, ledger.PostingChange{At: done, State: ledger.PostingDone, Odoo: ledger.OdooRef{Model: "stock.picking", ID: 7, Name: "BR01/IN/00012"}})
	must(t, err)
	rows = b.knows("BR01", "d1 1-3 posted BR01/IN/00012 4-4 person more than was ordered\n"+over+"\n"+waits)
	if at := rows[0].Runs[0].At; at != done.Unix() {
		t.Errorf("posted at %v", time.Unix(at, 0))
	}
	_, err = b.l.Release(ctx, ledger.Decision{Movements: []ledger.MovementID{id(4)}, Who: "AB", Why: "they came", At: time.Now()})
	must(t, err)
	b.knows("BR01", "d1 1-3 posted BR01/IN/00012 4-4 underway\n"+waits)
	must(t, b.l.Refuse(ctx, []ledger.Refusal{{Movement: id(4), Stage: "post", Reason: "odoo_refused", Text: "KeyError: stock.quant(17,)"}}, time.Now()))
	b.knows("BR01", "d1 1-3 posted BR01/IN/00012 4-4 person Odoo did not take it\n"+
		"4 of 04012345678901 P00017 4-4 person Odoo did not take it\n"+waits)
	_, err = b.l.Decide(ctx, ledger.Decision{Choice: ledger.Discard, Movements: []ledger.MovementID{id(4), id(6)}, Who: "AB", Why: "set apart", At: time.Now()})
	must(t, err)
	b.knows("BR01", "d1 1-3 posted BR01/IN/00012 4-4 discarded set apart")
}

// What was confirmed with a session and has a serial belongs to no group, and is
// told with the session all the same.
func TestSerialsAreToldWithTheirSession(t *testing.T) {
	b := openBook(t)
	var records [][]byte
	for i := range 3 {
		at := time.Now().UTC().Truncate(time.Second)
		records = append(records, ledgertest.Record(movement.Return, 1, func(m *movement.Movement) {
			m.Serial, m.Document = fmt.Sprint("S", i), movement.Document{Type: "session", Ref: "return@1"}
			m.OccurredAt, m.RecordedAt = at, at
			if i == 1 {
				m.Serial, m.Group = "", movement.Group{ID: "return@1", Size: 1}
			}
		}))
	}
	b.came(records...)
	b.start("BR01")
	b.knows("BR01", "return@1 1-3 underway")
}

// However much waits, a branch is told a bounded part of it, the newest, and how
// much there is besides.
func TestOutcomesAreBounded(t *testing.T) {
	b := openBook(t)
	var records [][]byte
	for i := range 520 {
		records = append(records, ledgertest.Record(movement.Dispense, 1, func(m *movement.Movement) {
			m.Problem = &movement.Problem{Code: "check_digit", Text: fmt.Sprint("wrong ", i)}
		}))
	}
	b.came(records...)
	b.cameAt(time.Now().AddDate(0, 0, -20), session("old", 3)...)
	alternating := session("alternating", 450)
	b.came(alternating...)
	var odd []ledger.Refusal
	for i := range 225 {
		odd = append(odd, ledger.Refusal{Movement: b.sender.Find(b.T, b.l, uint64(525+2*i)), Stage: "plan", Reason: "not_on_order"})
	}
	must(t, b.l.Refuse(b.Context(), odd, time.Now()))
	b.start("BR01")
	until(b.world, "BR01", feed.Outcomes, "what waits", func(rows []feed.Outcome) bool {
		waits, runs, pieces := 0, 0, 0
		for _, o := range rows {
			switch {
			case o.Goods != nil:
				waits++
			case o.More > 0 && o.More != 520+225-500:
				t.Errorf("%d more", o.More)
			case o.Session == "alternating":
				pieces++
				runs += len(o.Runs)
			case o.Session != "":
				t.Errorf("a session of %s is told", o.Session)
			}
		}
		return waits == 500 && runs == 450 && pieces == 3 && rows[len(rows)-1].More > 0
	})
}

// A branch is told which rows of its exports people at the hub have settled, how,
// and by whom, so that nobody there does it again; one that waits again is not
// among them.
func TestABranchIsToldWhichRowsAreSettledAtTheHub(t *testing.T) {
	b := openBook(t)
	b.sender = ledgertest.NewSender("BR01", "aaaaaaaaaaaa", movement.Bulk)
	var records [][]byte
	for i := range 6 {
		records = append(records, ledgertest.Record(movement.Dispense, 1, func(m *movement.Movement) {
			m.Group = movement.Group{}
			m.NaturalKey = movement.BadRowKey(fmt.Sprint("till/", i), []byte(fmt.Sprintf("%08d", i)))
			m.Problem = &movement.Problem{Code: "bad_quantity", Field: "quantity", Text: "quantity 2000 is more than a row should have"}
		}))
	}
	b.came(records...)
	b.start("BR01")
	ctx, id := b.Context(), func(seq uint64) ledger.MovementID { return b.sender.Find(b.T, b.l, seq) }
	at := time.Now()
	_, err := b.l.Decide(ctx, ledger.Decision{Choice: ledger.Discard, Movements: []ledger.MovementID{id(1), id(2), id(4)}, Who: "anna", Why: "a test of the till", At: at})
	must(t, err)
	_, err = b.l.Release(ctx, ledger.Decision{Movements: []ledger.MovementID{id(5)}, Who: "anna", Why: "it was that many", At: at})
	must(t, err)
	twelve := movement.Units(12)
	must(t, b.l.Correct(ctx, ledger.Correcting{Movement: id(6), To: ledger.Correction{Quantity: &twelve}, Who: "bob", Why: "the receipt says 12", At: at}))
	must(t, b.projector.CatchUp(ctx))
	want := ` 1-2 discarded a test of the till
 4-4 discarded a test of the till
 5-5 released it was that many
 6-6 corrected the receipt says 12
1 of 04012345678901  3-3 person quantity 2000 is more than a row should have`
	// Before all that was decided is told, there are five rows, too.
	rows := until(b.world, "BR01", feed.Outcomes, "the settled rows", func(rows []feed.Outcome) bool { return sums(rows) == want })
	if r := rows[3].Runs[0]; r.Who != "bob" || r.At != at.Unix() || rows[3].Lane != movement.Bulk || rows[3].Epoch != "aaaaaaaaaaaa" || rows[3].Goods != nil {
		t.Errorf("%+v", rows[3])
	}
}
