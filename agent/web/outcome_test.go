package web_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/agent/counter"
	"branchline/agent/web"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/ui/uitest"
)

// told is what a hub has told.
type told struct {
	mu       sync.Mutex
	rows     []feed.Outcome
	waiting  []feed.Outcome
	more     int64
	asOf     time.Time
	expected *feed.Delivery
}

func (o *told) orNone() web.Outcomes {
	if o == nil {
		return nil
	}
	return o
}

func (o *told) tell(rows ...feed.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rows = rows
}

func (o *told) Outcomes(session string) (list []feed.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rows {
		if r.Session == session {
			list = append(list, r)
		}
	}
	return list
}

func (o *told) Waiting() ([]feed.Outcome, int64) { return o.waiting, o.more }
func (o *told) OutcomesAsOf() time.Time          { return o.asOf }
func (o *told) Expected(movement.Document) (d feed.Delivery, asOf time.Time, ok bool) {
	if o.expected == nil {
		return d, o.asOf, false
	}
	return *o.expected, o.asOf, true
}

func (o *told) ReadFrom(_ string, lane movement.Lane, seq uint64) string {
	if lane == movement.Bulk {
		return fmt.Sprint("till.csv, line ", seq)
	}
	return ""
}

func (o *told) Named(code movement.Product) string {
	if code.Code == "04012345678910" {
		return "Salbutamol 100 µg inhaler"
	}
	return ""
}

const delivery = "BR12/IN/00042@20261123T094100.000Z"

// five is a time of day that the pages say as it is, on the day of now.
func five() time.Time {
	now := time.Now()
	return time.Date(now.Year(), now.Month(), now.Day(), 14, 5, 0, 0, time.Local)
}

func posted(first, last uint64, document string) feed.OutcomeRun {
	return feed.OutcomeRun{First: first, Last: last, State: feed.Posted, At: five().Unix(), Document: document}
}

func over(first, last uint64) feed.OutcomeRun {
	return feed.OutcomeRun{First: first, Last: last, State: feed.WithPerson, At: five().Unix(), Code: "over_receipt", Why: "more than was ordered"}
}

func row(runs ...feed.OutcomeRun) feed.Outcome {
	return feed.Outcome{Key: "s/" + delivery, Session: delivery, Epoch: "0123456789abcdef", Lane: movement.Live, Runs: runs}
}

var tags = regexp.MustCompile(`<[^>]*>|\s+`)

// read is a page's text, the tags left out.
func read(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v %d: %s", err, res.StatusCode, body)
	}
	_, main, _ := strings.Cut(string(body), "<main")
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(main, " "))), " ")
}

