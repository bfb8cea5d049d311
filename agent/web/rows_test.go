package web_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/agent/web"
	"branchline/internal/fault"
	"branchline/internal/ui"
	"branchline/internal/ui/uitest"
)

// rowBook is rows as the adapters give them.
type rowBook struct {
	mu   sync.Mutex
	rows []web.BadRow
	did  []string
	// settled are those of the hub.
	settled []web.SettledRow
}

func (b *rowBook) SettledAtHub() []web.SettledRow { return b.settled }

func (b *rowBook) all() []web.BadRow {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.rows)
}

func (b *rowBook) List(from, n int) ([]web.BadRow, int, error) {
	all := b.all()
	rest := all[min(from, len(all)):]
	return rest[:min(n, len(rest))], len(all), nil
}

func (b *rowBook) DismissFile(ctx context.Context, export, file, by, why string) (n int, err error) {
	for _, r := range b.all() {
		if r.Export == export && r.File == file && err == nil {
			n++
			err = b.Dismiss(ctx, r.ID, by, why)
		}
	}
	return n, err
}

func (b *rowBook) Get(id string) (web.BadRow, error) {
	for _, r := range b.all() {
		if r.ID == id {
			r.Columns = slices.Clone(r.Columns)
			return r, nil
		}
	}
	return web.BadRow{}, fault.New(fault.Data, "no_row", "the row is not on the list")
}

func (b *rowBook) Check(id string, values []string) (string, error) {
	if r, _ := b.Get(id); len(r.Columns) == 0 {
		return r.Says, nil
	}
	if values[1] != "12" {
		return "", fault.New(fault.Data, "bad_quantity", "quantity %q is no number", values[1])
	}
	return "dispense 12 of PZN 01234562", nil
}

func (b *rowBook) Correct(_ context.Context, id string, values []string, by, why string) error {
	return b.settle(id, fmt.Sprintf("correct %s %v", id, values), by, why)
}

func (b *rowBook) Dismiss(_ context.Context, id, by, why string) error {
	return b.settle(id, "dismiss "+id, by, why)
}

func (b *rowBook) settle(id, what, by, why string) error {
	if by == "" {
		return fault.New(fault.Data, "no_initials", "whose work is it")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = slices.DeleteFunc(b.rows, func(r web.BadRow) bool { return r.ID == id })
	b.did = append(b.did, what+" by "+by+": "+why)
	return nil
}

func (b *rowBook) said() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.did, "\n")
}

func newRows() *rowBook {
	columns := []web.RowColumn{{Name: "PZN", Value: "01234562"}, {Name: "Menge", Value: "zwölf"}, {Name: "Datum", Value: "23.11.2026 09:14"}, {Name: "Beleg", Value: "B-2207"}, {Name: "Pos", Value: "3"}}
	row := func(id, file string, line int64, why, says string, c []web.RowColumn) web.BadRow {
		return web.BadRow{ID: id, Export: "till", File: file, Line: line, Read: time.Now().Add(-time.Minute), Why: why, Says: says, Columns: c}
	}
	return &rowBook{rows: []web.BadRow{
		row("aa", "sales-20261123.csv", 14, `quantity "zwölf" is not a number with "," as its decimal sign`, "", columns),
		row("bb", "sales-20261123.csv", 27, "5000 at once is more than the 1000 that a row is expected to be", "dispense 5000 of PZN 01234562, 23 November 2026 09:20", columns),
		row("cc", "sales-20261122.csv", 3, "line 3 of sales-20261122.csv has the same key as line 9 of sales-20261121.csv, but says something else", "dispense 2 of PZN 01234562", nil),
		row("dd", "sales-20261120.csv", 8, "the row has 7 columns, not 6", "", []web.RowColumn{{Name: "PZN"}, {Name: "Menge"}}),
		row("ee", "sales-20261120.csv", 9, "the row has 7 columns, not 6", "", []web.RowColumn{{Name: "PZN"}, {Name: "Menge"}}),
	}}
}

