package api

import (
	"net/http"
	"time"
)

// Branch is a branch's line of the board.
type Branch struct {
	Code      string    `json:"code"`
	Name      string    `json:"name,omitempty"`
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since,omitzero"`
	// Unsent is what the branch last reported; the others are of the hub.
	Unsent       uint64    `json:"unsent"`
	LastMovement time.Time `json:"last_movement,omitzero"`
	Received     int64     `json:"received"`
	Waiting      int64     `json:"waiting"`
	Documents    int64     `json:"documents"`
	Exceptions   int64     `json:"exceptions"`
	Alarms       []string  `json:"alarms"`
}

func (a *API) branches(w http.ResponseWriter, r *http.Request) {
	b, err := a.Room.Board(r.Context())
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	all := make([]Branch, len(b.Branches))
	for i, x := range b.Branches {
		all[i] = Branch{x.Code, x.Name, x.Connected, x.Since, x.Unsent, x.LastMovement, x.Received, x.Waiting, x.Documents, x.Exceptions, append([]string{}, x.Alarms...)}
	}
	a.answer(w, http.StatusOK, map[string]any{"branches": all, "alarms": append([]string{}, b.Alarms...)})
}
