// Package web is the branch page: is everything that was scanned safe, and is
// it on its way?
package web

import (
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
	Kept     int64
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

// Device is one scanner.
type Device struct {
	Name, For string
	Up        bool
	Since     time.Time
	// Detail is its port, or why it is down.
	Detail string
	Scans  uint64
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

// Handler serves the page; state is asked at each request, from any goroutine.
func Handler(state func() State, log *slog.Logger) (http.Handler, error) {
	t, err := template.New("").Funcs(ui.Funcs()).ParseFS(pages, "pages/*.html")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if err := t.ExecuteTemplate(w, "status.html", state()); err != nil {
			log.Debug("page not written", "err", err)
		}
	})
	return mux, nil
}
