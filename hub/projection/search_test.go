package projection_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// library is a ledger of two branches with lots that are written alike.
func library(t *testing.T) *ledger.Ledger {
	t.Helper()
	l := ledgertest.Open(t)
	lot := func(lot string, more ...func(*movement.Movement)) func(*movement.Movement) {
		return func(m *movement.Movement) {
			m.Lot = lot
			for _, f := range more {
				f(m)
			}
		}
	}
	product := func(code string) func(*movement.Movement) {
		return func(m *movement.Movement) { m.Product.Code = code }
	}
	one := ledgertest.NewSender("BR01", epoch, movement.Bulk)
	one.Commit(t, l,
		on(movement.Receipt, 10, 0, lot("A77-O1")),
		on(movement.Dispense, 1, 1, lot("A77-O1")),
		on(movement.Dispense, 2, 2, lot("a7701")),
		on(movement.Dispense, 4, 3, lot("")),
		on(movement.Receipt, 5, 4, lot("A77-O1", product("04012345678918"))),
		on(movement.Dispense, 3, 5, lot("B1", func(m *movement.Movement) { m.Serial, m.Document.Type, m.Document.Ref = "S1", "dispensing", "R-1" })),
		on(movement.Receipt, 7, 6, lot("A77-O1"), problem("unsure")))
	two := ledgertest.NewSender("BR02", epoch, movement.Bulk)
	two.Commit(t, l, on(movement.Receipt, 20, 0, lot("A77-O1")), on(movement.Wastage, 6, 7, lot("A77-O1")))
	catchUp(t, projector(l))
	return l
}

func TestARecallFindsEveryWayTheLotWasWritten(t *testing.T) {
	l := library(t)
	for _, asked := range []string{"A77-O1", "a77 01", "A77-01"} {
		got, err := l.Recall(t.Context(), asked)
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, r := range got {
			for _, s := range r.Stock {
				words = append(words, fmt.Sprintf("%s %s %s: %s in, %s out, %s there", r.Lot, s.Branch, s.Product.Code[8:], s.CameIn, s.WentOut, s.OnHand))
			}
			if r.Waits > 0 {
				words = append(words, fmt.Sprintf("%s: %d waits", r.Lot, r.Waits))
			}
		}
		want := []string{
			"A77-O1 BR01 678901: 10 in, 1 out, 9 there", "A77-O1 BR02 678901: 20 in, 6 out, 14 there",
			"A77-O1 BR01 678918: 5 in, 0 out, 5 there", "A77-O1: 1 waits",
			"a7701 BR01 678901: 0 in, 2 out, -2 there"}
		if strings.Join(words, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n%s", asked, strings.Join(words, "\n"))
		}
	}
	for _, asked := range []string{"", "-", "A7", "%"} {
		if got, err := l.Recall(t.Context(), asked); err != nil || len(got) != 0 {
			t.Errorf("%q: %+v, %v", asked, got, err)
		}
	}
	none, err := l.WithoutLot(t.Context(), movement.Product{Scheme: movement.GTIN, Code: "04012345678901"})
	if err != nil || len(none) != 1 || none[0].WentOut != movement.Units(4) {
		t.Errorf("without a lot: %+v, %v", none, err)
	}
}

func TestSearch(t *testing.T) {
	l := library(t)
	noon := ledgertest.Noon
	for name, c := range map[string]struct {
		s    ledger.Search
		want string
	}{
		"by branch, newest first":  {ledger.Search{Branch: "BR02"}, "BR02/2 BR02/1"},
		"by lot, however written":  {ledger.Search{Lot: "A7701"}, "BR02/2 BR01/7 BR01/5 BR01/3 BR01/2 BR02/1 BR01/1"},
		"by lot at a branch":       {ledger.Search{Lot: "A77-O1", Branch: "BR02"}, "BR02/2 BR02/1"},
		"by lot and product":       {ledger.Search{Lot: "A77-O1", Codes: []string{"04012345678918"}}, "BR01/5"},
		"by serial":                {ledger.Search{Serial: "S1"}, "BR01/6"},
		"by document":              {ledger.Search{Document: "R-1"}, "BR01/6"},
		"by document, other lot":   {ledger.Search{Document: "R-1", Lot: "A77-O1"}, ""},
		"by product":               {ledger.Search{Codes: []string{"04012345678918", "none"}}, "BR01/5"},
		"by kind":                  {ledger.Search{Branch: "BR01", Kind: movement.Receipt}, "BR01/7 BR01/5 BR01/1"},
		"by state":                 {ledger.Search{Branch: "BR01", State: ledger.Excepted}, "BR01/7"},
		"within a time":            {ledger.Search{Branch: "BR01", From: noon.Add(2 * time.Minute), To: noon.Add(4 * time.Minute)}, "BR01/4 BR01/3"},
		"a branch that never sent": {ledger.Search{Branch: "BR09"}, ""},
		"a lot that never came":    {ledger.Search{Lot: "C"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var all []string
			var lastOf ledger.Movement
			for page := 0; page < 20; page++ { // pages of two hold the same
				s := c.s
				s.Limit = 2
				if page > 0 {
					last := lastOf
					s.After = &last
				}
				found, err := l.Search(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				if len(found) == 0 {
					break
				}
				lastOf = found[len(found)-1]
				for _, m := range found {
					all = append(all, fmt.Sprintf("%s/%d", m.Identity.Branch, m.Identity.Seq))
				}
			}
			whole, err := l.Search(t.Context(), c.s)
			if got := strings.Join(all, " "); got != c.want || err != nil || len(whole) != len(all) {
				t.Errorf("got %s (%d at once), want %s; %v", got, len(whole), c.want, err)
			}
		})
	}
	if _, err := l.Search(t.Context(), ledger.Search{From: noon}); fault.CodeOf(err) != ledger.CodeSearchTooWide {
		t.Errorf("a search by nothing: %v", err)
	}
}
