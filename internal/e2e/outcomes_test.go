//go:build linux

package e2e

import (
	"net/url"
	"strings"
	"testing"

	"branchline/internal/rig"
	"branchline/internal/ui/uitest"
)

// received is a delivery that was begun with the scanner at the goods-in desk,
// and its pages.
func received(o *office, order string, codes ...string) *uitest.Page {
	o.t.Helper()
	a := o.Agents[0]
	o.tells(a.Page+"receive", order, true) // it is expected
	page := uitest.Open(o.t, a.Page+"receive")
	for _, code := range append([]string{order}, codes...) {
		if err := a.Receive.Scan(code); err != nil {
			o.t.Fatal(err)
		}
	}
	return page
}

// A branch receives less than was ordered, by scanner alone. Its pages tell by
// themselves when Odoo has it, under which document's name, line by line, and what
// Odoo expects still.
func TestTheBranchSeesItsDeliveryInOdoo(t *testing.T) {
	o := newOffice(t)
	a, amoxicillin, paracetamol := o.Agents[0], o.Chain.Products[0], o.Chain.Products[3]
	order, err := o.Chain.Order(o.ctx, a.Branch, rig.OrderLine{Product: amoxicillin, Quantity: 6}, rig.OrderLine{Product: paracetamol, Quantity: 20})
	if err != nil {
		t.Fatal(err)
	}
	page := received(o, order, "]d201"+amoxicillin.GTIN+"17290531"+"10A77B12", "BL-QTY-4")
	page.WaitText("4 of 26 packs")
	page.Click("#open .choice")
	page.WaitText("2 to come")
	page.Click(`a[data-key="F9"]`)
	page.WaitText("It differs from the order: 2 products are short. What is short can come later.")
	page.Shot("e2e-review-short")
	page.Go(a.Page + "receive")
	if err := a.Receive.Scan("BL-CONFIRM"); err != nil {
		t.Fatal(err)
	}
	// The list changes by itself, from this PC to the document.
	page.WaitText("Confirmed or thrown away lately")
	page.WaitText("In Odoo as ")
	page.Shot("e2e-list-in-odoo")
	said := o.ok([]string{"postings"}, "posted")
	name := uitest.Eval[string](page, `document.querySelector("#done .state").textContent.replace("In Odoo as ", "")`)
	if !strings.Contains(name, "/IN/") || !strings.Contains(said, name) {
		t.Errorf("it is in Odoo as %q, and the hub says:\n%s", name, said)
	}
	page.Click("#done a")
	page.WaitText("In Odoo as " + name + ", ")
	page.WaitText("1 scan in Odoo as " + name)
	page.WaitText("Odoo still expects 22 of this order, as ") // the backorder, when the hub has read it
	page.Shot("e2e-receipt-in-odoo")
	page.Size(390, 844)
	page.Shot("e2e-phone-receipt-in-odoo")
}

// Ten times what was ordered: the scanner alone cannot confirm it, the page asks
// with both numbers, and what goes beyond the order waits with a person at the
// hub, which the branch sees, also with the line down, until somebody there has
// released it.
func TestTheBranchSeesThatALineWaits(t *testing.T) {
	o := newOffice(t)
	a, paracetamol := o.Agents[0], o.Chain.Products[3]
	order, err := o.Chain.Order(o.ctx, a.Branch, rig.OrderLine{Product: paracetamol, Quantity: 3})
	if err != nil {
		t.Fatal(err)
	}
	page := received(o, order, paracetamol.GTIN, "BL-QTY-30", "BL-CONFIRM")
	const question = "30 Units (thirty) scanned, and 3 Units (three) ordered. Did 30 really come?"
	o.tells(a.Page+"receive", "One question is open: ", true) // an open page may have begun to listen only after it
	page.Go(a.Page + "receive")
	page.WaitText("scan BL-ACCEPT if they came")
	page.Shot("e2e-asked-at-the-scanner")
	page.Click("#open .choice")
	page.WaitText(question)
	page.Shot("e2e-asked")
	page.Click(`a[data-key="F9"]`)
	page.WaitText("1 question is still open.")
	page.WaitText(question)
	page.Shot("e2e-asked-in-the-review")
	page.Size(390, 844)
	page.Shot("e2e-phone-asked-in-the-review")
	page.Size(1366, 768)
	page.Click(".notice a")
	page.Click("#accept-1")
	page.Wait("!document.body.innerText.includes('Did 30 really come')")
	page.Click(`a[data-key="F9"]`)
	page.WaitText("What is more than was ordered, or not on the order, waits with a person at the hub.")
	page.Click("#by")
	page.Type("AB")
	page.Press(uitest.Enter)
	page.WaitText("is confirmed")
	page.WaitText("Waits with a person at the hub: more than was ordered (30 of 3)")
	page.Shot("e2e-receipt-waits")
	receipt := uitest.Eval[string](page, "location.pathname")
	o.tells(a.Page+"way", "1 line waits until a person at the hub has looked", true)
	page.Go(a.Page + "way")
	page.WaitText("More than was ordered.")
	page.Shot("e2e-way-waits")

	// With the line down it stays known, as of when.
	o.Hub.Kill()
	o.tells(a.Page+"way", "the hub cannot be reached now", true)
	page.Go(strings.TrimSuffix(a.Page, "/") + receipt)
	page.WaitText("The hub cannot be reached; what it made of this is as it told at ")
	page.WaitText("more than was ordered (30 of 3)")
	page.Shot("e2e-receipt-offline")
	// Also after the branch's PC was started anew.
	a.Kill()
	for _, p := range []*rig.Process{a.Process, o.Hub} {
		if err := p.Start(o.ctx); err != nil {
			t.Fatal(err)
		}
	}
	page.WaitText("more than was ordered (30 of 3)")
	o.until("1 waits for a person", "exceptions")
	o.ok([]string{"release", o.id("over_receipt"), "--why", "they came"})
	page.WaitText("In Odoo as ")
	page.Wait("!document.body.innerText.includes('more than was ordered')")
	page.Shot("e2e-receipt-released")
	o.tells(a.Page+"way", "person at the hub", false)
	if name, err := url.PathUnescape(receipt); err != nil || !strings.Contains(name, order) {
		t.Errorf("the receipt is at %q", receipt)
	}
}
