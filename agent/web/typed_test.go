package web_test

import (
	"strings"
	"testing"

	"branchline/agent/counter"
	"branchline/internal/ui/uitest"
)

// A number and Enter say how many packs the latest scan stands for, wherever the
// cursor is; where that cannot be meant, the page says so.
func TestANumberAndEnterAreAnswered(t *testing.T) {
	d := newDesk()
	_, url := serve(t, d)
	page := uitest.Open(t, url+"/session/BR12%2FIN%2F00042@20261123T094100.000Z")
	page.WaitText("Expires in 3 months")
	page.Wait("document.documentElement.dataset.scanner === 'ready'")
	page.Type("99")
	page.Press(uitest.Enter)
	page.WaitText("page · Done")
	if len(d.did) != 1 || d.did[0].Verb != counter.Quantity || d.did[0].Quantity != units(99) || d.did[0].Entry != 0 {
		t.Errorf("did %+v", d.did)
	}
	page.Type("999")
	page.Press(uitest.Enter)
	page.WaitText("999 packs are more than one scan can stand for.")
	page.Scan("999")
	page.WaitText("Not counted: 999 is too short for a code. For a number of packs press F2 first.")
	page.Type("4012345678901")
	page.Press(uitest.Enter)
	page.WaitText("4012345678901 was typed, and not scanned.")
	page.Go(url + "/dispense")
	page.Wait("document.documentElement.dataset.scanner === 'ready'")
	page.Type("99")
	page.Press(uitest.Enter)
	page.WaitText("Nothing done: nothing is open on this page whose packs 99 could be.")
	page.Click("#code")
	page.Type("4012345678901")
	page.Press(uitest.Enter)
	page.WaitText(`GTIN 04012345678903 lot "A77B12".`)
	if len(d.typed) != 1 || !d.typed[0].ByHand || d.typed[0].Purpose != "dispense" || len(d.did) != 2 {
		t.Errorf("typed %+v, did %+v", d.typed, d.did)
	}
}

// A question about several scans is answered for all of them: by a lot that is
// offered, on the page of the pack, or by leaving it.
func TestAQuestionIsAnsweredForAllItsScans(t *testing.T) {
	d := newDesk()
	all := func(v counter.Verb, label string) counter.Offer {
		return counter.Offer{Action: counter.Action{Verb: v, Entry: 5, Same: true}, Label: label}
	}
	d.view.Notices = []counter.Notice{{Entry: 5, Code: "lot_needed", Text: "Which lot is it?", Open: true, Alike: 2, Lots: []counter.Lot{{Lot: "S9", Expiry: date("2027-02-28")}},
		Actions: []counter.Offer{all(counter.Correct, "Enter lot and expiry for all 2"), all(counter.Person, "Leave all 2 to a person")}}}
	_, url := serve(t, d)
	session := url + "/session/BR12%2FIN%2F00042@20261123T094100.000Z"
	page := uitest.Open(t, session)
	page.Click("#lot-5-0")
	page.WaitText("page · Done")
	page.Click("#person-5")
	page.Click("#fix-5")
	page.WaitText("As all 2 packs show it")
	page.Shot("entry-all")
	if page.Text("#packs") != "" || uitest.Eval[bool](page, "!!document.querySelector('#packs, #reason')") {
		t.Error("it asks for what cannot be said of all")
	}
	page.Click("#lot")
	page.Type("X1")
	page.Press(uitest.Enter)
	page.Wait("location.pathname.startsWith('/session/') && !location.pathname.includes('entry')")
	if len(d.did) != 3 {
		t.Fatalf("did %+v", d.did)
	}
	for i, a := range d.did {
		if !a.Same || a.Entry != 5 || a.Lot == "" && a.Verb == counter.Correct {
			t.Errorf("%d did %+v", i, a)
		}
	}
	page.Go(session + "/entry/5")
	if !uitest.Eval[bool](page, "!!document.querySelector('#packs') && !document.querySelector('[name=same]')") {
		t.Error("one scan is not corrected by itself")
	}
}

// What went to a person instead of into the lines is said where it is confirmed,
// and after that.
func TestScansForAPersonAreSaidInTheReview(t *testing.T) {
	d := newDesk()
	d.view.AllKept, d.view.Kept = 12, []counter.Kept{{At: five(), Why: "check digit of \"4012345678902\" must be 1, it is 2"}}
	_, url := serve(t, d)
	session := url + "/session/BR12%2FIN%2F00042@20261123T094100.000Z"
	for _, path := range []string{session, session + "/review"} {
		if got := read(t, path); !strings.Contains(got, `12 scans are not among the lines, and kept for a person at the hub. 14:05 · Check digit of "4012345678902" must be 1, it is 2.`) {
			t.Errorf("%s says %s", path, got)
		}
	}
	if _, err := d.Confirm(t.Context(), d.view.ID, "AB"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, url+"/receipt/BR12%2FIN%2F00042@20261123T094100.000Z"); !strings.Contains(got, "12 scans are not among the lines") {
		t.Errorf("the receipt says %s", got)
	}
}
