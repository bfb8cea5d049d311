package room

import (
	"slices"
	"testing"

	"branchline/hub/ledger"
)

func TestWhatMayBeInOdooAlreadyIsAnAlarm(t *testing.T) {
	got := doubts([]ledger.ReasonCount{{Branch: "BR01", Reason: "unknown_product", Count: 3}, {Branch: "BR01", Reason: ledger.ReasonMayBePosted, Count: 1},
		{Branch: "BR02", Reason: ledger.ReasonOtherHistory, Count: 2}})
	want := []string{
		"Branch BR01: 1 movement may be in Odoo already and waits until somebody has looked (branchline-hub exceptions --branch BR01 --reason may_be_posted).",
		"Branch BR02: 2 movements may be in Odoo already and wait until somebody has looked (branchline-hub exceptions --branch BR02 --reason other_history).",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
