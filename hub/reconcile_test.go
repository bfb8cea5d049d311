package main

import (
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
)

func TestAComparisonIsTold(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	c := &ledger.Reconciled{Branch: "BR01", At: now.Add(-time.Hour), Since: now.Add(-2 * time.Hour), Differences: 2,
		Summary: ledger.ReconciledSummary{All: ledger.Buckets{Captured: 5, Lost: 1, Received: 4, Posted: 4, Found: 3, Missing: 1}, Unsent: 9},
		Result: &ledger.ReconciledResult{Records: []ledger.RecordDifference{{What: ledger.DocumentCancelled, Day: movement.DateOf(now), Count: 1, OdooID: 7, OdooName: "WH/OUT/7", Movements: "aaaa/live:4", Text: "somebody has cancelled it in Odoo"}},
			Stock: ledger.ReconciledStock{Compared: 12, Differences: []ledger.StockDifference{{Name: "Aspirin", Lot: "A1", Expected: movement.Units(28), Odoo: movement.Units(20),
				Moves: []ledger.ForeignMove{{Who: "Mitchell Admin", Document: "Product Quantity Updated", Quantity: movement.Units(-8)}}}}}}}
	var b strings.Builder
	showReconciled(&b, c, now)
	for _, want := range []string{"BR01  2 differences for 2 h 0 min, compared 1 h 0 min ago", "captured 5, received 4, posted 4, found in Odoo 3", "lost 1; 9 not sent yet", "2026-11-23  Cancelled in Odoo, movements: 1",
		"WH/OUT/7 (id 7)", "aaaa/live:4", "Aspirin, lot A1: should be 28, Odoo has 20 (8 too few)", "-8 by Mitchell Admin"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	b.Reset()
	c.Result.Stock.Why, c.Differences = "the hub knows no warehouse", 0
	showReconciled(&b, c, now)
	if !strings.Contains(b.String(), "BR01  equal") || !strings.Contains(b.String(), "The stock was not compared: the hub knows no warehouse.") {
		t.Error(b.String())
	}
}
