package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Exception is a movement, or a run of lost ones, that waits for a person.
type Exception struct {
	ID       string            `json:"id"`
	Last     uint64            `json:"last,omitempty"` // of a run of lost ones, the last seq
	Branch   string            `json:"branch"`
	Reason   string            `json:"reason"`
	Text     string            `json:"text"`
	Since    time.Time         `json:"since"`
	Kind     movement.Kind     `json:"kind"`
	Scheme   movement.Scheme   `json:"scheme"`
	Code     string            `json:"code"`
	Product  string            `json:"product,omitempty"`
	Lot      string            `json:"lot,omitempty"`
	Serial   string            `json:"serial,omitempty"`
	Quantity movement.Quantity `json:"quantity"`
	Document string            `json:"document,omitempty"`
	Source   string            `json:"source,omitempty"`
	Raw      string            `json:"raw,omitempty"`
	Remedies []ledger.Remedy   `json:"remedies"`
	// Proposal waits for a second person, 0 for none.
	Proposal int64 `json:"proposal,omitempty"`
}

// Reason is what many wait for.
type Reason struct {
	Reason   string    `json:"reason"`
	Is       string    `json:"is"`
	Next     string    `json:"next"`
	Count    int64     `json:"count"`
	Branches int64     `json:"branches"`
	Oldest   time.Time `json:"oldest"`
}

// waitingPlace is where a list of exceptions goes on.
type waitingPlace struct{ At, ID int64 }

func (a *API) exceptions(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err := limitOf(r, maxPage-1)
	var c waitingPlace
	var after *ledger.Exception
	if err == nil {
		var found bool
		if found, err = cursorOf(r, &c); found {
			after = &ledger.Exception{ID: ledger.MovementID(c.ID), Since: time.UnixMilli(c.At)}
		}
	}
	var list room.WaitingList
	if err == nil {
		list, err = a.Room.Waiting(r.Context(), room.WaitingFilter{Branch: q.Get("branch"), Reason: q.Get("reason"), Product: q.Get("product"), Text: q.Get("text")}, after, limit)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	page := struct {
		Reasons    []Reason    `json:"reasons"`
		Exceptions []Exception `json:"exceptions"`
		Next       string      `json:"next,omitempty"`
	}{[]Reason{}, []Exception{}, ""}
	for _, g := range list.Groups {
		page.Reasons = append(page.Reasons, Reason{g.Reason, g.Words.Is, g.Words.Next, g.Count, g.Branches, g.Oldest})
	}
	for i := range list.Page {
		page.Exceptions = append(page.Exceptions, exceptionOf(&list.Page[i]))
	}
	if list.More {
		last := &list.Page[len(list.Page)-1]
		page.Next = cursorText(waitingPlace{last.Since.UnixMilli(), int64(last.ID)})
	}
	a.answer(w, http.StatusOK, page)
}

func exceptionOf(e *room.Waiting) Exception {
	v := Exception{ID: e.Identity.String(), Last: e.LastLost, Branch: e.Identity.Branch, Reason: e.Reason, Text: e.Text, Since: e.Since, Kind: e.Kind, Scheme: e.Product.Scheme,
		Code: e.Product.Code, Product: e.Name, Lot: e.Lot, Serial: e.Serial, Quantity: e.Quantity, Document: e.Document.Ref, Source: e.From(), Raw: e.Raw(), Remedies: e.Remedies}
	if e.Proposed != nil {
		v.Proposal = e.Proposed.ID
	}
	return v
}

// decide carries out one choice about the movements that the body names.
func (a *API) decide(choice string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Movements []string `json:"movements"`
			Shown     []string `json:"shown"`
			Why       string   `json:"why"`
		}
		carryOut(a, w, r, &asked, func(ctx context.Context) (room.Decided, error) {
			return a.Room.Decide(ctx, room.Decision{Choice: choice, Movements: asked.Movements, Shown: asked.Shown, Who: access.By(r).Who(), Why: asked.Why})
		})
	}
}

func (a *API) correct(w http.ResponseWriter, r *http.Request) {
	var c room.Correction
	carryOut(a, w, r, &c, func(ctx context.Context) (room.Decided, error) {
		c.Who, c.MayApprove = access.By(r).Who(), access.By(r).May(access.Approve)
		return a.Room.Correct(ctx, c)
	})
}

func (a *API) alias(w http.ResponseWriter, r *http.Request) {
	var al room.Alias
	carryOut(a, w, r, &al, func(ctx context.Context) (room.AliasMade, error) {
		al.Who, al.MayApprove = access.By(r).Who(), access.By(r).May(access.Approve)
		return a.Room.Alias(ctx, al)
	})
}

// Proposal is a decision that waits for a second person.
type Proposal struct {
	ID        int64     `json:"id"`
	What      string    `json:"what"`
	Who       string    `json:"who"`
	Why       string    `json:"why"`
	At        time.Time `json:"at"`
	Movements int64     `json:"movements"`
}

func (a *API) proposals(w http.ResponseWriter, r *http.Request) {
	open, err := a.Room.Proposals(r.Context())
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	all := []Proposal{}
	for _, p := range open {
		all = append(all, Proposal{p.ID, p.What, p.Who, p.Why, p.At, p.Movements})
	}
	a.answer(w, http.StatusOK, map[string]any{"proposals": all})
}

// why is the body of what needs a reason only.
type why struct {
	Why string `json:"why"`
}

func (a *API) confirm(w http.ResponseWriter, r *http.Request) {
	a.endProposal(w, r, func(ctx context.Context, id int64, why string) (int, error) {
		return a.Room.Confirm(ctx, id, access.By(r).Who(), why)
	})
}

func (a *API) decline(w http.ResponseWriter, r *http.Request) {
	a.endProposal(w, r, func(ctx context.Context, id int64, why string) (int, error) {
		return 0, a.Room.Decline(ctx, id, access.By(r).Who(), why)
	})
}

func (a *API) endProposal(w http.ResponseWriter, r *http.Request, end func(ctx context.Context, id int64, why string) (int, error)) {
	var asked why
	carryOut(a, w, r, &asked, func(ctx context.Context) (room.Decided, error) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			return room.Decided{}, fault.New(fault.Data, codeBadRequest, "%.40q is no number of a proposal", r.PathValue("id"))
		}
		n, err := end(ctx, id, asked.Why)
		return room.Decided{Done: n, Of: n}, err
	})
}