// A receipt says of each line, and of all, where it is: from this PC to its
// document in Odoo. Movement 11 is the first line, 15 the second, 12 and 13 the
// third; 14 was taken back.
func TestAReceiptSaysWhereItsLinesAre(t *testing.T) {
	other := func(o feed.Outcome) feed.Outcome { o.Epoch = "fedcba9876543210"; return o }
	cases := map[string]struct {
		sent    uint64
		told    *told
		offline bool
		want    []string // on the receipt
		list    string   // in the list of what is done
	}{
		"nothing sent":    {0, nil, false, []string{"complete Safe here, not yet sent", "5 scans safe here and not yet sent."}, "Safe here, not yet sent"},
		"half of it sent": {12, &told{}, false, []string{"complete With the hub", "6 missing Safe here, not yet sent", "3 scans safe here and not yet sent, 2 scans with the hub"}, "Safe here, not yet sent"},
		"all sent":        {15, &told{}, false, []string{"complete With the hub", "5 scans with the hub, on the way into Odoo."}, "With the hub"},
		"all sent, and the line down": {15, &told{asOf: five()}, true, []string{"With the hub, as of 14:05", "The hub cannot be reached; what it made of this is as it told at 14:05"},
			"With the hub, as of 14:05"},
		"all sent, and the line down at once": {15, &told{}, true, []string{"The hub cannot be reached and has told nothing of it yet"}, "With the hub"},
		"on the way": {15, &told{rows: []feed.Outcome{row(feed.OutcomeRun{First: 11, Last: 15, State: feed.Underway})}}, false,
			[]string{"complete With the hub"}, "With the hub"},
		"posted": {15, &told{rows: []feed.Outcome{row(posted(11, 15, "WH/IN/00012"))}}, false,
			[]string{"complete In Odoo as WH/IN/00012, 14:05", "5 scans in Odoo as WH/IN/00012, 14:05."}, "In Odoo as WH/IN/00012"},
		"posted, and the line down": {15, &told{asOf: five(), rows: []feed.Outcome{row(posted(11, 15, "WH/IN/00012"))}}, true,
			[]string{"complete In Odoo as WH/IN/00012, 14:05"}, "In Odoo as WH/IN/00012 "},
		"posted as two, in two rows": {15, &told{rows: []feed.Outcome{row(posted(13, 15, "BL/2")), row(posted(11, 12, "WH/IN/00012"))}}, false,
			[]string{"5 in Odoo as WH/IN/00012, 14:05", "3 in Odoo as BL/2, 14:05", "5 scans in Odoo as WH/IN/00012, BL/2, 14:05."}, "In Odoo as WH/IN/00012 and 1 other"},
		"one line waits": {15, &told{rows: []feed.Outcome{row(posted(11, 14, "WH/IN/00012"), over(15, 15))}}, false,
			[]string{"complete In Odoo as WH/IN/00012, 14:05", "6 missing Waits with a person at the hub: more than was ordered (4 of 10)", "1 scan with a person at the hub: more than was ordered, 4 scans in Odoo as WH/IN/00012, 14:05."},
			"1 scan waits with a person at the hub"},
		"half of a line waits": {15, &told{rows: []feed.Outcome{row(posted(11, 11, "WH/IN/00012"), over(12, 12), posted(13, 15, "WH/IN/00012"))}}, false,
			[]string{"5 wait with a person at the hub: more than was ordered (8 of 8)", "3 in Odoo as WH/IN/00012, 14:05"}, "1 scan waits with a person at the hub"},
		"one taken out": {15, &told{rows: []feed.Outcome{row(posted(11, 14, "WH/IN/00012"), feed.OutcomeRun{First: 15, Last: 15, State: feed.Discarded, Why: "set apart."})}}, false,
			[]string{"6 missing Taken out at the hub: set apart Metformin", "1 scan taken out at the hub"}, "In Odoo as WH/IN/00012, 1 scan taken out at the hub"},
		"recorded before": {15, &told{rows: []feed.Outcome{row(feed.OutcomeRun{First: 11, Last: 15, State: feed.Repeated})}}, false,
			[]string{"complete Recorded before, counted once"}, "Recorded before, counted once"},
		"under other numbers, after a repair of the store": {15, &told{rows: []feed.Outcome{other(row(posted(1, 4, "WH/IN/00012"), over(5, 5)))}}, false,
			[]string{"complete – Salbutamol", "1 scan with a person at the hub: more than was ordered, 4 scans in Odoo as WH/IN/00012, 14:05."}, "1 scan waits with a person at the hub"},
		"short, with a backorder": {15, &told{asOf: five().Add(time.Minute), rows: []feed.Outcome{row(posted(11, 15, "WH/IN/00012"))},
			expected: &feed.Delivery{Name: "WH/IN/00013", Lines: []feed.DeliveryLine{{Ordered: units(24), Received: units(18)}}}}, false,
			[]string{"5 scans in Odoo as WH/IN/00012, 14:05. Odoo still expects 6 of this order, as WH/IN/00013."}, "In Odoo as WH/IN/00012"},
		"short, and not told anew yet": {15, &told{asOf: five().Add(-time.Minute), rows: []feed.Outcome{row(posted(11, 15, "WH/IN/00012"))},
			expected: &feed.Delivery{Name: "WH/IN/00012", Lines: []feed.DeliveryLine{{Ordered: units(24)}}}}, false,
			[]string{"5 scans in Odoo as WH/IN/00012, 14:05. As of"}, "In Odoo as WH/IN/00012"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := newDesk()
			d.sent, d.told, d.offline = c.sent, c.told, c.offline
			if _, err := d.Confirm(t.Context(), d.view.ID, "AB"); err != nil {
				t.Fatal(err)
			}
			_, url := serve(t, d)
			text := read(t, url+"/receipt/"+strings.ReplaceAll(delivery, "/", "%2F"))
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not on the receipt:\n%s", want, text)
				}
			}
			for _, path := range []string{"/receive", "/way"} {
				if text := read(t, url+path) + " "; !strings.Contains(text, " 18 "+c.list) {
					t.Errorf("%q is not in the list of %s:\n%s", c.list, path, text)
				}
			}
		})
	}
}

