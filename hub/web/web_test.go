package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/room"
	"branchline/hub/room/roomtest"
	"branchline/hub/web"
	"branchline/internal/ui"
)

// desk is a control room with a site, and a board of the test's own.
type desk struct {
	*roomtest.Desk
	t     *testing.T
	site  *web.Site
	url   string
	shown room.Board
	// real shows the room's own board in its place.
	real bool
}

func (d *desk) Board(ctx context.Context, f room.BranchFilter) (room.Board, error) {
	if d.real {
		return d.Desk.Board(ctx, f)
	}
	return d.shown, nil
}

func (d *desk) Odoo() room.Odoo { return d.shown.Odoo }

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{Desk: roomtest.New(t), t: t}
	d.open(d.Access)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { d.site.ServeHTTP(w, r) })
	mux.Handle("/ui/", ui.Assets("/ui/"))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// open makes the site with who may do what in it.
func (d *desk) open(a *access.Access) {
	d.t.Helper()
	d.Access = a
	var err error
	d.site, err = web.New(web.Options{Room: d, Access: a, People: d.Ledger, Version: "test", Log: d.Log})
	d.Must(err)
}

const good = roomtest.Password

// browser keeps cookies and follows nowhere.
type browser struct {
	*http.Client
	d *desk
}

func (d *desk) browser() *browser {
	jar, err := cookiejar.New(nil)
	d.Must(err)
	return &browser{&http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, d}
}

// as is a browser in which the person has signed in.
func (d *desk) as(login, pass string) *browser {
	d.t.Helper()
	b := d.browser()
	if status, body, _ := b.post("/sign-in", url.Values{"login": {login}, "password": {pass}}); status != http.StatusSeeOther {
		d.t.Fatalf("%d: %s", status, body)
	}
	return b
}

func (b *browser) get(path string) (status int, body, to string) {
	b.d.t.Helper()
	res, err := b.Get(b.d.url + path)
	b.d.Must(err)
	return b.read(res)
}

func (b *browser) post(path string, form url.Values) (status int, body, to string) {
	b.d.t.Helper()
	res, err := b.PostForm(b.d.url+path, form)
	b.d.Must(err)
	return b.read(res)
}

func (b *browser) read(res *http.Response) (status int, body, to string) {
	b.d.t.Helper()
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	b.d.Must(err)
	return res.StatusCode, string(text), res.Header.Get("Location")
}

// fullBoard is a board with something of everything.
func fullBoard() room.Board {
	now := time.Now()
	return room.Board{
		Branches: []room.Row{
			{Code: "BR01", Name: "Riverside", Connected: true, Received: 120, LastMovement: now},
			{Code: "BR02", Name: script, Since: now.Add(-130 * time.Minute), Unsent: 37, Exceptions: 5, Open: "1 delivery, 3 lines", Version: script, Need: room.NeedsHelp,
				ScannersDown: []string{"counter 2" + script}, Why: script, BadRows: 3, Groups: []string{script}, OnItsWay: now.Add(-time.Hour),
				Alarms: []string{"Export till: b.csv: the header has no column \"pzn\""}},
			{Code: "BR03"},
		},
		Exceptions: []room.ExceptionGroup{{Reason: "unknown_product", Count: 5, Oldest: now}},
		All:        3, Page: 1, Pages: 1, Groups: []string{script},
	}
}

func TestBoard(t *testing.T) {
	d := newDesk(t)
	d.Add("ann", access.Operator)
	ann := d.as("ann", good)
	cases := map[string]struct {
		board room.Board
		want  []string
	}{
		"empty":   {room.Board{}, []string{"No branch is configured", "Nothing waits for a person", "Odoo does not answer"}},
		"full":    {fullBoard(), []string{"Riverside", "Silent for <time", ">2 h 10 min</time>", "≥ 37", "open: 1 delivery, 3 lines", "the header has no column", "Never seen", ">The code is of no product that Odoo knows</a><small><code>unknown_product</code>", "&lt;script&gt;", "scanner counter 2", "3 rows to look at", `data-rows="BR01 BR02 BR03"`, `href="/branches/BR02"`}},
		"trouble": {room.Board{Odoo: room.Odoo{Trouble: "connection refused"}}, []string{"Odoo: connection refused."}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d.shown = c.board
			status, body, _ := ann.get("/")
			if status != 200 || !strings.HasSuffix(strings.TrimSpace(body), "</html>") {
				t.Fatalf("status %d, page cut", status)
			}
			for _, want := range c.want {
				if !strings.Contains(body, want) {
					t.Errorf("%q is not on the page", want)
				}
			}
			if strings.Contains(body, "<script>alert") {
				t.Error("markup from outside is not escaped")
			}
		})
	}
}
