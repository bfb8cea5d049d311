package ledger_test

import (
	"log/slog"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
)

// A ledger in PostgreSQL belongs to one hub at a time; who only asks may, beside it.
func TestALedgerInPostgresHasOneHub(t *testing.T) {
	address, ok := ledgertest.Postgres(t)
	if !ok {
		t.Skip(ledgertest.PostgresVariable + " is not set: no PostgreSQL to try it with")
	}
	log := slog.New(slog.DiscardHandler)
	open := func() (*ledger.Ledger, error) { return ledger.Open(t.Context(), ledger.Config{Path: address}, log) }
	first, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := open(); fault.CodeOf(err) != "ledger_owned" {
		if err == nil {
			_ = second.Close()
		}
		t.Errorf("a second hub: %v", err)
	}
	beside, err := ledger.OpenReadOnly(t.Context(), ledger.Config{Path: address}, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := beside.Close(); err != nil {
		t.Error(err)
	}
	if err := first.Audit(t.Context(), ledger.Entry{At: ledgertest.Noon, Who: "ann", Action: "x"}); err != nil {
		t.Errorf("the first goes on: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	next, err := open()
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
}
