package web_test

import (
	"net/url"
	"strings"
	"testing"

	"branchline/hub/access"
	"branchline/internal/odoo"
)

func TestThePagesSayWhatRunsLow(t *testing.T) {
	d := newDesk(t)
	d.Replenish()
	d.Add("otto", access.Auditor)
	otto := d.as("otto", good)
	for path, want := range map[string][]string{
		"/replenishment":          {"1 product runs low", "1 lot expires soon", "Cannot be told", "has not read the branch&#39;s stock", "Riverside &lt;script&gt;", "things not told"},
		"/replenishment?branch=x": {"No branch fits"},
		"/replenishment/BR01":     {"−6", "<b>3</b> Packs", "Odoo replenishes by itself", "OP/1 &lt;script&gt;", "X&lt;script&gt;", "A77", "Not told"},
		"/replenishment/BR02":     {"Nothing can be told"},
		"/replenishment.csv":      {"BR01,low,1,ASP-500,Aspirin <b>500</b>,,,Packs,9,-6,3,4,10,", "BR01,expiring,1,", "BR02,not told"},
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
	// Whoever only looks has no button, nor has anybody where the hub may not order.
	d.Add("olga", access.Operator)
	olga := d.as("olga", good)
	order := func(b *browser, want int) string {
		t.Helper()
		status, body, _ := b.post("/replenishment/BR01/order", url.Values{"rule": {"1"}})
		if status != want {
			t.Errorf("%d, want %d: %s", status, want, body)
		}
		_, body, _ = b.get("/replenishment/BR01")
		return body
	}
	if body := order(olga, 503); strings.Contains(body, "Have Odoo order") {
		t.Error("a button that cannot work")
	}
	d.Order(func(int64) (odoo.Replenished, error) { return odoo.Replenished{Wanted: 7, Order: "P1" + script}, nil })
	if body := order(otto, 403); strings.Contains(body, "Have Odoo order") || strings.Contains(body, "Asked of Odoo") {
		t.Error("an auditor may order")
	}
	if body := order(olga, 303); !strings.Contains(body, "Have Odoo order Aspirin") || !strings.Contains(body, "Ordered 7 Packs, P1") || strings.Contains(body, script) {
		t.Errorf("after it was ordered: %s", body)
	}
	if status, _, _ := otto.get("/replenishment/NONE"); status != 404 {
		t.Errorf("%d", status)
	}
}
