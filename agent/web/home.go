package web

import "net/http"

// home goes on to what is done most: receiving.
func (p *Page) home(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/receive", http.StatusSeeOther)
}

// way shows whether what was scanned and read is safe, and on its way.
func (p *Page) way(w http.ResponseWriter, _ *http.Request) {
	s := p.statusNow()
	s.Done, s.Waiting = p.doneLately("", s.Hub.Connected), p.waiting(s.Hub.Connected)
	p.show(w, http.StatusOK, "status.html", "/way", frame{Title: "On its way", State: &s.State, Body: s})
}

// status is the state with the latest answers, with what was confirmed lately of
// all purposes, and with what waits at the hub.
type status struct {
	State
	Last *Answer
	Done []done
	// Waiting is what waits with a person at the hub.
	Waiting waiting
}

func (p *Page) statusNow() status {
	s := status{State: p.State(), Last: p.latest("")}
	for i := range s.Scanners {
		s.Scanners[i].Last = p.latest("", s.Scanners[i].Name)
	}
	return s
}
