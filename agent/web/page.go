package web

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/paper"
	"branchline/internal/symbol"
	"branchline/internal/ui"
)

//go:embed pages
var pages embed.FS

//go:embed pages/counter.js
var counterScript []byte

// Station is where a person stands who works on the page itself.
const Station = counter.Page

// Options are what the site shows, and acts on.
type Options struct {
	// State is asked at each request, from any goroutine.
	State func() State
	Desk  counter.Desk
	// Forms types in what was written on paper; it may be nil.
	Forms counter.Forms
	// Typed takes a code that a scanner typed into the page, or a person did.
	Typed func(context.Context, Typed) scan.Answer
	// Sent tells whether the hub has confirmed the live lane of an epoch
	// through a place.
	Sent     func(epoch string, through uint64) bool
	Scanners Scanners
	Rows     Rows
	// Staff may be nil: then initials are enough.
	Staff Staff
	// Reasons are those of the branch, name to text, for the command barcodes.
	Reasons map[string]string
	// Calibration draws the barcode that finds out a keyboard's layout.
	Calibration func() (symbol.SVG, error)
	// Knowledge may be nil, as Outcomes.
	Knowledge Knowledge
	Outcomes  Outcomes
	// Stations are the scanners that are for p.
	Stations func(p scan.Purpose) []string
	Log      *slog.Logger
	// Now is nil for time.Now.
	Now func() time.Time
}

// Staff checks who signs.
type Staff interface {
	// Needed tells whether people sign with a PIN.
	Needed() bool
	// Check tells whether the PIN is that of the initials.
	Check(initials, pin string) error
}

// Typed is a code that came by the page.
type Typed struct {
	// Text is as the system's keyboard layout gave it, Physical as a US layout
	// would have; both are the same when a person typed it.
	Text, Physical string
	// ByHand tells that a person typed it.
	ByHand  bool
	Purpose scan.Purpose
}

// Page is the branch page. It serves requests from any goroutine.
type Page struct {
	live
	Options
	pages *template.Template
	mux   *http.ServeMux
}

// New makes the page.
func New(o Options) (*Page, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	t, err := template.New("").Funcs(ui.Funcs()).ParseFS(pages, "pages/*.html")
	if err == nil {
		t, err = paper.Templates(t)
	}
	if err != nil {
		return nil, err
	}
	p := &Page{Options: o, pages: t, mux: http.NewServeMux()}
	p.routes(p.mux)
	return p, nil
}

// Run keeps open pages up to date until ctx ends.
func (p *Page) Run(ctx context.Context) error { return p.run(ctx) }

func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

func (p *Page) routes(mux *http.ServeMux) {
	mux.Handle("GET /events", &p.stream)
	mux.Handle("GET /counter.js", ui.Files("/", map[string][]byte{"counter.js": counterScript}))
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("GET /way", p.way)
	for _, tab := range tabs {
		if tab.purpose != "" {
			mux.HandleFunc("GET "+tab.Path, func(w http.ResponseWriter, r *http.Request) { p.work(w, r, tab.purpose) })
		}
	}
	mux.HandleFunc("GET "+takeIn, func(w http.ResponseWriter, r *http.Request) { p.work(w, r, scan.TransferIn) })
	mux.HandleFunc("GET /lookup", p.lookup)
	mux.HandleFunc("GET /scanners", p.scanners)
	mux.HandleFunc("POST /scanners/{name}/test", p.testScanner)
	mux.HandleFunc("POST /scanners/{name}/apply", p.applySetting)
	mux.HandleFunc("GET /sheet", p.sheet)
	mux.HandleFunc("GET /rows", p.badRows)
	mux.HandleFunc("POST /rows/dismiss", p.dismissFile)
	mux.HandleFunc("GET /rows/{id}", p.badRow)
	mux.HandleFunc("POST /rows/{id}", p.correctRow)
	mux.HandleFunc("POST /rows/{id}/dismiss", p.dismissRow)
	mux.HandleFunc("POST /open", p.open)
	mux.HandleFunc("GET /session/{id}", p.session)
	mux.HandleFunc("GET /session/{id}/entry/{entry}", p.entry)
	mux.HandleFunc("POST /session/{id}/do", p.do)
	mux.HandleFunc("GET /session/{id}/review", p.review)
	mux.HandleFunc("POST /session/{id}/confirm", p.confirm)
	mux.HandleFunc("POST /session/{id}/cancel", p.cancel)
	mux.HandleFunc("GET /receipt/{id}", p.receipt)
	mux.HandleFunc("POST /scan", p.scan)
	mux.HandleFunc("GET /paper", p.paper)
	mux.HandleFunc("GET /paper/print", p.printForms)
	mux.HandleFunc("POST /paper", p.openForm)
	mux.HandleFunc("GET /paper/{id}", p.typing)
	mux.HandleFunc("POST /paper/{id}", p.typeIn)
}

