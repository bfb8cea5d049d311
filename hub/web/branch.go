package web

import (
	"net/http"
	"slices"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/room"
)

// branchBody is a branch's page.
type branchBody struct {
	*room.BranchOf
	// Marks are the hours that the chart names below it.
	Marks []time.Time
	// Lately are its line's changes that are listed, More how many are not.
	Lately []lineWord
	More   int
	// Busiest is the hour with the most movements, Sum all of the chart.
	Busiest ledger.HourCount
	Sum     int64
}

// lineWord is how a line was, from a moment on and for how long.
type lineWord struct {
	ledger.LineChange
	For time.Duration
	Now bool
}

// listedLines bounds how many changes of a line are listed.
const listedLines = 12

func (s *Site) branch(w http.ResponseWriter, r *http.Request) {
	of, err := s.Room.Branch(r.Context(), r.PathValue("code"))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	b := branchBody{BranchOf: of}
	now := time.Now()
	for i, c := range of.Changes {
		if i == listedLines {
			b.More = len(of.Changes) - i
			break
		}
		word := lineWord{LineChange: c, For: now.Sub(c.At), Now: i == 0}
		if i > 0 {
			word.For = of.Changes[i-1].At.Sub(c.At)
		}
		b.Lately = append(b.Lately, word)
	}
	for i, h := range of.Hours {
		b.Sum += h.Movements
		if h.Movements > b.Busiest.Movements {
			b.Busiest = h
		}
		if i%12 == 0 {
			b.Marks = append(b.Marks, h.Hour.In(of.Zone))
		}
	}
	slices.Reverse(b.Newest) // the oldest waits longest
	s.show(w, r, http.StatusOK, "branch.html", "/", frame{Title: "Branch " + of.Code, Body: b})
}
