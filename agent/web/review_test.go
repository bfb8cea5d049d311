package web_test

import (
	"strings"
	"testing"

	"branchline/agent/counter"
	"branchline/internal/ui/uitest"
)

// The review says how the goods differ from the order, also of lines with
// something to look at, and what becomes of it.
func TestTheReviewSaysHowItDiffers(t *testing.T) {
	short := " What is short can come later."
	waits := " What is more than was ordered, or not on the order, waits with a person at the hub."
	for name, c := range map[string]struct {
		change func(v *counter.View)
		want   string
	}{
		"one short, with something to look at": {func(*counter.View) {}, "It differs from the order: 1 product is short." + short},
		"none":                                 {func(v *counter.View) { v.Lines[1].Scanned = units(10) }, "All of it is as ordered."},
		"short, as a person has said": {func(v *counter.View) { v.Lines[1].State = counter.Lacking },
			"It differs from the order: 1 product is short." + short},
		"short of what came before":        {func(v *counter.View) { v.Lines[1].Already = units(6) }, "All of it is as ordered."},
		"too many, with something to look": {func(v *counter.View) { v.Lines[1].Scanned = units(30) }, "It differs from the order: 1 has too many." + waits},
		"not on it": {func(v *counter.View) { v.Lines[0].Ordered, v.Lines[2].Ordered = 0, units(9) },
			"It differs from the order: 2 products are short, 1 is not on it." + short + waits},
		"no order": {func(v *counter.View) { v.Checked = false }, "It was not compared with an order."},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk()
			c.change(&d.view)
			_, url := serve(t, d)
			text := read(t, url+"/session/"+strings.ReplaceAll(delivery, "/", "%2F")+"/review")
			if !strings.Contains(text, c.want) {
				t.Errorf("%q is not on the page:\n%s", c.want, text)
			}
			if !strings.Contains(text, "1 question is still open") || !strings.Contains(text, "Expires in 3 months: Salbutamol") {
				t.Errorf("the question is not on the page:\n%s", text)
			}
		})
	}
}

// That Odoo is not ready for a delivery stands on its pages as long as it is so.
func TestADeliveryThatOdooIsNotReadyFor(t *testing.T) {
	const words = "Odoo is not ready for this delivery yet."
	d := newDesk()
	_, url := serve(t, d)
	session := url + "/session/" + strings.ReplaceAll(delivery, "/", "%2F")
	for _, path := range []string{"", "/review"} {
		if text := read(t, session+path); strings.Contains(text, words) {
			t.Errorf("%q: it says so of one that Odoo is ready for", path)
		}
	}
	d.view.NotReady = true
	for _, path := range []string{"", "/review"} {
		if text := read(t, session+path); !strings.Contains(text, words) {
			t.Errorf("%q does not say so:\n%s", path, text)
		}
	}
	if text := read(t, url+"/receive"); !strings.Contains(text, "Odoo is not ready for it") {
		t.Errorf("the list of what is open does not say so:\n%s", text)
	}
	page := uitest.Open(t, session)
	page.Shot("not-ready")
	page.Size(390, 844)
	page.Go(session)
	page.Shot("phone-not-ready")
	// What is asked for in the field can be read on a phone.
	if cut := uitest.Eval[bool](page, `(() => { const e = document.getElementById("code"), c = document.createElement("canvas").getContext("2d"), s = getComputedStyle(e);
		c.font = s.font; return c.measureText(e.placeholder).width > e.clientWidth - parseFloat(s.paddingLeft) - parseFloat(s.paddingRight) })()`); cut {
		t.Error("what to do in the field is cut off on a phone")
	}
	page.Go(session + "/review")
	page.Shot("phone-review-not-ready")
}
