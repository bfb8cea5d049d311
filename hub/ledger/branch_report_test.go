package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/wire"
)

func TestTheLastReportOfEachBranchIsKept(t *testing.T) {
	l := ledgertest.Open(t)
	for n, branch := range []string{"BR02", "BR01", "BR02"} {
		if err := l.Write(t.Context(), func(tx *ledger.Tx) error {
			return tx.KeepReport(ledger.BranchReport{Branch: branch, At: ledgertest.Noon.Add(time.Duration(n) * time.Minute), State: wire.State{Unsent: uint64(n)}})
		}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := l.BranchReports(t.Context())
	if err != nil || len(got) != 2 || got[0].Branch != "BR01" || got[1].State.Unsent != 2 || !got[1].At.Equal(ledgertest.Noon.Add(2*time.Minute)) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Lines are forgotten by age and by number, but never how a branch is now.
func TestLinesAreKeptWithinBounds(t *testing.T) {
	l := ledgertest.Open(t)
	if err := l.Write(t.Context(), func(tx *ledger.Tx) error {
		err := errors.Join(tx.KeepLine(ledger.LineChange{Branch: "BR02", At: ledgertest.Noon.Add(-99 * time.Hour), Online: true}),
			tx.KeepLine(ledger.LineChange{Branch: "BR01", At: ledgertest.Noon.Add(-99 * time.Hour), Online: true}))
		for n := range 1200 {
			c := ledger.LineChange{Branch: "BR01", At: ledgertest.Noon.Add(time.Duration(n) * time.Second), Online: n%2 == 1}
			if !c.Online {
				c.Why = fmt.Sprint("because ", n)
			}
			err = errors.Join(err, tx.KeepLine(c))
		}
		return errors.Join(err, tx.ForgetLines(ledgertest.Noon))
	}); err != nil {
		t.Fatal(err)
	}
	all, err := l.Lines(t.Context(), "BR01", ledgertest.Noon, 5000)
	if err != nil || len(all) != 1000 || !all[0].Online || all[1].Why != "because 1198" {
		t.Errorf("%d of BR01, %v, %+v", len(all), err, all[:2])
	}
	late := ledgertest.Noon.Add(1190 * time.Second)
	if some, err := l.Lines(t.Context(), "BR01", late, 5); err != nil || len(some) != 6 || !some[5].At.Equal(late.Add(-time.Second)) {
		t.Errorf("%+v, %v", some, err)
	}
	last, err := l.LastLines(t.Context())
	if err != nil || len(last) != 2 || !last[1].Online || !last[0].At.Equal(ledgertest.Noon.Add(1199*time.Second)) {
		t.Errorf("%+v, %v", last, err)
	}
}
