package ledger_test

import (
	"testing"
	"time"

	"branchline/hub/ledger/ledgertest"
)

// Who decided that Odoo's stock is right is kept with it, whoever else asks for a
// comparison meanwhile.
func TestWhoSaidThatTheStockIsRight(t *testing.T) {
	l := ledgertest.Open(t)
	now := ledgertest.Noon
	if err := l.AskStockStart(t.Context(), "BR01", "pia the approver", "counted", now); err != nil {
		t.Fatal(err)
	}
	if err := l.AskReconcile(t.Context(), []string{"BR01"}, "otto the operator", now.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	q, err := l.ReconcileQueue(t.Context())
	if err != nil || len(q) != 1 || q[0].StartWhy != "counted" || q[0].Who != "pia the approver" {
		t.Errorf("%+v, %v", q, err)
	}
}