func serveRows(t *testing.T, b *rowBook) string {
	site, err := web.New(web.Options{Rows: b, Desk: newDesk(), Log: slog.New(slog.DiscardHandler), State: func() web.State {
		return web.State{Branch: "Branch 12", Hub: web.Hub{Connected: true, Since: time.Now()},
			Exports: []web.Export{{Name: "till", Folder: "/srv/till", Up: true, Good: 412, Bad: 5, Open: len(b.all()), LastFile: "sales-20261123.csv", LastFinished: time.Now()}}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", site)
	mux.Handle("/ui/", ui.Assets("/ui/"))
	server := httptest.NewServer(mux)
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- site.Run(ctx) }()
	t.Cleanup(func() { end(); <-done; server.Close() })
	return server.URL
}

// A row is corrected and another dismissed, from the list, by the keyboard only.
func TestRowsAreSettledOnThePage(t *testing.T) {
	b := newRows()
	url := serveRows(t, b)
	page := uitest.Open(t, url+"/way")
	page.WaitText("5 to settle")
	page.Go(url + "/rows")
	page.WaitText("5 rows wait for a person")
	page.Shot("rows")
	focus := func(selector string) {
		t.Helper()
		uitest.Eval[string](page, "document.querySelector("+fmt.Sprintf("%q", selector)+").focus(), ''")
	}
	focus("#row-aa")
	page.Press(uitest.Enter)
	page.WaitText("Line 14 of sales-20261123.csv")
	page.Shot("row")
	focus("#v1")
	page.Press(uitest.Enter) // it is checked as it is
	page.WaitText(`Quantity "zwölf" is no number.`)
	if got := uitest.Eval[string](page, "document.getElementById('v1').value"); got != "zwölf" {
		t.Errorf("the field holds %q", got)
	}
	page.Shot("row-wrong")
	uitest.Eval[string](page, "document.getElementById('v1').value = '12'")
	focus("#v1")
	page.Press(uitest.Enter)
	page.WaitText("It will be recorded as: dispense 12 of PZN 01234562")
	if said := b.said(); said != "" {
		t.Errorf("recorded before it was seen: %s", said)
	}
	page.Shot("row-checked")
	focus("#why")
	page.Type("the receipt says 12")
	focus("#by")
	page.Type("AB")
	page.Press(uitest.Enter)
	page.WaitText("Line 14 of sales-20261123.csv is corrected, and safe on this PC.")
	page.WaitText("4 rows wait for a person")
	page.Go(url + "/rows/cc")
	page.Shot("row-conflict")
	focus("#dismiss-why")
	page.Type("entered twice")
	page.Press(uitest.Enter) // the initials are remembered
	page.WaitText("3 rows wait for a person")
	page.Go(url + "/rows/dd")
	page.WaitText("Nothing of the row was kept")
	want := "correct aa [01234562 12 23.11.2026 09:14 B-2207 3] by AB: the receipt says 12\ndismiss cc by AB: entered twice"
	if said := b.said(); said != want {
		t.Errorf("did %s", said)
	}
	page.Size(390, 844)
	for _, path := range []string{"/rows", "/rows/bb"} {
		page.Go(url + path)
		page.Shot("phone" + strings.ReplaceAll(path, "/", "-"))
		if wide := uitest.Eval[int](page, "document.documentElement.scrollWidth"); wide > 390 {
			t.Errorf("%s is %d wide on a phone of 390", path, wide)
		}
	}
}

func TestRowsWithoutScripts(t *testing.T) {
	b := newRows()
	url := serveRows(t, b)
	post := func(path string, form map[string][]string) int {
		t.Helper()
		res, err := http.PostForm(url+path, form)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	values := []string{"01234562", "12", "23.11.2026 09:14", "B-2207", "3"}
	for name, c := range map[string]struct {
		path   string
		form   map[string][]string
		status int
	}{
		"recorded unseen":               {"/rows/aa", map[string][]string{"v": values, "do": {"record"}, "by": {"AB"}, "why": {"x"}}, 200},
		"recorded otherwise than seen":  {"/rows/aa", map[string][]string{"v": values, "do": {"record"}, "by": {"AB"}, "why": {"x"}, "seen": {"v=1"}}, 200},
		"still wrong":                   {"/rows/aa", map[string][]string{"v": {"1", "2"}, "do": {"check"}}, 422},
		"a row that is not on the list": {"/rows/zz", map[string][]string{"v": values}, 404},
		"dismissed by nobody":           {"/rows/aa/dismiss", map[string][]string{"why": {"x"}}, 409},
		"nobody's dismissal of another": {"/rows/zz/dismiss", map[string][]string{"why": {"x"}, "by": {"AB"}}, 404},
		"all of a file, by nobody":      {"/rows/dismiss", map[string][]string{"export": {"till"}, "file": {"sales-20261120.csv"}, "why": {"x"}}, 409},
	} {
		if got := post(c.path, c.form); got != c.status || b.said() != "" {
			t.Errorf("%s: %d, did %s", name, got, b.said())
		}
	}
	if got := post("/rows/dismiss", map[string][]string{"export": {"till"}, "file": {"sales-20261120.csv"}, "why": {"old"}, "by": {"AB"}}); got != 200 ||
		b.said() != "dismiss dd by AB: old\ndismiss ee by AB: old" {
		t.Errorf("%d, did %s", got, b.said())
	}
}

// More rows than a page has are on others; a file's rows are dismissed on all.
func TestRowsOnSeveralPages(t *testing.T) {
	b := newRows()
	one := b.rows[0]
	one.File, one.Local, b.rows = "withheld-1234567890abcdef.csv", "Musterfrau.csv", nil
	for i := range 450 {
		one.ID, one.Line = fmt.Sprintf("r%03d", i), int64(i+2)
		b.rows = append(b.rows, one)
	}
	url := serveRows(t, b)
	page := uitest.Open(t, url+"/rows")
	page.WaitText("450 rows wait for a person")
	page.WaitText("Rows 1 to 200 of 450")
	page.WaitText("The hub knows this file as withheld-1234567890abcdef.csv")
	page.Click("#older")
	page.WaitText("Rows 201 to 400 of 450")
	uitest.Eval[string](page, "scrollTo(0, document.body.scrollHeight), ''")
	page.Shot("rows-second-page")
	page.Click("#older")
	page.WaitText("Rows 401 to 450 of 450")
	if uitest.Eval[bool](page, "!!document.querySelector('#older')") {
		t.Error("there is a page behind the last")
	}
	page.WaitText("Line 451")
	uitest.Eval[string](page, "document.querySelector('#newer').focus(), ''")
	page.Press(uitest.Enter)
	page.WaitText("Rows 201 to 400 of 450")
	page.Size(390, 844)
	uitest.Eval[string](page, "scrollTo(0, document.body.scrollHeight), ''")
	page.Shot("phone-rows-second-page")
	if wide := uitest.Eval[int](page, "document.documentElement.scrollWidth"); wide > 390 {
		t.Errorf("%d wide on a phone of 390", wide)
	}
	page.Go(url + "/rows?from=9999")
	page.WaitText("Rows 1 to 200 of 450")
	for _, odd := range []string{"-1", "x", "99999999999999999999"} {
		page.Go(url + "/rows?from=" + odd)
		page.WaitText("450 rows wait for a person")
	}
	res, err := http.PostForm(url+"/rows/dismiss", map[string][]string{"export": {"till"}, "file": {one.File}, "why": {"old"}, "by": {"AB"}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	page.Go(url + "/rows")
	page.WaitText("No row waits for a person")
}

// The pages of rows can be used by everybody, as all others.
func TestEverybodyCanSettleRows(t *testing.T) {
	uitest.NeedAxe(t)
	url := serveRows(t, newRows())
	page := uitest.Open(t, url+"/rows")
	look := func(width, height int64) {
		t.Helper()
		page.Size(width, height)
		for _, path := range []string{"/way", "/rows", "/rows/aa", "/rows/cc", "/rows/dd"} {
			page.Go(url + path)
			if found := page.Unusable(width); found != "" {
				t.Errorf("%s at %d:\n%s", path, width, found)
			}
		}
		page.Go(url + "/rows/aa")
		page.Click("#check")
		page.WaitText("is no number")
		if found := page.Unusable(width); found != "" {
			t.Errorf("a row that is still wrong at %d:\n%s", width, found)
		}
	}
	look(1366, 768)
	look(320, 640)
	page.Dark()
	look(1366, 768)
}

// What people at the hub have settled is no task, and says who has done what.
func TestRowsThatAreSettledAtTheHub(t *testing.T) {
	b := newRows()
	b.rows = nil
	b.settled = []web.SettledRow{{Export: "till", File: "sales-20261123.csv", Line: 14, Was: "quantity <zwölf> is not a number", As: "discarded", Who: "anna", Why: "a test of the till", At: five()}}
	url := serveRows(t, b)
	if got := read(t, url+"/rows"); !strings.Contains(got, "No row waits for a person") || !strings.Contains(got,
		"Settled at the hub Nothing is left to do for these here. Row Why it was set aside What was done Line 14 of sales-20261123.csv till Quantity <zwölf> is not a number. discarded at the hub by anna, 14:05 : A test of the till.") {
		t.Error(got)
	}
	page := uitest.Open(t, url+"/rows")
	page.Shot("rows-settled")
	page.Size(390, 844)
	page.Go(url + "/rows")
	page.Shot("phone-rows-settled")
	if wide := uitest.Eval[int](page, "document.documentElement.scrollWidth"); wide > 390 {
		t.Errorf("it is %d wide on a phone of 390", wide)
	}
}
