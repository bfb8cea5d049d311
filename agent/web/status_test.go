package web_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"branchline/agent/scan"
	"branchline/agent/web"
)

func show(t *testing.T, s web.State) string {
	return page(t, s).show()
}

// branch is a page of one state.
type branch struct {
	*web.Page
	t *testing.T
}

func page(t *testing.T, s web.State) branch {
	p, err := web.New(web.Options{State: func() web.State { return s }, Desk: newDesk(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return branch{p, t}
}

func (p branch) show() string {
	t := p.t
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/way", nil))
	body, _ := io.ReadAll(w.Result().Body)
	if w.Code != 200 || !strings.HasSuffix(strings.TrimSpace(string(body)), "</html>") {
		t.Fatalf("status %d, page cut: %s", w.Code, body)
	}
	return string(body)
}

func TestStatusSaysWhatIsSafe(t *testing.T) {
	now := time.Now()
	cases := map[string]struct {
		state web.State
		want  []string
	}{
		"all sent": {web.State{Hub: web.Hub{Connected: true}}, []string{"Everything scanned and read is at the hub", "Connected · all sent", "Nothing waits"}},
		"all sent, but one open": {web.State{Hub: web.Hub{Connected: true}, Open: []web.Open{{Document: "P00017", Since: now.Add(-time.Hour), Lines: 2, Packs: "14", Stations: []string{"goods-in", "front"}, Next: "Scan BL-CONFIRM."}}},
			[]string{"safe on this PC, and not yet confirmed", "Connected · 1 open", "P00017", ">14<", "goods-in, front", "Scan BL-CONFIRM."}},
		"one open, some unsent": {web.State{Unsent: 1, OldestUnsent: now, Hub: web.Hub{Connected: true}, Open: []web.Open{{Document: "P00017"}, {Document: "x", Kind: "count"}}},
			[]string{"1 movement is on", "P00017", ">count<", "Sent when somebody confirms it"}},
		"on its way": {web.State{Unsent: 3, OldestUnsent: now, Hub: web.Hub{Connected: true}},
			[]string{"3 movements are on their way"}},
		"offline": {web.State{Unsent: 214, OldestUnsent: now, Hub: web.Hub{Since: now, Trouble: "no route to host"}},
			[]string{"214 movements are kept safely here", "no route to host", "Offline since"}},
		"alarm":        {web.State{Alarms: []string{"The disk is full."}}, []string{"Something needs a person", "The disk is full.", "1 alarm ·"}},
		"scanner down": {web.State{Scanners: []web.Device{{Name: "counter", Detail: "unplugged", Since: now}}}, []string{"counter", "unplugged", "Down since"}},
		"an export":    {web.State{Exports: []web.Export{{Name: "till", Up: true, Good: 12, Bad: 2, LastFile: "a.csv", LastFinished: now}}}, []string{"a.csv", "12"}},
		"a file with a name": {web.State{Exports: []web.Export{{Name: "till", Withheld: []web.WithheldFile{{Name: "Erika.csv", Told: "withheld-12.csv"}}}}},
			[]string{"1 file has a name that the hub does not get", "Erika.csv", "at the hub: withheld-12.csv"}},
		"texts that do not fit": {web.State{Exports: []web.Export{{Name: "till", Unfit: []web.UnfitRows{{Field: "lot", Rows: 1}, {Field: "reason", Rows: 2, LeftOut: true}}}}},
			[]string{"Texts that do not fit", "1 row: lot<small>set aside", "2 rows: reason<small>recorded without it"}},
		"script in names": {web.State{Branch: "<script>x</script>", Exports: []web.Export{{Name: `"><img src=x>`}}}, []string{"&lt;script&gt;"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			body := show(t, c.state)
			for _, want := range c.want {
				if !strings.Contains(body, want) {
					t.Errorf("%q is not on the page:\n%s", want, body)
				}
			}
			if strings.Contains(body, "<script>x") || strings.Contains(body, "<img src=x") {
				t.Error("markup from outside is not escaped")
			}
			if len(c.state.Open) > 0 && (strings.Contains(body, "Nothing waits") || strings.Contains(body, "all sent<")) {
				t.Error("it says that nothing waits, though something is open")
			}
		})
	}
}

// The answer to a scan is on the page at once, with its sound in words, and
// open pages hear it.
func TestAnswers(t *testing.T) {
	p := page(t, web.State{Scanners: []web.Device{{Name: "goods-in", Up: true}, {Name: "front", Up: true}}})
	server := httptest.NewServer(p)
	defer server.Close()
	res, err := http.Get(server.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Scan() // it is open
	p.Beep("goods-in", scan.Answer{Sound: scan.OK, Text: "gtin 04012345678901"})
	p.Beep("front", scan.Answer{Sound: scan.Warn, Code: "expired", Text: "<b>expired</b>"})
	p.Beep("goods-in", scan.Answer{Sound: scan.Refused, Code: "serial_twice", Text: "not counted"})
	var events []string
	for len(events) < 3 && lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: {\""); ok {
			events = append(events, data)
		}
	}
	for i, want := range []string{`"sound":"ok"`, `"scanner":"front"`, `"sound":"refused"`} {
		if !strings.Contains(events[i], want) {
			t.Errorf("event %d is %s, want %s", i, events[i], want)
		}
	}
	body := p.show()
	for _, want := range []string{"answer refused", "Not counted.", "Not counted", "&lt;b&gt;expired", ">Look<"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not on the page:\n%s", want, body)
		}
	}
	if strings.Contains(body, "04012345678901") {
		t.Error("the answer before the last is still there")
	}
}

// A command barcode is no scan that counts, and what was taken back least of all.
func TestACommandIsDoneAndNotCounted(t *testing.T) {
	p := page(t, web.State{Scanners: []web.Device{{Name: "goods-in", Up: true}}})
	for _, c := range []struct {
		answer    scan.Answer
		want, not string
	}{
		{scan.Answer{Sound: scan.OK, Text: "lot A77B12"}, ">Counted<", ">Done<"},
		{scan.Answer{Sound: scan.OK, Action: true, Text: "taken back: lot A77B12"}, ">Done<", ">Counted<"},
		{scan.Answer{Sound: scan.Refused, Action: true, Text: "nothing is open at this scanner"}, ">Not done<", ">Not counted<"},
	} {
		p.Beep("goods-in", c.answer)
		if body := p.show(); !strings.Contains(body, c.want) || strings.Contains(body, c.not) {
			t.Errorf("%q: %s is not on the page, or %s is:\n%s", c.answer.Text, c.want, c.not, body)
		}
	}
}

// A page asks for the state once: it is gathered from the disk and from all
// stages.
func TestAPageAsksForTheStateOnce(t *testing.T) {
	asked := 0
	p, err := web.New(web.Options{State: func() web.State { asked++; return web.State{Branch: "BR01"} }, Desk: newDesk(),
		Stations: func(scan.Purpose) []string { return nil }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/way", "/scanners", "/sheet", "/receive", "/lookup"} {
		asked = 0
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != 200 || asked != 1 || !strings.Contains(w.Body.String(), "BR01") {
			t.Errorf("%s: status %d, the state was asked %d times", path, w.Code, asked)
		}
	}
}

// A browser that has the script is not sent it again.
func TestTheScriptIsSentOnce(t *testing.T) {
	p := page(t, web.State{})
	first := httptest.NewRecorder()
	p.ServeHTTP(first, httptest.NewRequest("GET", "/counter.js", nil))
	again := httptest.NewRequest("GET", "/counter.js", nil)
	again.Header.Set("If-None-Match", first.Header().Get("ETag"))
	w := httptest.NewRecorder()
	p.ServeHTTP(w, again)
	if first.Code != 200 || first.Header().Get("Content-Type") != "text/javascript; charset=utf-8" || w.Code != 304 {
		t.Errorf("first %d %v, again %d", first.Code, first.Header(), w.Code)
	}
}

// What the content security policy forbids is on no page.
func TestPagesHoldNoInlineStyleOrScript(t *testing.T) {
	files, err := filepath.Glob("pages/*.html")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, no := range []string{"style=", "<style", "onclick=", "<script>", "://"} {
			if strings.Contains(string(b), no) {
				t.Errorf("%s holds %s", f, no)
			}
		}
	}
}

// At the end open pages are let go.
func TestPagesEndWithTheAgent(t *testing.T) {
	p := page(t, web.State{})
	server := httptest.NewServer(p)
	defer server.Close()
	res, err := http.Get(server.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	end()
	<-done
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Error(err)
	}
}
