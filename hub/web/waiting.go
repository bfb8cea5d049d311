package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/ui"
)

// waitingBody is what waits for a person.
type waitingBody struct {
	room.WaitingList
	Filter room.WaitingFilter
	// Words are of the reason that is chosen.
	Words ledger.ReasonWords
	// Query is the filter as an address has it, Next the page after.
	Query, Next string
	Proposals   []ledger.Proposed
	Told        told
	// Together is how many are decided about in one step at most.
	Together int
	// Offers are the remedies of what is shown.
	Offers map[string]bool
}

// Total counts what waits, over all reasons.
func (b waitingBody) Total() (n int64) {
	for _, g := range b.Groups {
		n += g.Count
	}
	return n
}

// ReasonLink is the address of the same list for another reason.
func (b waitingBody) ReasonLink(reason string) string {
	f := b.Filter
	f.Reason = reason
	return "/exceptions?" + queryOf(f)
}

func queryOf(f room.WaitingFilter) string {
	q := url.Values{}
	for name, v := range map[string]string{"branch": f.Branch, "reason": f.Reason, "product": f.Product, "text": f.Text} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return q.Encode()
}

// told is what was just done, from the address that the form led to.
type told struct{ Text, Link, Word string }

// waitingPage is how many a page shows.
const waitingPage = 100

func filterOf(get func(string) string) room.WaitingFilter {
	field := func(name string) string { return cut(strings.TrimSpace(get(name)), 200) }
	return room.WaitingFilter{Branch: field("branch"), Reason: field("reason"), Product: field("product"), Text: field("text")}
}

func (s *Site) waiting(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	b := waitingBody{Filter: filterOf(q.Get), Told: toldOf(q), Together: room.MaxTogether, Offers: map[string]bool{}}
	after, err := afterWaiting(q.Get("after"))
	if err == nil {
		b.WaitingList, err = s.Room.Waiting(r.Context(), b.Filter, after, waitingPage)
	}
	if err == nil {
		b.Proposals, err = s.Room.Proposals(r.Context())
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	b.Query = queryOf(b.Filter)
	if b.More {
		last := &b.Page[len(b.Page)-1]
		b.Next = "/exceptions?" + b.Query + "&after=" + url.QueryEscape(fmt.Sprintf("%d %d", last.Since.UnixMilli(), int64(last.ID)))
	}
	for _, g := range b.Groups {
		if g.Reason == b.Filter.Reason {
			b.Words = g.Words
		}
	}
	for _, e := range b.Page {
		for _, remedy := range e.Remedies {
			b.Offers[string(remedy)] = true
		}
	}
	s.show(w, r, http.StatusOK, "exceptions.html", "/exceptions", frame{Title: "Exceptions", Still: true, Body: b})
}

func afterWaiting(text string) (*ledger.Exception, error) {
	if text == "" {
		return nil, nil
	}
	at, id, _ := strings.Cut(text, " ")
	since, err := strconv.ParseInt(at, 10, 64)
	n, err2 := strconv.ParseInt(id, 10, 64)
	if err != nil || err2 != nil {
		return nil, fault.New(fault.Data, "bad_page", "the address of this page is not whole").WithHint("begin with the first page")
	}
	return &ledger.Exception{ID: ledger.MovementID(n), Since: time.UnixMilli(since).UTC()}, nil
}

// oneBody is one movement that waits, and what can be done about it.
type oneBody struct {
	*room.WaitingOne
	Schemes   []movement.Scheme
	Documents []string
	Told      told
}

func (s *Site) waitingOne(w http.ResponseWriter, r *http.Request) {
	id, err := movement.ParseID(r.PathValue("id"))
	if err != nil {
		s.nothing(w, r)
		return
	}
	one, err := s.Room.WaitingFor(r.Context(), id)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if one == nil { // it has gone on: its way tells how
		http.Redirect(w, r, "/movements/"+id.String(), http.StatusSeeOther)
		return
	}
	s.show(w, r, http.StatusOK, "exception.html", "/exceptions", frame{Title: "Exception", Still: true,
		Body: oneBody{one, movement.Schemes, movement.DocumentTypes, toldOf(r.URL.Query())}})
}

// maxDecideForm is for a form with the names of [room.MaxTogether] movements.
const maxDecideForm = 1 << 20

// decide carries out what a form says about the movements that are ticked, or
// about all that the filter chose when it was made.
func (s *Site) decide(choice string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxDecideForm)
		if err := r.ParseForm(); err != nil {
			s.refuse(w, r, fault.New(fault.Data, "bad_form", "the form is not whole").WithHint("choose fewer movements in one step"))
			return
		}
		d := room.Decision{Choice: choice, Who: access.By(r).Who(), Why: r.PostFormValue("why")}
		var done room.Decided
		var err error
		if r.PostFormValue("all") != "" {
			done, err = s.Room.DecideAll(r.Context(), filterOf(r.PostFormValue), r.PostFormValue("seal"), d)
		} else {
			d.Shown = []string{}
			for _, v := range r.PostForm["m"] {
				id, reason, _ := strings.Cut(v, "|")
				d.Movements, d.Shown = append(d.Movements, id), append(d.Shown, reason)
			}
			done, err = s.Room.Decide(r.Context(), d)
		}
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		s.goOn(w, r, didOf(choice, done))
	}
}