// How far the hub has confirmed a long receipt is found out by a few questions.
func TestALongReceiptThatIsHalfSent(t *testing.T) {
	d := newDesk()
	d.sent = 3000
	d.done = &counter.Receipt{View: d.view, Group: delivery, By: "AB", ConfirmedAt: time.Now(), Epoch: "0123456789abcdef", First: 1, Through: 5000}
	_, url := serve(t, d)
	text := read(t, url+"/receipt/"+strings.ReplaceAll(delivery, "/", "%2F"))
	if !strings.Contains(text, "2000 scans safe here and not yet sent, 3000 scans with the hub") {
		t.Error(text)
	}
	if n := d.asked.Load(); n > 60 {
		t.Errorf("it was asked %d times", n)
	}
}

// What was thrown away is nowhere.
func TestWhatWasThrownAwayIsNowhere(t *testing.T) {
	d := newDesk()
	d.told = &told{}
	d.done = &counter.Receipt{View: d.view, Group: delivery, Thrown: "twice", ConfirmedAt: time.Now()}
	_, url := serve(t, d)
	if text := read(t, url+"/receipt/"+strings.ReplaceAll(delivery, "/", "%2F")); !strings.Contains(text, "Thrown away") || strings.Contains(text, "Where it is") || strings.Contains(text, "with the hub") {
		t.Error(text)
	}
}

// The page of what is on its way lists what waits with a person at the hub, and
// why, as of when it was told.
func TestWhatWaitsAtTheHubIsListed(t *testing.T) {
	wait := func(i int, g feed.OutcomeGoods, why string) feed.Outcome {
		return feed.Outcome{Key: fmt.Sprint("w/aaaaaaaaaaaa/bulk/", i), Epoch: "aaaaaaaaaaaa", Lane: movement.Lane(1 + i%2), Goods: &g, Runs: []feed.OutcomeRun{{First: 1, Last: 1, State: feed.WithPerson, At: five().Unix(), Why: why}}}
	}
	d := newDesk()
	d.told = &told{asOf: five(), more: 7, waiting: []feed.Outcome{
		wait(1, feed.OutcomeGoods{Kind: movement.Receipt, Product: movement.Product{Scheme: movement.GTIN, Code: "04012345678910"}, Quantity: units(27), Lot: "S9",
			Document: movement.Document{Type: "order", Ref: "P00017"}, Detail: "order P00017 still expects 3 packs"}, "more than was ordered"),
		wait(2, feed.OutcomeGoods{Kind: movement.TransferOut, Product: movement.Product{Scheme: movement.PZN, Code: "01234567"}, Quantity: units(1)}, "the code is of no product that Odoo knows"),
		wait(4, feed.OutcomeGoods{}, "scanned before any order"), wait(6, feed.OutcomeGoods{}, "x"),
		wait(3, feed.OutcomeGoods{Detail: "the check digit is <wrong>"}, "the check digit is <wrong>"),
	}}
	d.told.waiting[2].Runs[0].Code = "no_open_delivery"
	for i := range 60 {
		d.told.waiting = append(d.told.waiting, wait(10+i, feed.OutcomeGoods{Quantity: units(1)}, "x"))
	}
	_, url := serve(t, d)
	text := read(t, url+"/way")
	for _, want := range []string{"72 lines wait until a person at the hub has looked", "Salbutamol 100 µg inhaler GTIN 04012345678910 · lot S9 · P00017 · till.csv, line 1 27 receipt More than was ordered. Order P00017 still expects 3 packs. 14:05 aaaaaaaaaaaa/bulk/1",
		"PZN 01234567 1 transfer out The code is of no product that Odoo knows. 14:05", "A row of an export till.csv, line 1 The check digit is <wrong>. 14:05", "A scan Scanned before any order. 14:05", "A code that could not be read X. 14:05", "22 lines more."} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page:\n%s", want, text)
		}
	}
	if strings.Contains(text, "As of") {
		t.Error("it says as of when though the hub is there")
	}
	d.offline = true
	if text := read(t, url+"/way"); !strings.Contains(text, "As of 14:05: the hub cannot be reached now.") {
		t.Error(text)
	}
	d.told = &told{asOf: five()}
	_, url = serve(t, d)
	if text := read(t, url+"/way"); strings.Contains(text, "person at the hub") {
		t.Error("it lists nothing: " + text)
	}
}

