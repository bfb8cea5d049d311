package web_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"branchline/hub/web"
	"branchline/internal/ui"
	"branchline/internal/ui/uitest"
)

// fullBoard is a board with something of everything.
func fullBoard() web.State {
	now := time.Now()
	return web.State{
		Branches: []web.Branch{
			{Code: "BR01", Name: "Riverside", Connected: true, Received: 120, LastMovement: now},
			{Code: "BR02", Since: now.Add(-130 * time.Minute), Unsent: 37, Exceptions: 5, Open: "1 delivery, 3 lines",
				Alarms: []string{"Export till: b.csv: the header has no column \"pzn\""}},
			{Code: "BR03"},
		},
		Exceptions: []web.ExceptionGroup{{Reason: "unknown_product", Count: 5, Oldest: now}},
		Latest:     []web.Exception{{ID: "BR02/aaaaaaaaaaaa/live/1", Branch: "BR02", Text: "<script>x</script>", Raw: "\x1d10A", Since: now}},
		Postings:   web.Postings{Latest: []web.Posting{{Name: "BL/BR01/1", State: "posted", At: now}}},
	}
}

// The board can be used by everybody, on an old PC and on a phone.
func TestEverybodyCanUseTheBoard(t *testing.T) {
	uitest.NeedAxe(t)
	board, err := web.Handler(func() (web.State, error) { return fullBoard(), nil }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", board)
	mux.Handle("/ui/", ui.Assets("/ui/"))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	page := uitest.Open(t, server.URL)
	look := func(width, height int64, name string) {
		t.Helper()
		page.Size(width, height)
		page.Go(server.URL)
		page.Shot(name)
		if found := page.Unusable(width); found != "" {
			t.Errorf("at %d:\n%s", width, found)
		}
	}
	look(1366, 768, "board")
	look(320, 640, "board-phone")
	page.Dark()
	look(1366, 768, "board-dark")
}

func TestBoard(t *testing.T) {
	full := fullBoard()
	cases := map[string]struct {
		state web.State
		want  []string
	}{
		"empty":   {web.State{}, []string{"No branch is configured", "Nothing waits for a person", "Odoo does not answer"}},
		"full":    {full, []string{"Riverside", "Silent for 2 h 10 min", "≥ 37", "open: 1 delivery, 3 lines", "the header has no column", "Never seen", "unknown_product", "&lt;script&gt;", "BL/BR01/1"}},
		"trouble": {web.State{Odoo: web.Odoo{Trouble: "connection refused"}}, []string{"Odoo: connection refused."}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h, err := web.Handler(func() (web.State, error) { return c.state, nil }, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			body, _ := io.ReadAll(w.Result().Body)
			if w.Code != 200 || !strings.HasSuffix(strings.TrimSpace(string(body)), "</html>") {
				t.Fatalf("status %d, page cut", w.Code)
			}
			for _, want := range c.want {
				if !strings.Contains(string(body), want) {
					t.Errorf("%q is not on the page", want)
				}
			}
			if strings.Contains(string(body), "<script>x") {
				t.Error("markup from outside is not escaped")
			}
		})
	}
}
