package web_test

import (
	"testing"

	"branchline/hub/access"
	"branchline/internal/ui/uitest"
)

// tabTo presses Tab until the focus is on what the selector means.
func tabTo(page *uitest.Page, t *testing.T, selector string) {
	t.Helper()
	for range 60 {
		if uitest.Eval[bool](page, `document.activeElement.matches(`+"`"+selector+"`"+`)`) {
			return
		}
		page.Press(uitest.Tab)
	}
	t.Fatalf("the Tab key does not come to %s", selector)
}

// From the sign-in to a comparison that is asked for, without a mouse.
func TestAComparisonByTheKeyboardAlone(t *testing.T) {
	d := newDesk(t)
	d.Reconcile()
	d.Add("pia", access.Approver)
	page := uitest.Open(t, d.url+"/reconciliation")
	tabTo(page, t, "#login")
	page.Type("pia")
	tabTo(page, t, "#password")
	page.Type(good)
	page.Press(uitest.Enter)
	page.WaitText("never compared")
	tabTo(page, t, `a[href="/reconciliation/BR01"]`)
	page.Press(uitest.Enter)
	page.WaitText("Records that are otherwise")
	tabTo(page, t, `form[action="/reconciliation"] button`)
	page.Press(uitest.Enter)
	page.WaitText("It is to be compared, asked for by pia")
	tabTo(page, t, "details.space > summary")
	page.Press(uitest.Enter)
	tabTo(page, t, "#why")
	page.Type("counted on Sunday")
	page.Press(uitest.Enter)
	page.Wait("!document.querySelector('details[open]')")
	queue, err := d.Ledger.ReconcileQueue(t.Context())
	d.Must(err)
	for _, q := range queue {
		if q.Branch == "BR01" && q.StartWhy == "counted on Sunday" && q.Who == "pia" {
			return
		}
	}
	t.Errorf("%+v", queue)
}
