package scan_test

import (
	"strings"
	"testing"

	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/feed"
	"branchline/internal/symbol/symboltest"
)

// Every barcode of the sheet scans as its command, none comes twice, and none
// is wider than half a page at 0.33 mm a module.
func TestSheetScans(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range scan.Sheet(map[string]string{"BROKEN": "Broken on the way", "COLD": "Cold chain interrupted"},
		[]feed.Branch{{Code: "BR02", Name: "Northgate"}, {Code: "WWWWWWWWWW"}, {Code: "A-BRANCH-WITH-A-LONG-CODE"}}) {
		if g.Title == "" || len(g.Commands) == 0 {
			t.Errorf("group %+v", g)
		}
		for _, c := range g.Commands {
			s, err := c.Draw()
			if err != nil {
				t.Fatal(err)
			}
			if got := symboltest.Scan(t, s); got != c.Code || !scan.IsCommand(got) || c.Label == "" || seen[got] {
				t.Errorf("%+v scans as %q", c, got)
			}
			seen[c.Code] = true
			if s.Width > 280 {
				t.Errorf("%s has %d modules", c.Code, s.Width)
			}
		}
	}
	for _, want := range []string{scan.Confirm, scan.Undo, scan.Cancel, scan.Qty + "12", scan.Because + "COLD", scan.Damaged + "BROKEN", scan.Short + "COLD", scan.Other + "BR02", scan.Other + "WWWWWWWWWW"} {
		if !seen[want] {
			t.Errorf("%s is not on the sheet", want)
		}
	}
}

func TestTheNumberOfACommand(t *testing.T) {
	for text, want := range map[string]string{
		"BL-QTY-1": "", "BL-QTY-99999": "", "BL-UNDO": "", "BL-REASON-COLD": "", "4012345678901": "",
		"BL-QTY-100000":                  "more than the 99999 packs",
		"BL-QTY-18446744073709551616000": "more than the 99999 packs",
		"BL-QTY-0":                       "does not say how many packs",
		"BL-QTY-":                        "does not say how many packs",
		"BL-QTY--3":                      "does not say how many packs",
		"BL-QTY-2,5":                     "does not say how many packs",
	} {
		err := scan.CheckCommand(text)
		if want == "" && err != nil || want != "" && (fault.CodeOf(err) != "bad_quantity" || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
