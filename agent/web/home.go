package web

import (
	_ "embed"
	"net/http"
)

// home goes on to what is done most: receiving.
func (p *Page) home(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/receive", http.StatusSeeOther)
}

// way shows whether what was scanned and read is safe, and on its way.
func (p *Page) way(w http.ResponseWriter, _ *http.Request) {
	p.show(w, http.StatusOK, "status.html", "/way", frame{Title: "On its way", Body: p.statusNow()})
}

// status is the state with the latest answers.
type status struct {
	State
	Last *Answer
}

func (p *Page) statusNow() status {
	s := status{p.State(), p.latest()}
	for i := range s.Scanners {
		s.Scanners[i].Last = p.latest(s.Scanners[i].Name)
	}
	return s
}

//go:embed pages/counter.js
var counterScript []byte

func script(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(counterScript)
}
