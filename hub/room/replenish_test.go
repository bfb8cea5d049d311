package room_test

import (
	"slices"
	"strings"
	"testing"

	"branchline/hub/room/roomtest"
)

// What was dispensed and is not in Odoo makes the stock low before it is posted, and
// what cannot be told is named.
func TestLowStockIsSeenBeforeThePosting(t *testing.T) {
	d := roomtest.New(t)
	d.Replenish()
	s, err := d.BranchReplenishment(t.Context(), "BR01")
	d.Must(err)
	if len(s.Low) != 1 || s.Rules != 1 || s.OdooAt.IsZero() || s.Why != "" || s.Unsettled != "" {
		t.Fatalf("%+v", s)
	}
	if l := s.Low[0]; l.Odoo.String() != "9" || l.Unposted.String() != "-6" || l.Together.String() != "3" || l.Min.String() != "4" || l.Max.String() != "10" || !l.Auto || l.Unit != "Packs" {
		t.Errorf("%+v", l)
	}
	if len(s.Expiring) != 1 || s.Expiring[0].Lot != "A77" || s.Expiring[0].Together.String() != "1" || s.Expiring[0].Over {
		t.Errorf("%+v", s.Expiring)
	}
	for _, want := range []string{"-2 of sku X", "OP/2"} {
		if !slices.ContainsFunc(s.Left, func(l string) bool { return strings.Contains(l, want) }) {
			t.Errorf("%q is not told: %q", want, s.Left)
		}
	}
	if s, err = d.BranchReplenishment(t.Context(), "BR02"); err != nil || s.Why == "" || len(s.Low) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	w, err := d.Watch(t.Context())
	d.Must(err)
	if b := w.Branches[0]; len(b.Low) != 1 || b.Low[0] != "Aspirin <b>500</b> (3 of at least 4)" || len(b.Expiring) != 1 || !b.Refilled || w.Branches[1].Refilled {
		t.Errorf("%+v", w.Branches)
	}
	if _, err := d.BranchReplenishment(t.Context(), "NONE"); err == nil {
		t.Error("a branch that is not there is told of")
	}
}
