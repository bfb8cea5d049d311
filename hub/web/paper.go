package web

import (
	"net/http"
	"strconv"

	"branchline/hub/room"
	"branchline/internal/paper"
)

// paperBody says what to do when something is down, and offers forms for a branch.
type paperBody struct {
	Branches []room.PaperBranch
	Branch   string
	Orders   []paper.Order
}

func (s *Site) paper(w http.ResponseWriter, r *http.Request) {
	b := paperBody{Branches: s.Room.PaperBranches(), Branch: r.URL.Query().Get("branch")}
	if b.Branch != "" {
		var err error
		if b.Orders, err = s.Room.PaperOrders(b.Branch); err != nil {
			s.refuse(w, r, err)
			return
		}
	}
	s.show(w, r, http.StatusOK, "paper.html", "/paper", frame{Title: "On paper", Still: true, Body: b})
}

// printForms makes forms to be printed. They are not asked for again: each time the
// numbers are other ones.
func (s *Site) printForms(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	sheets, _ := strconv.Atoi(q.Get("sheets"))
	forms, err := s.Room.PaperForms(room.PaperWish{Branch: q.Get("branch"), Order: q.Get("order"), Kind: paper.Kind(q.Get("kind")), Sheets: sheets})
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "forms.html", "/paper", frame{Title: "Forms to print", Still: true, Body: forms})
}