// didOf is a decision as the address after it has it.
func didOf(choice string, done room.Decided) url.Values {
	return url.Values{"did": {choice}, "n": {strconv.Itoa(done.Done)}, "of": {strconv.Itoa(done.Of)}, "proposal": {strconv.FormatInt(done.Proposal, 10)}}
}

// goOn leads back to where the form was, which tells what was done.
func (s *Site) goOn(w http.ResponseWriter, r *http.Request, did url.Values) {
	to, err := url.Parse(local(cmp.Or(r.PostFormValue("back"), "/exceptions")))
	if err != nil {
		to = &url.URL{Path: "/exceptions"}
	}
	q := to.Query()
	for name, v := range did {
		q[name] = v
	}
	to.RawQuery = q.Encode()
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

// doneWords say what was done to some movements.
var doneWords = map[string]string{"retry": "tried again", "release": "released", "discard": "taken out", "map": "going on by the new alias",
	"confirm": "met by the proposal", "correct": "corrected, going on", "decline": "left as they were: the proposal is ended"}

// toldOf reads what goOn wrote. It is an address that anybody can type, so it says
// nothing but numbers.
func toldOf(q url.Values) (t told) {
	words, ok := doneWords[q.Get("did")]
	if !ok {
		return t
	}
	if id, err := strconv.ParseInt(q.Get("proposal"), 10, 64); err == nil && id > 0 {
		return told{fmt.Sprintf("Proposal %d waits for a second approver; nothing is done before.", id), fmt.Sprintf("/proposals/%d", id), "Look at it"}
	}
	n, _ := strconv.Atoi(q.Get("n")) // nonsense: none
	t.Text = ui.Many(n, "movement", "movements") + " " + words + "."
	if of, err := strconv.Atoi(q.Get("of")); err == nil && of > n {
		t.Text += " " + ui.Many(of-n, "other", "others") + " no longer waited for what you saw."
	}
	return t
}

func (s *Site) mapCode(w http.ResponseWriter, r *http.Request) {
	product := r.PostFormValue("product")
	if chosen := r.PostFormValue("suggested"); chosen != "" && product == "" {
		product = chosen
	}
	done, err := s.Room.Alias(r.Context(), room.Alias{Scheme: r.PostFormValue("scheme"), Code: r.PostFormValue("code"), Product: strings.TrimSpace(product),
		Ahead: r.PostFormValue("ahead") != "", Overrule: r.PostFormValue("overrule") != "", Who: access.By(r).Who(), Why: r.PostFormValue("why"),
		MayApprove: access.By(r).May(access.Approve)})
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.goOn(w, r, url.Values{"did": {"map"}, "n": {strconv.Itoa(done.Released)}})
}

func (s *Site) correct(w http.ResponseWriter, r *http.Request) {
	c := room.Correction{Movement: r.PostFormValue("movement"), Shown: r.PostFormValue("shown"), Fields: map[string]string{},
		Again: r.PostFormValue("again") != "", Who: access.By(r).Who(), Why: r.PostFormValue("why"), MayApprove: access.By(r).May(access.Approve)}
	for _, field := range room.CorrectFields {
		if v, ok := r.PostForm[field]; ok && len(v) > 0 {
			c.Fields[field] = v[0]
		}
	}
	done, err := s.Room.Correct(r.Context(), c)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.goOn(w, r, didOf("correct", done))
}

// proposalBody is what waits for a second person.
type proposalBody struct {
	room.ProposalOf
	// Own tells that the person who looks made it.
	Own bool
}

func (s *Site) proposal(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		s.nothing(w, r)
		return
	}
	p, err := s.Room.Proposal(r.Context(), id)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "proposal.html", "/exceptions", frame{Title: fmt.Sprintf("Proposal %d", id), Still: true,
		Body: proposalBody{p, p.Login == access.By(r).Login}})
}

func (s *Site) endProposal(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		s.nothing(w, r)
		return
	}
	who, why := access.By(r).Who(), r.PostFormValue("why")
	did := url.Values{"did": {"decline"}, "n": {"0"}}
	if strings.HasSuffix(r.URL.Path, "/confirm") {
		var n int
		n, err = s.Room.Confirm(r.Context(), id, who, why)
		did = url.Values{"did": {"confirm"}, "n": {strconv.Itoa(n)}}
	} else {
		err = s.Room.Decline(r.Context(), id, who, why)
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.goOn(w, r, did)
}

// waitingRoutes are those of exceptions and proposals.
func (s *Site) waitingRoutes() []access.Route {
	return []access.Route{
		{Pattern: "GET /exceptions", Needs: access.See, Serve: s.waiting},
		{Pattern: "GET /exceptions/{id...}", Needs: access.See, Serve: s.waitingOne},
		{Pattern: "POST /exceptions/retry", Needs: access.Decide, Serve: s.decide("retry")},
		{Pattern: "POST /exceptions/release", Needs: access.Approve, Serve: s.decide("release")},
		{Pattern: "POST /exceptions/discard", Needs: access.Approve, Serve: s.decide("discard")},
		{Pattern: "POST /exceptions/map", Needs: access.Decide, Serve: s.mapCode},
		{Pattern: "POST /exceptions/correct", Needs: access.Decide, Serve: s.correct},
		{Pattern: "GET /proposals/{id}", Needs: access.See, Serve: s.proposal},
		{Pattern: "POST /proposals/{id}/confirm", Needs: access.Approve, Serve: s.endProposal},
		{Pattern: "POST /proposals/{id}/decline", Needs: access.Approve, Serve: s.endProposal},
	}
}