// frame is what every page is given.
type frame struct {
	Title, Branch, Session string
	Purpose                scan.Purpose
	Tabs                   []tab
	Hub                    line
	Body                   any
	// State is what the page was made of; nil where it needs no more of it than
	// every page does.
	State *State
	// PIN asks for one beside the initials.
	PIN bool
	// Still is for a page that says something once, and is not asked for again.
	Still bool
}

// line is the connection, in the bar of every page.
type line struct {
	Connected bool
	Since     time.Time
	Unsent    uint64
	// Open counts deliveries and counts that nobody has confirmed.
	Open int
	// Alarms counts what a person should look at.
	Alarms int
}

// tab is one word of the navigation.
type tab struct {
	Path, Icon, Word string
	purpose          scan.Purpose
	Current          bool
}

var tabs = []tab{
	{Path: "/receive", Icon: "receive", Word: "Receive", purpose: scan.Receive},
	{Path: "/dispense", Icon: "dispense", Word: "Dispense", purpose: scan.Dispense},
	{Path: "/return", Icon: "return", Word: "Return", purpose: scan.Return},
	{Path: "/wastage", Icon: "wastage", Word: "Wastage", purpose: scan.Wastage},
	{Path: "/transfer_out", Icon: "transfer", Word: "Transfer", purpose: scan.TransferOut},
	{Path: "/count", Icon: "count", Word: "Count", purpose: scan.Count},
	{Path: "/lookup", Icon: "lookup", Word: "Look up"},
	{Path: "/way", Icon: "way", Word: "On its way"},
}

// show writes a page. current is the path of its tab.
func (p *Page) show(w http.ResponseWriter, status int, name, current string, f frame) {
	if f.State == nil {
		state := p.State()
		f.State = &state
	}
	f.Branch, f.PIN = f.State.Branch, p.Staff != nil && p.Staff.Needed()
	f.Hub = line{f.State.Hub.Connected, f.State.Hub.Since, f.State.Unsent, len(f.State.Open), len(f.State.Alarms)}
	for _, t := range tabs {
		t.Current = t.Path == current || current == "/paper" && t.Path == "/way" || current == takeIn && t.purpose == scan.TransferOut
		f.Tabs = append(f.Tabs, t)
	}
	var b bytes.Buffer // a page that fails half way is not sent
	if err := p.pages.ExecuteTemplate(&b, name, f); err != nil {
		p.Log.Error("page not made", "page", name, "err", err)
		http.Error(w, "This page cannot be shown. What was scanned is safe.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// refuse shows what could not be done, and the way back.
func (p *Page) refuse(w http.ResponseWriter, err error, back string) {
	status := http.StatusConflict
	switch fault.CodeOf(err) {
	case "no_session", "no_receipt", "no_row":
		status = http.StatusNotFound
	}
	if fault.ClassOf(err) != fault.Data {
		status = http.StatusServiceUnavailable
	}
	p.show(w, status, "refused.html", "", frame{Title: "Not done", Still: true, Body: struct{ Text, Back string }{sentence(err.Error()), back}})
}
