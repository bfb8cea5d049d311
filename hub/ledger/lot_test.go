package ledger_test

import (
	"testing"

	"branchline/hub/ledger"
)

func TestLotNumbersThatPeopleTakeForEachOther(t *testing.T) {
	for key, alike := range map[string][]string{
		"A770123": {"A77O123", "a77-0123", " A77 O1 23", "A77/0I23", "A77.O123"},
		"LZ":      {"LZ", "l.z", "(LZ)"},
		"":        {"", "-", "***"},
		"ÄB":      {"äb", "Ä-B"},
	} {
		for _, lot := range alike {
			if got := ledger.LotKey(lot); got != key {
				t.Errorf("%q has the key %q, want %q", lot, got, key)
			}
		}
	}
	if ledger.LotKey("A771") == ledger.LotKey("A77") || ledger.LotKey("A7S") == ledger.LotKey("A75") {
		t.Error("lots that nobody takes for each other have one key")
	}
}
