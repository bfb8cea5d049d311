package web_test

import (
	"strings"
	"testing"

	"branchline/hub/access"
	"branchline/internal/ui/uitest"
)

func TestThePageSaysWhatIsBetweenBranches(t *testing.T) {
	d := newDesk(t)
	d.Add("otto", access.Auditor)
	otto := d.as("otto", good)
	if _, body, _ := otto.get("/transfers"); !strings.Contains(body, "All that was sent from branch to branch was taken in") {
		t.Errorf("nothing was sent: %s", body)
	}
	d.OpenBoxes()
	for path, want := range map[string][]string{
		"/transfers":                  {"BR01/BR02/T261120-080000", "Taken in in part", "Not taken in", "Without a number", "Aspirin &lt;b&gt;500", "Northgate", "Riverside &lt;script&gt;"},
		"/transfers?branch=northgate": {"BR01/BR02/T261120-080000", "BR02/BR03/T261122-100000"},
		"/transfers?branch=nobody":    {"No transfer fits."},
		"/transfers.csv":              {"BR01/BR02/T261120-080000,BR01,BR02,", ",A77,,,3,1,0", "BR01/BR02/unnumbered"},
		"/reconciliation":             {`href="/transfers"`},
	} {
		status, body, _ := otto.get(path)
		if status != 200 || strings.Contains(body, "<script>alert") && !strings.HasSuffix(path, ".csv") {
			t.Errorf("%s: %d, or script from outside", path, status)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: no %q in %s", path, w, body)
			}
		}
	}
	if _, body, _ := otto.get("/transfers?branch=northgate"); strings.Contains(body, "T261121-090000") {
		t.Error("another branch's box is shown")
	}
}

func TestEverybodyCanSeeWhatIsBetweenBranches(t *testing.T) {
	uitest.NeedAxe(t)
	d := newDesk(t)
	d.Add("ina", access.Operator)
	d.OpenBoxes()
	page := uitest.Open(t, d.url)
	page.Go(d.url + "/sign-in?next=/transfers")
	page.Click("#login")
	page.Type("ina")
	page.Click("#password")
	page.Type(good)
	page.Press(uitest.Enter)
	page.WaitText("Between branches")
	for _, dark := range []string{"", "-dark"} {
		if dark != "" {
			page.Dark()
		}
		for width, name := range map[int64]string{1366: "transfers", 820: "transfers-tablet", 390: "transfers-phone"} {
			page.Size(width, 900)
			page.Go(d.url + "/transfers")
			page.Shot(name + dark)
			if found := page.Unusable(width); found != "" {
				t.Errorf("at %d%s:\n%s", width, dark, found)
			}
		}
	}
}
