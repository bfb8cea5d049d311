package web_test

import (
	"fmt"
	"strings"
	"testing"

	"branchline/internal/ui/uitest"
)

// Every page can be used by everybody, as WCAG 2.2 AA says: on a counter's PC and
// in a window of 320, in the light and in the dark, and nothing is wider than the
// window.
func TestEverybodyCanUseThePages(t *testing.T) {
	uitest.NeedAxe(t)
	const session = "/session/BR12%2FIN%2F00042@20261123T094100.000Z"
	d := newDesk()
	_, url := serve(t, d)
	page := uitest.Open(t, url)
	look := func(width, height int64, paths ...string) {
		t.Helper()
		page.Size(width, height)
		for _, path := range paths {
			page.Go(url + path)
			if found := page.Unusable(width); found != "" {
				t.Errorf("%s at %d:\n%s", path, width, found)
			}
		}
	}
	open := []string{"/receive", session, session + "/review", session + "/entry/5", "/dispense", "/return", "/wastage", "/count",
		"/lookup", "/paper", "/paper/print?kind=dispense", "/paper/print?order=P00021", "/lookup?code=04012345678903", "/way", "/scanners", "/sheet", "/session/none"}
	look(1366, 768, open...)
	look(390, 844, open...)
	look(320, 640, open...)
	page.Dark()
	look(1366, 768, open...)
	look(320, 640, open...)
	_, url = serve(t, typing())
	forms := []string{"/paper", form, form + "?line=1", form + "?q=none", strings.Replace(form, "paper", "session", 1) + "/review"}
	look(1366, 768, forms...)
	look(320, 640, forms...)
	_, url = signing(t)
	look(320, 640, session+"/review")
	_, url = serve(t, d)
	if _, err := d.Confirm(t.Context(), d.view.ID, "AB"); err != nil {
		t.Fatal(err)
	}
	look(320, 640, "/receive", "/way", strings.Replace(session, "session", "receipt", 1))
}

// A delivery can be gone through by the Tab key alone, and where one is can
// always be seen.
func TestTheFocusIsSeenEverywhere(t *testing.T) {
	_, url := serve(t, newDesk())
	page := uitest.Open(t, url)
	for _, path := range []string{"/receive", "/session/BR12%2FIN%2F00042@20261123T094100.000Z", "/session/BR12%2FIN%2F00042@20261123T094100.000Z/review", "/way", "/scanners"} {
		page.Go(url + path)
		targets := uitest.Eval[int](page, `[...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")].filter(e => e.checkVisibility() && !e.disabled && e.type !== "hidden").length`)
		seen := map[string]bool{}
		for range targets + 5 {
			page.Press(uitest.Tab)
			at := uitest.Eval[string](page, `(() => { const e = document.activeElement; if (e === document.body) return "";
				const s = getComputedStyle(e), r = e.getBoundingClientRect();
				const ring = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 || s.boxShadow !== "none";
				return [...document.querySelectorAll("*")].indexOf(e) + "|" + ring + "|" + (r.bottom > 0 && r.top < innerHeight) + "|" + e.outerHTML.slice(0, 120) })()`)
			if at == "" {
				continue
			}
			part := strings.SplitN(at, "|", 4)
			seen[part[0]] = true
			if part[1] != "true" || part[2] != "true" {
				t.Errorf("%s: the focus cannot be seen (ring %s, in the window %s): %s", path, part[1], part[2], part[3])
			}
		}
		if len(seen) < targets {
			t.Errorf("%s", fmt.Sprintf("%s: Tab reaches %d of %d targets", path, len(seen), targets))
		}
	}
}

// What was refused stays to be read: the page does not ask for itself again, as
// there is nothing at its address.
func TestWhatWasRefusedStays(t *testing.T) {
	_, url := serve(t, newDesk())
	page := uitest.Open(t, url+"/session/none")
	page.WaitText("This delivery is not open.")
	uitest.Eval[bool](page, `(import("/ui/live.js").then(live => live.refresh()).then(() => window.stays = true), true)`)
	page.Wait("window.stays === true")
	if asked := uitest.Eval[int](page, `performance.getEntriesByName(location.href, "resource").length`); asked != 0 {
		t.Errorf("it asked for itself %d times", asked)
	}
}
