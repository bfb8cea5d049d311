package ledger_test

import (
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
)

// What a person said of the stock is done once, though it is asked for again while it is
// done; and it is kept until it is.
func TestAStartIsTakenOnce(t *testing.T) {
	for name, taken := range map[string]bool{"taken": true, "not yet": false} {
		l := ledgertest.Open(t)
		now := ledgertest.Noon
		if err := l.AskStockStart(t.Context(), "BR01", "pia", "counted", now); err != nil {
			t.Fatal(err)
		}
		began := now.Add(time.Minute)
		save := func(began time.Time, start *ledger.StockStart) []ledger.ToReconcile {
			t.Helper()
			if err := l.SaveReconciled(t.Context(), ledger.Reconciled{Branch: "BR01", BeganAt: began, At: began.Add(time.Minute), Who: "pia", Result: &ledger.ReconciledResult{}}, start); err != nil {
				t.Fatal(err)
			}
			q, err := l.ReconcileQueue(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return q
		}
		start := &ledger.StockStart{At: began, Who: "pia", Why: "counted"}
		if !taken {
			if q := save(began, nil); len(q) != 1 || q[0].StartWhy != "counted" || q[0].Who != "pia" {
				t.Errorf("%s: what pia said is forgotten: %+v", name, q)
			}
			if q := save(began.Add(time.Hour), start); len(q) != 0 {
				t.Errorf("%s: asked for once more: %+v", name, q)
			}
			continue
		}
		if err := l.AskReconcile(t.Context(), []string{"BR01"}, "otto", began.Add(time.Second)); err != nil { // while it is compared
			t.Fatal(err)
		}
		if q := save(began, start); len(q) != 1 || q[0].StartWhy != "" {
			t.Errorf("%s: the stock is taken as it is once more: %+v", name, q)
		}
	}
}
