package feed_test

import (
	"fmt"
	"testing"
	"time"

	hubfeed "branchline/hub/feed"
	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/internal/feed"
	"branchline/internal/movement"
)

// BenchmarkOutcomes reads what became of a busy branch's week: 20,000 movements
// in 500 sessions, most of them posted and some with a person, beside 200,000 rows
// of exports, and says how many bytes all of it is for the branch.
func BenchmarkOutcomes(b *testing.B) {
	l := ledgertest.Open(b)
	live, bulk := ledgertest.NewSender("BR01", "aaaaaaaaaaaa", movement.Live), ledgertest.NewSender("BR01", "aaaaaaaaaaaa", movement.Bulk)
	now := time.Now().UTC()
	commit := func(s *ledgertest.Sender, records [][]byte) {
		a := s.Batch(b, records...)
		a.ReceivedAt = now
		if err := l.Commit(b.Context(), a); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 500 {
		commit(live, session(fmt.Sprint("P", i, "@1"), 40))
	}
	for range 200 {
		var rows [][]byte
		for range 1000 {
			rows = append(rows, ledgertest.Record(movement.Dispense, 1))
		}
		commit(bulk, rows)
	}
	if err := projection.New(l, quiet(), nil).CatchUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	for i := range 500 {
		var ids []ledger.MovementID
		for j := range 39 {
			ids = append(ids, live.Find(b, l, uint64(40*i+j+1)))
		}
		id, err := l.CreatePosting(b.Context(), ledger.NewPosting{Name: fmt.Sprint("BL/", i), Branch: "BR01", Kind: movement.Receipt, Movements: ids}, now)
		if err == nil {
			_, err = l.ChangePosting(b.Context(), id, ledger.PostingChange{At: now, State: ledger.PostingDone, Odoo: ledger.OdooRef{Model: "stock.picking", ID: int64(i + 1), Name: fmt.Sprint("BR01/IN/", 10000+i)}})
		}
		if err == nil {
			err = l.Refuse(b.Context(), []ledger.Refusal{{Movement: live.Find(b, l, uint64(40*i+40)), Stage: "plan", Reason: "over_receipt", Text: "more than was ordered"}}, now)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	var d *feed.Document
	for b.Loop() {
		var err error
		if d, err = hubfeed.OutcomesOf(b.Context(), l, "BR01", now); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(d.Rows), "rows")
	b.ReportMetric(float64(d.Bytes()), "bytes")
}
