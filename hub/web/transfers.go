package web

import (
	"io"
	"net/http"
	"strings"

	"branchline/hub/room"
)

// transfersBody is what is open between the branches.
type transfersBody struct {
	Branch string
	// Days is how far back it is looked, All and Fit count boxes.
	Days, All, Fit int
	// Begun and Over are those of which some, or too much, was taken in.
	Begun, Over int
	Shown       []room.Box
	Cut         bool
}

// boxesShown bounds a page; the CSV has all.
const boxesShown = 100

func (s *Site) transfers(w http.ResponseWriter, r *http.Request) {
	all, more, err := s.Room.Boxes(r.Context())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	b := transfersBody{Branch: cut(strings.TrimSpace(r.URL.Query().Get("branch")), 100), Days: room.BoxDays(), All: len(all), Cut: more}
	text := strings.ToLower(b.Branch)
	for i := range all {
		box := &all[i]
		if box.Over() {
			b.Over++
		} else if box.Begun() {
			b.Begun++
		}
		for _, name := range []string{box.From, box.To, box.FromName, box.ToName, box.Ref} {
			if strings.Contains(strings.ToLower(name), text) {
				if b.Fit++; len(b.Shown) < boxesShown {
					b.Shown = append(b.Shown, *box)
				}
				break
			}
		}
	}
	s.show(w, r, http.StatusOK, "transfers.html", "/reconciliation", frame{Title: "Between branches", Body: b})
}

func (s *Site) transfersCSV(w http.ResponseWriter, r *http.Request) {
	all, _, err := s.Room.Boxes(r.Context())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.sendCSV(w, "transfers.csv", func(out io.Writer) error { return room.WriteBoxes(out, all) })
}