// Where a receipt is changes on the open page by itself, and fits the window of a
// PC, of a phone, and paper.
func TestTheReceiptFollowsByItself(t *testing.T) {
	d := newDesk()
	d.sent, d.told = 15, &told{asOf: five()}
	d.told.expected = &feed.Delivery{Name: "BR12/IN/00043", Lines: []feed.DeliveryLine{{Ordered: units(24), Received: units(18)}}}
	if _, err := d.Confirm(t.Context(), d.view.ID, "AB"); err != nil {
		t.Fatal(err)
	}
	d.told.waiting = []feed.Outcome{{Key: "w/0123456789abcdef/live/15", Runs: []feed.OutcomeRun{over(15, 15)}, Goods: &feed.OutcomeGoods{Kind: movement.Receipt,
		Product: movement.Product{Scheme: movement.GTIN, Code: "04012345678910"}, Quantity: units(4), Lot: "S9", Document: movement.Document{Type: "order", Ref: "P00017"},
		Detail: "order P00017 still expects 3 Units of Salbutamol 100 µg inhaler, and with this line of 4 it would be 7"}}}
	_, url := serve(t, d)
	page := uitest.Open(t, url+"/receipt/"+strings.ReplaceAll(delivery, "/", "%2F"))
	page.WaitText("With the hub")
	page.Shot("receipt-with-the-hub")
	d.told.tell(row(posted(11, 14, "BR12/IN/00042"), over(15, 15)))
	page.WaitText("more than was ordered (4 of 10)")
	page.Shot("receipt-waits")
	for _, path := range []string{"/receipt/" + strings.ReplaceAll(delivery, "/", "%2F"), "/receive", "/way"} {
		page.Size(390, 844)
		page.Go(url + path)
		page.Shot("phone-told-" + strings.Split(path, "/")[1])
		if wide := uitest.Eval[int](page, "document.documentElement.scrollWidth"); wide > 390 {
			t.Errorf("%s is %d wide on a phone of 390", path, wide)
		}
		page.Size(1366, 768)
		page.Go(url + path)
		page.Shot("told-" + strings.Split(path, "/")[1])
	}
}

// Everybody can use the pages with what the hub has told on them, and they fit a
// sheet of paper.
func TestEverybodyCanUseWhatTheHubTold(t *testing.T) {
	uitest.NeedAxe(t)
	d := newDesk()
	d.view.NotReady = true
	d.sent, d.told = 15, &told{asOf: five(), more: 3, rows: []feed.Outcome{row(posted(11, 12, "BR12/IN/00042"), over(13, 13), feed.OutcomeRun{First: 14, Last: 14, State: feed.Underway},
		feed.OutcomeRun{First: 15, Last: 15, State: feed.Discarded, Why: "set apart"})}}
	d.told.waiting = []feed.Outcome{{Key: "w/0123456789abcdef/live/13", Runs: []feed.OutcomeRun{over(13, 13)}, Goods: &feed.OutcomeGoods{Kind: movement.Receipt,
		Product: movement.Product{Scheme: movement.GTIN, Code: "04012345678910"}, Quantity: units(4), Lot: "S9", Detail: "order P00017 still expects 3 packs"}}}
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
	session := "/session/" + strings.ReplaceAll(delivery, "/", "%2F")
	open := []string{session, session + "/review"}
	look(1366, 768, open...)
	look(320, 640, open...)
	if _, err := d.Confirm(t.Context(), d.view.ID, "AB"); err != nil {
		t.Fatal(err)
	}
	done := []string{strings.Replace(session, "session", "receipt", 1), "/receive", "/way"}
	look(1366, 768, done...)
	look(320, 640, done...)
	page.Dark()
	look(1366, 768, done...)
	page.Print()
	page.Size(718, 1000) // A4 with margins of a centimetre, in CSS pixels
	page.Go(url + done[0])
	page.Shot("receipt-printed")
	if cut := uitest.Eval[bool](page, `[...document.querySelectorAll(".sheet")].some(e => e.scrollWidth > e.clientWidth)`); cut {
		t.Error("a table is cut off on paper")
	}
}
