package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/room"
)

// postingsBody is the queue to Odoo.
type postingsBody struct {
	room.PostingList
	Branch, State string
	States        []ledger.PostingState
	Next          string
}

// Count is how many postings are in a state.
func (b postingsBody) Count(state string) int64 { return b.Counts[ledger.PostingState(state)] }

func (s *Site) postings(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	b := postingsBody{Branch: cut(strings.TrimSpace(q.Get("branch")), 64), State: cut(q.Get("state"), 20), States: room.PostingStates}
	f := ledger.PostingFilter{Branch: b.Branch, State: ledger.PostingState(b.State), Limit: pageSize}
	f.Before, _ = strconv.ParseInt(q.Get("before"), 10, 64) // none, or nonsense: from the newest
	var err error
	if b.PostingList, err = s.Room.PostingList(r.Context(), f); err != nil {
		s.refuse(w, r, err)
		return
	}
	if b.More {
		q.Set("before", strconv.FormatInt(b.Page[len(b.Page)-1].ID, 10))
		b.Next = "/postings?" + q.Encode()
	}
	s.show(w, r, http.StatusOK, "postings.html", "/postings", frame{Title: "Postings", Still: f.Before > 0, Body: b})
}

func (s *Site) posting(w http.ResponseWriter, r *http.Request) {
	p, err := s.Room.PostingNamed(r.Context(), r.PathValue("name"))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "posting.html", "/postings", frame{Title: "Posting", Still: p.MayTry || p.MayPlan, Body: p})
}

// repost tries a posting now, or has it planned again.
func (s *Site) repost(w http.ResponseWriter, r *http.Request) {
	name, who, why := r.PostFormValue("name"), access.By(r).Who(), r.PostFormValue("why")
	do := s.Room.TryNow
	if r.URL.Path == "/postings/plan" {
		do = s.Room.PlanAgain
	}
	path := url.URL{Path: "/postings/" + name}
	s.done(w, r, do(r.Context(), name, who, why), local(path.String()))
}

// postingRoutes are those of postings.
func (s *Site) postingRoutes() []access.Route {
	return []access.Route{
		{Pattern: "GET /postings", Needs: access.See, Serve: s.postings},
		{Pattern: "GET /postings/{name...}", Needs: access.See, Serve: s.posting},
		{Pattern: "POST /postings/try", Needs: access.Decide, Serve: s.repost},
		{Pattern: "POST /postings/plan", Needs: access.Decide, Serve: s.repost},
	}
}
