package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/agent/web"
	"branchline/internal/fault"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/ui"
	"branchline/internal/ui/uitest"
)

// desk is a desk with one delivery on it.
type desk struct {
	// mu is for what a test confirms while a page looks.
	mu    sync.Mutex
	view  counter.View
	did   []counter.Action
	typed []web.Typed
	done  *counter.Receipt
	staff web.Staff
	// sent is how far the hub has confirmed, asked how often somebody asked, told
	// what it has told.
	sent  uint64
	asked atomic.Int64
	told  *told
	// offline tells that the hub cannot be reached.
	offline bool
	// opened are the stations that opened or joined what.
	opened []string
	others []feed.Branch
	// lines are what was typed in of a form.
	lines []counter.FormLine
}

func (d *desk) Work(p scan.Purpose) []counter.Work {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p != scan.Receive {
		return nil
	}
	expected := counter.Work{Purpose: p, Document: movement.Document{Type: "order", Ref: "P00021"}, Partner: "Northern Drug Supply",
		Due: time.Now().Add(24 * time.Hour), Ordered: movement.Units(112)}
	if d.done != nil {
		return []counter.Work{expected}
	}
	return []counter.Work{d.view.Work, expected}
}

func (d *desk) View(id string) (counter.View, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if id != d.view.ID || d.done != nil {
		return counter.View{}, fault.New(fault.Data, "no_session", "this delivery is not open")
	}
	return d.view, nil
}

func (d *desk) Open(_ context.Context, _ scan.Purpose, doc movement.Document, station string) (string, scan.Answer, error) {
	d.opened = append(d.opened, station+" "+doc.Type+" "+doc.Ref)
	return d.view.ID, scan.Answer{Sound: scan.OK, Text: "P00017 is open"}, nil
}

func (d *desk) OpenTransfer(_ context.Context, p scan.Purpose, branch, station string) (string, scan.Answer, error) {
	d.opened = append(d.opened, station+" "+string(p)+" "+branch)
	return d.view.ID, scan.Answer{Sound: scan.OK, Text: "transfer to " + branch + " is open"}, nil
}

func (d *desk) Branches() []feed.Branch { return d.others }

func (d *desk) Do(_ context.Context, _ string, a counter.Action) (scan.Answer, error) {
	d.did = append(d.did, a)
	if a.Verb == counter.Quantity && a.Quantity > movement.Units(100) {
		return scan.Answer{}, fault.New(fault.Data, "bad_quantity", "%s packs are more than one scan can stand for", a.Quantity)
	}
	if a.Verb == counter.Accept {
		d.view.Notices = d.view.Notices[1:]
	}
	return scan.Answer{Sound: scan.OK, Text: "noted"}, nil
}

func (d *desk) Confirm(_ context.Context, id, by string) (counter.Receipt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.view.Lines = slices.Clone(d.view.Lines)
	for i := range d.view.Lines {
		d.view.Lines[i].Entries = slices.Clone(d.view.Lines[i].Entries)
		for j := range d.view.Lines[i].Entries {
			e := &d.view.Lines[i].Entries[j]
			e.Seq = 10 + uint64(e.Number)
		}
	}
	d.done = &counter.Receipt{View: d.view, Group: id, By: by, ConfirmedAt: time.Now(), Epoch: "0123456789abcdef", First: 11, Through: 15}
	return *d.done, nil
}

func (d *desk) Cancel(context.Context, string, string, string) error { return nil }

func (d *desk) Receipt(id string) (counter.Receipt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done == nil || id != d.view.ID {
		return counter.Receipt{}, fault.New(fault.Data, "no_receipt", "there is no such receipt")
	}
	return *d.done, nil
}

func (d *desk) Receipts() []counter.Receipt {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done == nil {
		return nil
	}
	return []counter.Receipt{*d.done}
}

func units(n int64) movement.Quantity { return movement.Units(n) }

