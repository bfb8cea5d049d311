package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/room/roomtest"
	"branchline/hub/web"
	"branchline/internal/ui"
	"branchline/internal/ui/uitest"
	"branchline/internal/wire"
)

// newChain is a desk with the real board of a chain. What is sent to changed is told
// to open pages.
func newChain(t testing.TB, branches, each int) (d *roomtest.Desk, url string, changed chan struct{}) {
	t.Helper()
	d = roomtest.New(t)
	d.Chain(branches, each)
	d.Posted(min(branches, 20))
	d.Add("ann", access.Operator)
	changed = make(chan struct{}, 1)
	site, err := web.New(web.Options{Room: d, Access: d.Access, People: d.Ledger, Changed: changed, Version: "test", Log: d.Log})
	d.Must(err)
	mux := http.NewServeMux()
	mux.Handle("/", site)
	mux.Handle("/ui/", ui.Assets("/ui/"))
	server := httptest.NewServer(mux)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- site.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		server.Close()
	})
	return d, server.URL, changed
}

// asked gets the board with a token, as a page does that has some rows already.
func asked(t testing.TB, url, token, have string) (body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if have != "" {
		req.Header.Set("X-Live", "1")
		req.Header.Set("X-Have", have)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%s: %d, %v", url, res.StatusCode, err)
	}
	return string(text)
}

// marksIn are the marks of a page's rows.
func marksIn(body string) string {
	var all []string
	for _, part := range strings.Split(body, ` data-mark="`)[1:] {
		mark, _, _ := strings.Cut(part, `"`)
		all = append(all, mark)
	}
	return strings.Join(all, " ")
}

// Only the rows travel that have changed, and the order of all.
func TestOnlyChangedRowsTravel(t *testing.T) {
	d, url, _ := newChain(t, 120, 5)
	see := d.Token("ann", access.See)
	all := asked(t, url+"/?sort=code", see, "")
	if n := strings.Count(all, "<tbody data-key="); n != 100 {
		t.Fatalf("%d rows on the page", n)
	}
	again := asked(t, url+"/?sort=code", see, marksIn(all))
	if n := strings.Count(again, "<tbody data-key="); n != 0 || !strings.Contains(again, `data-rows="BR0001 BR0002 `) {
		t.Errorf("%d rows travel though nothing has changed", n)
	}
	for name, have := range map[string]string{"garbage": "<script> ../.. \x00", "too much": strings.Repeat("x ", 8000)} {
		if n := strings.Count(asked(t, url+"/", see, strings.ReplaceAll(have, "\x00", "")), "<tbody data-key="); n != 100 {
			t.Errorf("%s: %d rows", name, n)
		}
	}
}

// madeAnew names the rows that were made anew and say the same as before. On a slow
// machine a minute passes, and a row says so.
const madeAnew = `[...document.querySelectorAll("[data-key]")].filter(e => !e.was && e.dataset.mark === window.marks[e.dataset.key]).map(e => e.dataset.key).join(" ")`

