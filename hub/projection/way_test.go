package projection_test

import (
	"fmt"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/movement"
)

// wayFixture is a branch with n movements in batches of 1000: one in a document,
// one in ten for a person.
func wayFixture(t testing.TB, n int) (*ledger.Ledger, *ledgertest.Sender) {
	l, s := ledgertest.Open(t), ledgertest.NewSender("BR01", epoch, movement.Bulk)
	for from := 0; from < n; from += 1000 {
		var records [][]byte
		for i := from; i < min(from+1000, n); i++ {
			records = append(records, ledgertest.Record(movement.Dispense, 1, func(m *movement.Movement) {
				m.Source = movement.Source{Adapter: "till", File: "a.csv", Line: int64(i + 1)}
				if i%10 == 9 {
					m.Problem = &movement.Problem{Code: "expired", Text: fmt.Sprint("row ", i+1)}
				}
			}))
		}
		s.Commit(t, l, records...)
	}
	if err := projector(l).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	id, err := l.CreatePosting(t.Context(), ledger.NewPosting{Name: "P", Branch: "BR01", Kind: movement.Dispense,
		Movements: []ledger.MovementID{s.Find(t, l, 3)}}, ledgertest.Noon)
	if err == nil {
		_, err = l.ChangePosting(t.Context(), id, ledger.PostingChange{At: ledgertest.Noon, State: ledger.PostingDone,
			Odoo: ledger.OdooRef{Model: "stock.picking", ID: 5, Name: "OUT/5"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return l, s
}

// What a list tells of each movement is what its trace tells.
func TestWaysAreTheTraceInShort(t *testing.T) {
	l, s := wayFixture(t, 1990)
	other := ledgertest.NewSender("BR02", epoch, movement.Live)
	other.Commit(t, l, []byte("no movement"), ledgertest.Record(movement.Dispense, 1, problem("x")))
	catchUp(t, projector(l))
	list, err := l.Movements(t.Context(), ledger.MovementFilter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	more, err := l.Movements(t.Context(), ledger.MovementFilter{Limit: 1000, After: list[len(list)-1].ID})
	if err != nil || len(more) != 992 {
		t.Fatal(len(more), err)
	}
	list = append(list, more...)
	list = append(list, list[4], list[9], list[2]) // in any order
	ways, err := l.Ways(t.Context(), list)
	if err != nil || len(ways) != len(list) {
		t.Fatal(len(ways), err)
	}
	for i := range ways {
		if i > 20 && i < 1980 && i%100 > 10 { // a trace each takes its time
			continue
		}
		w := &ways[i]
		trace, err := l.Trace(t.Context(), list[i].Identity)
		if err != nil {
			t.Fatal(err)
		}
		want := ledger.Way{Movement: list[i]}
		if m, err := movement.Decode(trace.Record.Bytes); err == nil {
			want.Source = m.Source
		}
		if trace.Exception != nil {
			want.ExceptionReason, want.ExceptionText = trace.Exception.Reason, trace.Exception.Text
		}
		if trace.Posting != nil {
			want.Posting, want.Odoo = trace.Posting.Name, trace.Posting.Odoo
		}
		if *w != want {
			t.Errorf("%s: %+v, want %+v", list[i].Identity, *w, want)
		}
	}
	if w := ways[2]; w.Odoo.Name != "OUT/5" || w.Source.Line != 3 {
		t.Errorf("%s: %+v", s.ID(3), w)
	}
}

// BenchmarkList reads a list of 20,000 movements with their ways, and by a trace
// each.
func BenchmarkList(b *testing.B) {
	l, _ := wayFixture(b, 20_000)
	pages := func(b *testing.B, do func([]ledger.Movement) int) {
		n := 0
		for b.Loop() {
			f := ledger.MovementFilter{Limit: 500}
			for {
				page, err := l.Movements(b.Context(), f)
				if err != nil {
					b.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				n += do(page)
				f.After = page[len(page)-1].ID
			}
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "movements/s")
	}
	b.Run("ways", func(b *testing.B) {
		pages(b, func(page []ledger.Movement) int {
			if _, err := l.Ways(b.Context(), page); err != nil {
				b.Fatal(err)
			}
			return len(page)
		})
	})
	b.Run("traces", func(b *testing.B) {
		pages(b, func(page []ledger.Movement) int {
			for i := range page[:5] { // the rest is alike
				if _, err := l.Trace(b.Context(), page[i].Identity); err != nil {
					b.Fatal(err)
				}
			}
			return 5
		})
	})
}
