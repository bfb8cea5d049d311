package web

import "net/http"

func (s *Site) board(w http.ResponseWriter, r *http.Request) {
	b, err := s.Room.Board(r.Context())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "board.html", "/", frame{Title: "Branches", Body: b})
}