// A row that changes is put in its place on the open page; the others, the focus and
// what somebody is typing stay.
func TestTheOpenBoardFollows(t *testing.T) {
	d, url, changed := newChain(t, 30, 5)
	page := uitest.Open(t, url+"/?sort=code")
	page.Click("#login")
	page.Type("ann")
	page.Click("#password")
	page.Type(roomtest.Password)
	page.Press(uitest.Enter)
	page.WaitText("BR0030")
	page.Wait(`(document.querySelectorAll("[data-key]").forEach(e => e.was = e.dataset.mark), window.marks = Object.fromEntries([...document.querySelectorAll("[data-key]")].map(e => [e.dataset.key, e.dataset.mark])), document.getElementById("b-BR0005").focus(), true)`)

	d.Heard("BR0005", wire.State{Unsent: 4711, At: time.Now()})
	changed <- struct{}{}
	page.WaitText("4711")
	if anew := uitest.Eval[string](page, madeAnew); anew != "" {
		t.Errorf("%s are made anew, though nothing has changed there", anew)
	}
	if at := uitest.Eval[string](page, `document.activeElement.id`); at != "b-BR0005" {
		t.Errorf("the focus is at %q", at)
	}

	// What comes to need help goes to the top; the others are moved, not made anew.
	page.Go(url + "/")
	page.Wait(`(document.querySelectorAll("[data-key]").forEach(e => e.was = e.dataset.mark), window.marks = Object.fromEntries([...document.querySelectorAll("[data-key]")].map(e => [e.dataset.key, e.dataset.mark])), document.getElementById("b-BR0009").focus(), true)`)
	d.Heard("BR0029", wire.State{Unsent: 2, At: time.Now(), OldestUnsent: time.Now().Add(-90 * time.Minute)})
	changed <- struct{}{}
	page.Wait(`document.querySelector("[data-key]").dataset.key === "BR0029"`)
	page.Wait(`document.getElementById("branches").dataset.rows === [...document.querySelectorAll("[data-key]")].map(e => e.dataset.key).join(" ")`)
	if anew := uitest.Eval[string](page, madeAnew); anew != "" {
		t.Errorf("%s are made anew, though nothing has changed there", anew)
	}
	if at := uitest.Eval[string](page, `document.activeElement.id`); at != "b-BR0009" {
		t.Errorf("the focus is at %q", at)
	}

	// By the keyboard alone: search, type, and go to the branch.
	page.Type("/")
	page.Type("BR0007")
	d.Heard("BR0006", wire.State{Unsent: 4712, At: time.Now()})
	changed <- struct{}{}
	page.WaitText("4712")
	if typed := uitest.Eval[string](page, `document.activeElement.value`); typed != "BR0007" {
		t.Errorf("typed is %q", typed)
	}
	page.Press(uitest.Enter)
	page.Wait(`document.querySelectorAll("[data-key]").length === 1`)
	page.Wait(`(document.getElementById("b-BR0007").focus(), true)`)
	page.Press(uitest.Enter)
	page.WaitText("Movements per hour")
}

// The board of a chain and of a small shop, and a branch's page, can be used by
// everybody.
func TestEverybodyCanUseTheBoard(t *testing.T) {
	uitest.NeedAxe(t)
	d, url, _ := newChain(t, 200, 20)
	now := time.Now()
	d.Heard("BR0018", wire.State{Version: script, Config: script, At: now, Started: now, Alarms: []wire.Alarm{{Text: script}}, Unsent: 4, OldestUnsent: now,
		Scanners: []wire.ScannerState{{Name: script, Reason: script}}, Adapters: []wire.AdapterState{{Name: script, State: script, Reason: script, Open: 2}}})
	for i, c := range []ledger.LineChange{{Online: true}, {Why: "the connection was cut"}, {Online: true}, {Why: script}} {
		c.Branch, c.At = "BR0018", now.Add(-time.Duration(4-i)*17*time.Hour)
		d.LineChanged(c)
	}
	if body := asked(t, url+"/branches/BR0018", d.Token("ann", access.See), ""); strings.Contains(body, "<script>alert") || strings.Count(body, "&lt;script&gt;") < 8 {
		t.Errorf("what a branch says of itself is not text:\n%s", body)
	}
	page := uitest.Open(t, url)
	page.Click("#login")
	page.Type("ann")
	page.Click("#password")
	page.Type(roomtest.Password)
	page.Press(uitest.Enter)
	page.WaitText("Need attention")
	look := func(width, height int64, suffix string) {
		t.Helper()
		page.Size(width, height)
		for path, name := range map[string]string{"/": "chain", "/?state=devices&group=South": "chain-devices", "/?q=nowhere": "chain-none",
			"/branches/BR0018": "branch-silent", "/branches/BR0052": "branch-held", "/branches/BR0004": "branch-waits", "/branches/none": "branch-none"} {
			page.Go(url + path)
			page.Shot(name + suffix)
			if found := page.Unusable(width); found != "" {
				t.Errorf("%s at %d%s:\n%s", path, width, suffix, found)
			}
		}
	}
	look(1366, 768, "")
	look(820, 1180, "-tablet")
	look(390, 844, "-phone")
	page.Dark()
	look(1366, 768, "-dark")
}
