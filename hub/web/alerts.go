package web

import (
	"net/http"

	"branchline/hub/ledger"
)

// alertsBody is what is wrong now, and what is over.
type alertsBody struct{ Wrong, Over []ledger.Alert }

func (s *Site) alerts(w http.ResponseWriter, r *http.Request) {
	var b alertsBody
	var err error
	if b.Wrong, b.Over, err = s.Room.Alerts(r.Context()); err != nil {
		s.refuse(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "alerts.html", "/alerts", frame{Title: "Alerts", Body: b})
}
