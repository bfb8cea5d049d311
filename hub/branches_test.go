package main

import (
	"testing"
	"time"

	"branchline/hub/config"
	"branchline/hub/ledger"
	"branchline/hub/room"
)

// A branch is told of as it is: in the configuration or not, connected or not,
// and whether anything ever came of it.
func TestEveryBranchIsToldOf(t *testing.T) {
	configured := []config.Branch{{Code: "BR01"}, {Code: "BR02"}, {Code: "BR03"}, {Code: "BR04"}}
	ago := time.Now().Add(-3 * time.Minute)
	lines := []room.Line{{Code: "BR01", Connected: true, Since: ago}, {Code: "BR02", Since: ago}, {Code: "BR03"}}
	for code, want := range map[string]string{
		"BR01": "connected since 3 min", "BR02": "not connected since 3 min", "BR03": "not connected since the hub was started",
		"BR04": "put into the configuration after the hub was started", "BR09": "not in the hub's configuration",
	} {
		if got := lineWords(code, configured, lines, true); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	if got := lineWords("BR01", configured, nil, false); got != "configured" {
		t.Errorf("while the hub does not run: %q", got)
	}
	for want, o := range map[string]ledger.BranchOverview{
		"nothing received yet": {},
		"7 received, the last 3 min ago; 1 waits for the planner, 2 documents for Odoo, 3 for a person": {Received: 7, LastReceived: ago,
			Pending: 1, Open: 2, Exceptions: 3},
		"nothing received yet; 0 wait for the planner, 0 documents for Odoo, 1 for a person": {Exceptions: 1},
	} {
		if got := comeWords(&o); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