func date(s string) movement.Date {
	d, err := movement.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func newDesk() *desk {
	at := time.Now().Add(-3 * time.Minute)
	line := func(code, name string, ordered, scanned int64, state counter.LineState, entries ...counter.Entry) counter.Line {
		l := counter.Line{Product: movement.Product{Scheme: movement.GTIN, Code: code}, Name: name, Unit: "pack", Ordered: units(ordered), Scanned: units(scanned), State: state, Entries: entries}
		for _, e := range entries {
			l.Lots = append(l.Lots, counter.Lot{Lot: e.Lot, Expiry: e.Expiry, Quantity: e.Quantity})
		}
		return l
	}
	entry := func(n int, lot, expiry string, packs int64) counter.Entry {
		return counter.Entry{Number: n, Lot: lot, Expiry: date(expiry), Quantity: units(packs), At: at}
	}
	return &desk{view: counter.View{
		Work: counter.Work{ID: "BR12/IN/00042@20261123T094100.000Z", Purpose: scan.Receive, Document: movement.Document{Type: "order", Ref: "P00017"},
			Partner: "Acme Wholesale", Due: time.Now(), Opened: at, Stations: []string{"goods-in", web.Station}, Scanned: units(18), Ordered: units(24), Entries: 5, Questions: 1},
		Checked: true, AsOf: at, Last: 5,
		Lines: []counter.Line{
			line("04012345678903", "Amoxicillin 500 mg caps 21", 6, 6, counter.Complete, entry(1, "A77B12", "2028-05-31", 6)),
			line("04012345678910", "Salbutamol 100 µg inhaler", 10, 4, counter.LookAt, entry(5, "S9", "2027-02-28", 4)),
			line("04012345678927", "Metformin 850 mg tabs 56", 8, 8, counter.Complete, entry(2, "M1", "2028-09-30", 5), entry(3, "M2", "2028-11-30", 3)),
		},
		Notices: []counter.Notice{{Entry: 5, Code: "short_dated", Text: "Expires in 3 months: Salbutamol 100 µg, lot S9, on 28 Feb 2027.", Open: true,
			Actions: []counter.Offer{{Action: counter.Action{Verb: counter.Accept, Entry: 5}, Label: "Accept, short-dated"},
				{Action: counter.Action{Verb: counter.Correct, Entry: 5}, Label: "Correct it"}, {Action: counter.Action{Verb: counter.Undo, Entry: 5}, Label: "Take back"}}}},
	}}
}

func serve(t testing.TB, d *desk) (*web.Page, string) {
	return serveThrough(t, d, func(h http.Handler) http.Handler { return h })
}

// serveThrough serves the pages of a desk through what stands between them and the
// browser.
func serveThrough(t testing.TB, d *desk, between func(http.Handler) http.Handler) (*web.Page, string) {
	site, err := web.New(web.Options{
		State: func() web.State {
			return web.State{Branch: "Branch 12", Version: "v1", Unsent: 3, OldestUnsent: time.Now().Add(-2 * time.Minute),
				Hub:      web.Hub{Connected: !d.offline, Since: time.Now().Add(-time.Hour), LastConfirmed: time.Now().Add(-time.Minute)},
				Scanners: []web.Device{{Name: "goods-in", For: "receive", Up: true, Detail: "/dev/ttyACM0", Scans: 42}, {Name: "counter", For: "dispense", Since: time.Now(), Detail: "unplugged"}}}
		},
		Desk: d, Forms: d, Stations: func(scan.Purpose) []string { return []string{"goods-in"} },
		Typed: func(_ context.Context, t web.Typed) scan.Answer {
			d.typed = append(d.typed, t)
			return scan.Answer{Sound: scan.OK, Text: "GTIN 04012345678903 lot \"A77B12\""}
		},
		Sent: func(_ string, through uint64) bool { d.asked.Add(1); return through <= d.sent }, Staff: d.staff,
		Log: slog.New(slog.DiscardHandler), Outcomes: d.told.orNone(),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", site)
	mux.Handle("/ui/", ui.Assets("/ui/"))
	server := httptest.NewServer(between(mux))
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- site.Run(ctx) }()
	t.Cleanup(func() { end(); <-done; server.Close() })
	return site, server.URL
}

// A delivery from the list to its receipt, with a scanner that types, keys and
// clicks only.
func TestADeliveryIsReceivedOnThePage(t *testing.T) {
	d := newDesk()
	site, url := serve(t, d)
	page := uitest.Open(t, url)
	page.WaitText("Northern Drug Supply")
	page.Shot("work")
	page.Click("#open .choice")
	page.WaitText("Expires in 3 months")
	page.Shot("session")

	page.Scan("]d20104012345678903" + "10A77B12")
	page.WaitText(`GTIN 04012345678903 lot "A77B12".`)
	if len(d.typed) != 1 || d.typed[0].Text != "]d2010401234567890310A77B12" || d.typed[0].Purpose != scan.Receive {
		t.Errorf("typed %+v", d.typed)
	}
	page.Press(uitest.Key{Key: "F2", Code: "F2"})
	page.Type("200")
	page.Press(uitest.Enter)
	page.WaitText("page · Not done")
	page.WaitText("200 packs are more than one scan can stand for.")
	page.Shot("session-refused")
	if got := uitest.Eval[string](page, "document.documentElement.dataset.beep"); got != "refused" {
		t.Errorf("the page sounded %q", got)
	}
	page.Click("#accept-5")
	page.Wait("!document.body.innerText.includes('Expires in 3 months')")
	site.Beep("goods-in", scan.Answer{Sound: scan.Warn, Code: "expired", Text: "lot S9 expired on 2026-01-31"})
	page.WaitText("Lot S9 expired on 2026-01-31.")

	page.Press(uitest.Key{Key: "F9", Code: "F9"})
	page.WaitText("Is this all of P00017?")
	page.Shot("review")
	page.Click("#by")
	page.Type("AB")
	page.Press(uitest.Enter)
	page.WaitText("P00017 is confirmed")
	page.Shot("receipt")
	if d.done == nil || d.done.By != "AB" {
		t.Errorf("confirmed %+v", d.done)
	}
	for _, path := range []string{"/way", "/receive", "/dispense", "/count", "/session/none"} {
		page.Go(url + path)
		page.Shot("page" + strings.ReplaceAll(path, "/", "-"))
		if path == "/way" || path == "/receive" {
			page.WaitText("Confirmed or thrown away lately")
			page.WaitText("Safe here, not yet sent")
		}
		if got := page.Text("#answer"); path == "/count" && strings.Contains(got, "is confirmed") {
			t.Errorf("what was received is told at %s: %s", path, got)
		}
	}
	page.Size(390, 844)
	page.Go(url + "/way")
	page.Shot("phone-way-done")
	if wide := uitest.Eval[int](page, "document.documentElement.scrollWidth"); wide > 390 {
		t.Errorf("what is on its way is %d wide on a phone of 390", wide)
	}
	page.Wait(`(() => { const r = document.querySelector("nav.tabs [aria-current]").getBoundingClientRect(); return r.left >= 0 && r.right <= 390 })()`)
}

func TestPagesOnAPhoneAndInTheDark(t *testing.T) {
	d := newDesk()
	_, url := serve(t, d)
	page := uitest.Open(t, url)
	page.Size(390, 844)
	for _, name := range []string{"/receive", "/session/BR12%2FIN%2F00042@20261123T094100.000Z", "/session/BR12%2FIN%2F00042@20261123T094100.000Z/entry/5", "/way"} {
		page.Go(url + name)
		page.Shot("phone" + strings.ReplaceAll(name[:min(len(name), 9)], "/", "-") + name[len(name)-1:])
		if wide := uitest.Eval[int](page, "document.documentElement.scrollWidth"); wide > 390 {
			t.Errorf("%s is %d wide on a phone of 390", name, wide)
		}
	}
	page.Size(1366, 768)
	page.Dark()
	page.Go(url + "/session/BR12%2FIN%2F00042@20261123T094100.000Z")
	page.Shot("dark")
}

// What is begun without a document is one session, which the scanners join.
func TestTheScannersJoinWhatIsBegunOnThePage(t *testing.T) {
	for form, want := range map[string][]string{
		"purpose=count":                         {"page  ", "goods-in session BR12/IN/00042@20261123T094100.000Z"},
		"purpose=receive&type=order&ref=P00021": {"page order P00021"}, // goods-in works on another one
	} {
		d := newDesk()
		if strings.Contains(form, "count") {
			d.view.Stations = nil
		}
		_, site := serve(t, d)
		res, err := http.Post(site+"/open", "application/x-www-form-urlencoded", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if !slices.Equal(d.opened, want) {
			t.Errorf("%s: opened %q, want %q", form, d.opened, want)
		}
	}
}

func TestPageWorksWithoutItsScripts(t *testing.T) {
	d := newDesk()
	_, url := serve(t, d)
	res, err := http.PostForm(url+"/session/BR12%2FIN%2F00042@20261123T094100.000Z/do", map[string][]string{"verb": {"correct"}, "entry": {"5"}, "lot": {" S9 "}, "expiry": {"2027-02-28"}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 200 || !strings.Contains(string(body), "Noted.") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if len(d.did) != 1 || d.did[0].Lot != "S9" || d.did[0].Expiry != date("2027-02-28") {
		t.Errorf("did %+v", d.did)
	}
}
