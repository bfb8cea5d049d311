// Package web is the branch page: is everything that was scanned safe, is it on
// its way, and what did the last scan come to?
package web

import (
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"branchline/internal/ui"
)

//go:embed pages/*.html
var pages embed.FS

// State is what the page shows, as one moment saw it.
type State struct {
	Branch  string
	Version string
	Hub     Hub
	// Unsent counts movements that the hub has not yet confirmed; OldestUnsent
	// is when the first of them was recorded, zero for none.
	Unsent       uint64
	OldestUnsent time.Time
	// Kept is how many bytes the outbox has on disk.
	Kept int64
	// Open are deliveries and counts that nobody has confirmed yet; what was
	// scanned for them is safe, and not among the unsent.
	Open     []Open
	Scanners []Device
	Exports  []Export
	// Alarms are sentences for the people at the branch.
	Alarms []string
}

// Hub is the connection to the hub.
type Hub struct {
	Connected bool
	// Since is when it became so, zero where it never was.
	Since time.Time
	// LastConfirmed is when the hub last confirmed movements.
	LastConfirmed time.Time
	// Trouble is the reason in words while it is not connected.
	Trouble string
}

// Open is one delivery or count in progress.
type Open struct {
	// Kind is what it is called: "delivery", "count"…
	Kind     string
	Document string
	Since    time.Time
	// Lines counts scans, Packs what they stand for.
	Lines int
	Packs string
	// Stations are the scanners that work on it.
	Stations []string
	// Next is what a person must do, as a sentence.
	Next string
}

// Device is one scanner.
type Device struct {
	Name, For string
	Up        bool
	Since     time.Time
	// Detail is its port, or why it is down.
	Detail string
	Scans  uint64
	// Last is the answer to its latest scan; nil for none. The page fills it in.
	Last *Answer
}

// Export is one watched folder.
type Export struct {
	Name, Folder string
	Up           bool
	Detail       string
	Files        uint64
	Good, Bad    uint64
	LastFile     string
	LastFinished time.Time
	// Known counts rows that had been recorded before and were not recorded again.
	Known uint64
}

// Page is the branch page. It serves requests from any goroutine.
type Page struct {
	live
	state func() State
	log   *slog.Logger
	pages *template.Template
	mux   *http.ServeMux
}

// New makes the page; state is asked at each request, from any goroutine.
func New(state func() State, log *slog.Logger) (*Page, error) {
	t, err := template.New("").Funcs(ui.Funcs()).ParseFS(pages, "pages/*.html")
	if err != nil {
		return nil, err
	}
	p := &Page{state: state, log: log, pages: t, mux: http.NewServeMux()}
	p.mux.HandleFunc("GET /{$}", p.show)
	p.mux.Handle("GET /events", &p.stream)
	return p, nil
}

// Run keeps open pages up to date until ctx ends.
func (p *Page) Run(ctx context.Context) error { return p.run(ctx) }

func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

func (p *Page) show(w http.ResponseWriter, _ *http.Request) {
	view := struct {
		State
		Last *Answer
	}{p.state(), p.latest()}
	for i := range view.Scanners {
		view.Scanners[i].Last = p.of(view.Scanners[i].Name)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err := p.pages.ExecuteTemplate(w, "status.html", view); err != nil {
		p.log.Debug("page not written", "err", err)
	}
}
