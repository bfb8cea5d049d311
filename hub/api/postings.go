package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Posting is a document on its way to Odoo, or there.
type Posting struct {
	Name      string              `json:"name"`
	Branch    string              `json:"branch"`
	Kind      movement.Kind       `json:"kind"`
	Document  string              `json:"document,omitempty"`
	State     ledger.PostingState `json:"state"`
	Movements int64               `json:"movements"`
	Attempts  int64               `json:"attempts"`
	Created   time.Time           `json:"created"`
	Changed   time.Time           `json:"changed"`
	Next      time.Time           `json:"next_try,omitzero"`
	OdooModel string              `json:"odoo_model,omitempty"`
	OdooID    int64               `json:"odoo_id,omitempty"`
	OdooName  string              `json:"odoo_name,omitempty"`
	// Fault is the newest failure, in Odoo's own words.
	Fault string `json:"fault,omitempty"`
}

func postingOf(p *ledger.Posting) Posting {
	return Posting{p.Name, p.Branch, p.Kind, p.Document.Ref, p.State, p.Movements, p.Attempts, p.CreatedAt, p.ChangedAt, p.NextAt, p.Odoo.Model, p.Odoo.ID, p.Odoo.Name, p.Fault.Text}
}

func (a *API) postings(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := ledger.PostingFilter{Branch: q.Get("branch"), State: ledger.PostingState(q.Get("state"))}
	var err error
	if f.State != "" && !slices.Contains(room.PostingStates, f.State) {
		err = fault.New(fault.Data, codeBadRequest, "state: there is no state %.32q", f.State)
	}
	if err == nil {
		f.Limit, err = limitOf(r, maxPage-1)
	}
	if err == nil {
		_, err = cursorOf(r, &f.Before)
	}
	var list room.PostingList
	if err == nil {
		list, err = a.Room.PostingList(r.Context(), f)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	page := struct {
		Postings []Posting                     `json:"postings"`
		Counts   map[ledger.PostingState]int64 `json:"counts"`
		Breaker  bool                          `json:"breaker_open"`
		Halted   string                        `json:"halted,omitempty"`
		Next     string                        `json:"next,omitempty"`
	}{[]Posting{}, list.Counts, list.Status.BreakerOpen, list.Status.Halted, ""}
	for i := range list.Page {
		page.Postings = append(page.Postings, postingOf(&list.Page[i]))
	}
	if list.More {
		page.Next = cursorText(list.Page[len(list.Page)-1].ID)
	}
	a.answer(w, http.StatusOK, page)
}

// Attempt is one try of a posting.
type Attempt struct {
	At     time.Time `json:"at"`
	TookMS int64     `json:"took_ms"`
	Step   string    `json:"step"`
	Code   string    `json:"code,omitempty"`
	Fault  string    `json:"fault,omitempty"`
}

// PostedLine is a line of the document.
type PostedLine struct {
	Product   string            `json:"product"`
	Code      string            `json:"code,omitempty"`
	Lot       string            `json:"lot,omitempty"`
	Expiry    movement.Date     `json:"expiry,omitzero"`
	Quantity  movement.Quantity `json:"quantity"`
	Unit      string            `json:"unit,omitempty"`
	Movements []string          `json:"movements"`
}

func (a *API) posting(w http.ResponseWriter, r *http.Request) {
	p, err := a.Room.PostingNamed(r.Context(), r.PathValue("name"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer := struct {
		Posting   Posting      `json:"posting"`
		Link      string       `json:"link,omitempty"`
		Lines     []PostedLine `json:"lines"`
		Movements []string     `json:"movements"`
		More      int64        `json:"more,omitempty"`
		Attempts  []Attempt    `json:"attempts"`
	}{postingOf(&p.Posting), p.Link, []PostedLine{}, []string{}, p.More, []Attempt{}}
	for i := range p.Lines {
		l := &p.Lines[i]
		line := PostedLine{l.Name, l.Code, l.Lot, l.Expiry, l.Quantity(), l.Unit, []string{}}
		for _, m := range l.Movements {
			line.Movements = append(line.Movements, m.Identity.String())
		}
		answer.Lines = append(answer.Lines, line)
	}
	for i := range p.Movements {
		answer.Movements = append(answer.Movements, p.Movements[i].Identity.String())
	}
	for _, t := range p.Attempts {
		answer.Attempts = append(answer.Attempts, Attempt{t.At, t.Took.Milliseconds(), t.Step, t.Fault.Code, t.Fault.Text})
	}
	a.answer(w, http.StatusOK, answer)
}

func (a *API) tryNow(w http.ResponseWriter, r *http.Request)    { a.repost(w, r, a.Room.TryNow) }
func (a *API) planAgain(w http.ResponseWriter, r *http.Request) { a.repost(w, r, a.Room.PlanAgain) }

func (a *API) repost(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, name, who, why string) error) {
	var asked why
	carryOut(a, w, r, &asked, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, do(ctx, r.PathValue("name"), access.By(r).Who(), asked.Why)
	})
}
