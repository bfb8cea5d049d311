package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/agent/web"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/ui/uitest"
)

const sent = "/session/BR12%2FBR02%2FT261123-094100@20261123T094100.000Z"

// sending is a desk with one transfer on it, and some other branches.
func sending() *desk {
	d := newDesk()
	d.others = []feed.Branch{{Code: "BR02", Name: "Northgate"}, {Code: "BR03", Name: "Königsallee"}, {Code: "BR04", Name: "North Street"}, {Code: "BR05"}}
	v := &d.view
	v.Work = counter.Work{ID: "BR12/BR02/T261123-094100@20261123T094100.000Z", Purpose: scan.TransferOut, Counterpart: "BR02", Partner: "Northgate (BR02)",
		Document: movement.Document{Type: "transfer", Ref: "BR12/BR02/T261123-094100"}, Opened: v.Opened, Stations: []string{web.Station}, Scanned: units(18), Entries: 4}
	v.Checked, v.Notices = false, nil
	for i := range v.Lines {
		v.Lines[i].Ordered, v.Lines[i].State = 0, counter.Free
	}
	return d
}

// Stock is sent to another branch by the keyboard alone: the branch is found by a
// few letters, and the receipt says what the paper in the box must.
func TestATransferByTheKeyboardAlone(t *testing.T) {
	d := sending()
	_, url := serve(t, d)
	page := uitest.Open(t, url+"/transfer_out")
	page.WaitText("To which branch?")
	page.Shot("transfer-out")
	tabTo(page, t, "#filter")
	page.Type("konig")
	page.Wait(`document.querySelectorAll("#branches li:not([hidden])").length === 1`)
	page.Press(uitest.Key{Key: "Backspace", Code: "Backspace"})
	for range 4 {
		page.Press(uitest.Key{Key: "Backspace", Code: "Backspace"})
	}
	page.Type("nowhere")
	page.WaitText("No branch has that name or code.")
	for range len("where") {
		page.Press(uitest.Key{Key: "Backspace", Code: "Backspace"})
	}
	page.Wait(`document.querySelectorAll("#branches li:not([hidden])").length === 2`)
	page.Press(uitest.Enter) // two are left: none is taken
	page.Wait(`document.activeElement.id === "branch-BR02"`)
	page.Shot("transfer-found")
	page.Press(uitest.Enter)
	page.WaitText("to Northgate (BR02)")
	page.Shot("transfer-open")
	if len(d.opened) == 0 || d.opened[0] != "page transfer_out BR02" {
		t.Errorf("opened %q", d.opened)
	}
	if !slices.Contains(d.opened, "goods-in transfer BR12/BR02/T261123-094100") {
		t.Errorf("the scanners did not join: %q", d.opened)
	}
	tabTo(page, t, `a[href$="/review"]`)
	page.Press(uitest.Enter)
	page.WaitText("It goes to Northgate (BR02). What is confirmed leaves the stock here")
	page.Shot("transfer-review")
	tabTo(page, t, "#by")
	page.Type("AB")
	page.Press(uitest.Enter)
	page.WaitText("is confirmed")
	for _, want := range []string{"From\nBranch 12", "To\nNorthgate (BR02)", "BR12/BR02/T261123-094100", "A77B12", "Scan it under Transfer, Take in"} {
		page.WaitText(want)
	}
	page.Shot("transfer-receipt")
	page.Print()
	page.Shot("transfer-printed")
}

// What comes is taken in by its number, or by its sender.
func TestATransferIsTakenInOnThePage(t *testing.T) {
	d := sending()
	_, at := serve(t, d)
	page := uitest.Open(t, at+"/transfer_in")
	page.WaitText("Or by the branch that sent it")
	page.Shot("transfer-in")
	if got := page.Text("nav.tabs [aria-current]"); !strings.Contains(got, "Transfer") {
		t.Errorf("the tab is %q", got)
	}
	page.Scan("BR02/BR12/T261123-090000")
	page.WaitText("saved")
	if len(d.typed) != 1 || d.typed[0].Purpose != scan.TransferIn {
		t.Errorf("typed %+v", d.typed)
	}
	// The same without scripts.
	no := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for want, form := range map[string]url.Values{
		"page transfer BR02/BR12/T261123-090000": {"purpose": {"transfer_in"}, "type": {"transfer"}, "ref": {"BR02/BR12/T261123-090000"}},
		"page transfer_in BR03":                  {"purpose": {"transfer_in"}, "branch": {"BR03"}},
	} {
		res, err := no.PostForm(at+"/open", form)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusSeeOther || !slices.Contains(d.opened, want) {
			t.Errorf("%s: %s, %q", want, res.Status, d.opened)
		}
	}
}

// A branch that was not told of any other says so, and the sheet has no barcodes
// of branches.
func TestABranchThatKnowsNoOther(t *testing.T) {
	d := sending()
	_, at := serve(t, d)
	if got := read(t, at+"/sheet"); !strings.Contains(got, "BL-BRANCH-BR02") {
		t.Error("the sheet does not have the branches")
	}
	d.others = nil
	if got := read(t, at+"/transfer_out"); !strings.Contains(got, "No other branch is known here.") || strings.Contains(got, `id="filter"`) {
		t.Error(got)
	}
	if got := read(t, at+"/sheet"); strings.Contains(got, "BL-BRANCH-") {
		t.Error("the sheet has branches")
	}
}

func TestEverybodyCanTransfer(t *testing.T) {
	uitest.NeedAxe(t)
	d := sending()
	_, url := serve(t, d)
	page := uitest.Open(t, url)
	look := func(paths ...string) {
		t.Helper()
		for _, width := range []int64{1366, 820, 390, 320} {
			page.Size(width, 768)
			for _, path := range paths {
				page.Go(url + path)
				if found := page.Unusable(width); found != "" {
					t.Errorf("%s at %d:\n%s", path, width, found)
				}
			}
		}
	}
	paths := []string{"/transfer_out", "/transfer_in", sent, sent + "/review", "/sheet"}
	look(paths...)
	page.Dark()
	look(paths...)
	page.Size(390, 844)
	page.Go(url + "/transfer_out")
	page.Shot("transfer-out-phone-dark")
	if _, err := d.Confirm(t.Context(), d.view.ID, "AB"); err != nil {
		t.Fatal(err)
	}
	look(strings.Replace(sent, "session", "receipt", 1))
	page.Size(390, 844)
	page.Shot("transfer-receipt-phone-dark")
}
