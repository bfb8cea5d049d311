// Package web is the control room: which branches are alive, what is late,
// what a person must decide.
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
	Version  string
	Branches []Branch
	// Exceptions are grouped by reason, the most frequent first.
	Exceptions []ExceptionGroup
	// Latest are the newest open exceptions, a page of them.
	Latest   []Exception
	Postings Postings
	Odoo     Odoo
	Alarms   []string
}

// ForPeople counts what waits for a person, over all reasons.
func (s State) ForPeople() (n int64) {
	for _, g := range s.Exceptions {
		n += g.Count
	}
	return n
}

// Branch is one line of the board.
type Branch struct {
	Code, Name string
	Connected  bool
	// Since is when it connected or was last heard of; zero for never.
	Since time.Time
	// LastMovement is when the newest movement was received.
	LastMovement time.Time
	// Received counts movements, Waiting those for the planner, Documents
	// those to be made in Odoo, Exceptions what waits for a person.
	Received, Waiting, Documents, Exceptions int64
	// Unsent is what the branch last reported to have kept, Open what it has
	// scanned and not confirmed, Alarms what it said a person should look at.
	Unsent uint64
	Open   string
	Alarms []string
}

// ExceptionGroup is one reason and how often it waits for a person.
type ExceptionGroup struct {
	Reason string
	Count  int64
	Oldest time.Time
}

// Exception is one movement that waits for a person.
type Exception struct {
	ID, Branch, Reason, Text, Raw string
	// From is where it was read: file and line, or the adapter.
	From  string
	Since time.Time
}

// Postings counts documents by state.
type Postings struct {
	Waiting, Posted int64
	// Latest are the newest documents.
	Latest []Posting
}

// Posting is one document for Odoo.
type Posting struct {
	Name, Branch, Kind, State, Detail string
	Movements                         int64
	At                                time.Time
}

// Odoo is the connection to Odoo.
type Odoo struct {
	URL       string
	Reachable bool
	Trouble   string
}

// Handler serves the page; state is asked at each request, from any goroutine.
func Handler(state func() (State, error), log *slog.Logger) (http.Handler, error) {
	t, err := template.New("").Funcs(ui.Funcs()).ParseFS(pages, "pages/*.html")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		s, err := state()
		if err != nil {
			log.Error("board not read", "err", err)
			http.Error(w, "The ledger cannot be read at this moment.", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if err := t.ExecuteTemplate(w, "board.html", s); err != nil {
			log.Debug("page not written", "err", err)
		}
	})
	return mux, nil
}
