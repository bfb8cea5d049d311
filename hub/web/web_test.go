package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/room"
	"branchline/hub/web"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/ui"
)

// desk is a control room with a real ledger, for people and tokens, and a board
// of the test's own.
type desk struct {
	*room.Room
	t      *testing.T
	access *access.Access
	ledger *ledger.Ledger
	site   *web.Site
	url    string
	log    *slog.Logger
	shown  room.Board
}

func (d *desk) Board(context.Context) (room.Board, error) { return d.shown, nil }
func (d *desk) Odoo() room.Odoo                           { return d.shown.Odoo }

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, ledger: ledgertest.Open(t)}
	d.log = slog.New(slog.DiscardHandler)
	log := d.log
	d.access = access.New(access.DefaultConfig(), d.ledger, log, nil)
	d.Room = room.New(room.Parts{Ledger: d.ledger, Catalogue: goods{}, OdooURL: "https://odoo.example", Log: log})
	var err error
	if d.site, err = web.New(web.Options{Room: d, Access: d.access, People: d.ledger, Version: "test", Log: log}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", d.site)
	mux.Handle("/ui/", ui.Assets("/ui/"))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// goods is a catalogue of one product.
type goods struct{ room.Knower }

var aspirin = movement.Product{Scheme: movement.GTIN, Code: "04012345678901"}

func (goods) Find(p movement.Product) ([]odoo.Product, []movement.Quantity) {
	if p == aspirin {
		return []odoo.Product{{ID: 1, Name: "Aspirin <b>500</b>"}}, []movement.Quantity{movement.QuantityScale}
	}
	return nil, nil
}

const good = "vier Pferde ohne Hut"

// add makes a person with the good password.
func (d *desk) add(login string, roles ...access.Role) {
	d.t.Helper()
	ctx := d.t.Context()
	pass, err := d.access.Add(ctx, "test", login, "", roles)
	d.must(err)
	cookie, err := d.access.SignIn(ctx, login, pass, "192.0.2.1")
	d.must(err)
	p, err := d.access.Session(ctx, cookie, true)
	d.must(err)
	d.must(d.access.ChangePassword(ctx, p, pass, good, "192.0.2.1"))
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// browser keeps cookies and follows nowhere.
type browser struct {
	*http.Client
	d *desk
}

func (d *desk) browser() *browser {
	jar, err := cookiejar.New(nil)
	d.must(err)
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
	b.d.must(err)
	return b.read(res)
}

func (b *browser) post(path string, form url.Values) (status int, body, to string) {
	b.d.t.Helper()
	res, err := b.PostForm(b.d.url+path, form)
	b.d.must(err)
	return b.read(res)
}

func (b *browser) read(res *http.Response) (status int, body, to string) {
	b.d.t.Helper()
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	b.d.must(err)
	return res.StatusCode, string(text), res.Header.Get("Location")
}

// fullBoard is a board with something of everything.
func fullBoard() room.Board {
	now := time.Now()
	return room.Board{
		Branches: []room.Row{
			{Code: "BR01", Name: "Riverside", Connected: true, Received: 120, LastMovement: now},
			{Code: "BR02", Since: now.Add(-130 * time.Minute), Unsent: 37, Exceptions: 5, Open: "1 delivery, 3 lines",
				Alarms: []string{"Export till: b.csv: the header has no column \"pzn\""}},
			{Code: "BR03"},
		},
		Exceptions: []room.ExceptionGroup{{Reason: "unknown_product", Count: 5, Oldest: now}},
		Latest:     []room.Exception{{ID: "BR02/aaaaaaaaaaaa/live/1", Branch: "BR02", Text: "<script>x</script>", Raw: "\x1d10A", Since: now}},
		Postings:   room.Postings{Latest: []room.Posting{{Name: "BL/BR01/1", State: "posted", At: now}}},
	}
}

func TestBoard(t *testing.T) {
	d := newDesk(t)
	d.add("ann", access.Operator)
	ann := d.as("ann", good)
	cases := map[string]struct {
		board room.Board
		want  []string
	}{
		"empty":   {room.Board{}, []string{"No branch is configured", "Nothing waits for a person", "Odoo does not answer"}},
		"full":    {fullBoard(), []string{"Riverside", "Silent for 2 h 10 min", "≥ 37", "open: 1 delivery, 3 lines", "the header has no column", "Never seen", "unknown_product", "&lt;script&gt;", "BL/BR01/1"}},
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
			if strings.Contains(body, "<script>x") {
				t.Error("markup from outside is not escaped")
			}
		})
	}
}
