package web_test

import (
	"testing"

	"branchline/agent/counter"
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

// A whole delivery by Tab, Enter and the keys that type, without a mouse, a scanner
// or a shortcut.
func TestADeliveryByTheKeyboardAlone(t *testing.T) {
	d := newDesk()
	_, url := serve(t, d)
	page := uitest.Open(t, url+"/receive")
	page.WaitText("P00017")
	tabTo(page, t, "#open .choice")
	page.Press(uitest.Enter)
	page.WaitText("Expires in 3 months")

	tabTo(page, t, "#accept-5")
	page.Press(uitest.Enter)
	page.Wait("!document.body.innerText.includes('Expires in 3 months')")
	tabTo(page, t, "#code")
	page.Type("04012345678903")
	page.Press(uitest.Enter)
	page.WaitText(`GTIN 04012345678903 lot "A77B12".`)
	if len(d.typed) != 1 || d.typed[0].Text != "04012345678903" || !d.typed[0].ByHand {
		t.Errorf("typed %+v", d.typed)
	}
	tabTo(page, t, "#quantity")
	page.Type("12")
	page.Press(uitest.Enter)
	page.Wait(`document.querySelector("#quantity").value === ""`)

	tabTo(page, t, `a[href$="/review"]`)
	page.Press(uitest.Enter)
	page.WaitText("Is this all of P00017?")
	tabTo(page, t, "#by")
	page.Type("AB")
	page.Press(uitest.Enter)
	page.WaitText("P00017 is confirmed")
	if d.done == nil || d.done.By != "AB" {
		t.Errorf("confirmed %+v", d.done)
	}
	if last := d.did[len(d.did)-1]; last.Verb != counter.Quantity || last.Quantity != units(12) {
		t.Errorf("did %+v", d.did)
	}
	tabTo(page, t, `a.btn[href="/receive"]`)
	page.Press(uitest.Enter)
	page.WaitText("Which delivery?")
}

// Nothing moves for people who have asked their system for that; for the others,
// colours change slowly, by which is seen that the question can be answered.
func TestNothingMovesForThoseWhoAskForIt(t *testing.T) {
	_, url := serve(t, newDesk())
	page := uitest.Open(t, url)
	const moving = `[...document.querySelectorAll("*")].flatMap(e => ["", "::before", "::after"].map(p => getComputedStyle(e, p)))
		.filter(s => [...s.transitionDuration.split(","), ...(s.animationName === "none" ? [] : s.animationDuration.split(","))].some(d => parseFloat(d) > 0) || s.scrollBehavior === "smooth").length`
	paths := []string{"/receive", "/session/BR12%2FIN%2F00042@20261123T094100.000Z", "/session/BR12%2FIN%2F00042@20261123T094100.000Z/review",
		"/dispense", "/count", "/lookup", "/way", "/scanners"}
	page.Go(url + "/receive")
	if uitest.Eval[int](page, moving) == 0 {
		t.Error("nothing moves though nobody has asked for that: the test could not fail")
	}
	page.Still()
	for _, path := range paths {
		page.Go(url + path)
		if n := uitest.Eval[int](page, moving); n > 0 {
			t.Errorf("%s: %d things move", path, n)
		}
	}
}
