package api

import (
	"net/http"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Movement is one, as it was captured, and how far it has come.
type Movement struct {
	ID          string            `json:"id"`
	Branch      string            `json:"branch"`
	Kind        movement.Kind     `json:"kind"`
	State       string            `json:"state"`
	Scheme      movement.Scheme   `json:"scheme"`
	Code        string            `json:"code"`
	Product     string            `json:"product,omitempty"`
	Lot         string            `json:"lot,omitempty"`
	Expiry      movement.Date     `json:"expiry,omitzero"`
	Serial      string            `json:"serial,omitempty"`
	Quantity    movement.Quantity `json:"quantity"`
	Unit        string            `json:"unit,omitempty"`
	OccurredAt  time.Time         `json:"occurred_at"`
	RecordedAt  time.Time         `json:"recorded_at"`
	Document    string            `json:"document,omitempty"`
	Counterpart string            `json:"counterpart,omitempty"`
	Reason      string            `json:"reason,omitempty"`
	// Posting and OdooName are of the document it is in; Exception says why it
	// waits for a person.
	Posting   string `json:"posting,omitempty"`
	OdooName  string `json:"odoo_name,omitempty"`
	Exception string `json:"exception,omitempty"`
	Source    string `json:"source,omitempty"`
	// Paper is the number and the line of the form from which it was typed in.
	Paper string `json:"paper,omitempty"`
}

func movementOf(m *ledger.Movement) Movement {
	return Movement{ID: m.Identity.String(), Branch: m.Identity.Branch, Kind: m.Kind, State: m.State.String(), Scheme: m.Product.Scheme, Code: m.Product.Code,
		Lot: m.Lot, Expiry: m.Expiry, Serial: m.Serial, Quantity: m.Quantity, Unit: m.Unit, OccurredAt: m.OccurredAt, RecordedAt: m.RecordedAt,
		Document: m.Document.Ref, Counterpart: m.Counterpart, Reason: m.Reason, Paper: m.Paper}
}

// maxPage is the longest page of a list.
const maxPage = 1000

// place is where a list of movements goes on.
type place struct {
	At int64
	ID string
}

func (a *API) movements(w http.ResponseWriter, r *http.Request) {
	s, err := searchOf(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	found, err := a.Room.Find(r.Context(), s)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	page := struct {
		Movements []Movement `json:"movements"`
		Next      string     `json:"next,omitempty"`
	}{Movements: make([]Movement, len(found))}
	for i := range found {
		f := &found[i]
		v := movementOf(&f.Movement)
		v.Product, v.Posting, v.OdooName, v.Exception, v.Source = f.Name, f.Posting, f.Odoo.Name, f.ExceptionText, ledger.SourceWords(&f.Source)
		page.Movements[i] = v
	}
	if n := len(found); n == s.Limit {
		page.Next = cursorText(place{found[n-1].OccurredAt.UnixMilli(), found[n-1].Identity.String()})
	}
	a.answer(w, http.StatusOK, page)
}

func searchOf(r *http.Request) (s ledger.Search, err error) {
	q := r.URL.Query()
	s = ledger.Search{Branch: q.Get("branch"), Lot: q.Get("lot"), Serial: q.Get("serial"), Document: q.Get("document"), Kind: movement.Kind(q.Get("kind"))}
	if p := q.Get("product"); p != "" {
		s.Codes = []string{p}
	}
	if s.Limit, err = limitOf(r, maxPage); err != nil {
		return s, err
	}
	if name := q.Get("state"); name != "" {
		for _, state := range ledger.States {
			if state.String() == name {
				s.State = state
			}
		}
		if s.State == 0 {
			return s, fault.New(fault.Data, codeBadRequest, "state: there is no state %.32q", name)
		}
	}
	if s.Kind != "" && ledger.KindNumber(s.Kind) == 0 {
		return s, fault.New(fault.Data, codeBadRequest, "kind: there is no kind %.32q", s.Kind)
	}
	if s.From, err = momentOf(r, "from"); err != nil {
		return s, err
	}
	if s.To, err = momentOf(r, "to"); err != nil {
		return s, err
	}
	var c place
	if found, err := cursorOf(r, &c); err != nil || !found {
		return s, err
	}
	id, err := movement.ParseID(c.ID)
	if err != nil {
		return s, fault.New(fault.Data, codeBadRequest, "cursor: it is none that was given out")
	}
	s.After = &ledger.Movement{Identity: id, OccurredAt: time.UnixMilli(c.At)}
	return s, nil
}

func momentOf(r *http.Request, name string) (time.Time, error) {
	s := r.URL.Query().Get(name)
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fault.New(fault.Data, codeBadRequest, "%s: %.40q is no moment", name, s).WithHint("write it as 2026-11-23T09:00:00Z")
	}
	return t, nil
}

// Step is something that happened to a movement on its way.
type Step struct {
	At     time.Time `json:"at"`
	Who    string    `json:"who,omitempty"`
	What   string    `json:"what"`
	Detail string    `json:"detail,omitempty"`
	Proof  string    `json:"proof,omitempty"`
}

func (a *API) movement(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("branch") + "/" + r.PathValue("epoch") + "/" + r.PathValue("lane") + "/" + r.PathValue("seq")
	id, err := movement.ParseID(name)
	if err != nil {
		a.refuse(w, r, fault.New(fault.Data, codeBadRequest, "%w", err))
		return
	}
	t, err := a.Room.Trace(r.Context(), id)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer := struct {
		ID string `json:"id"`
		// Record is exactly what the branch recorded, nothing for what is no
		// movement; Hash is the chain's after it.
		Record   *movement.Movement `json:"record,omitempty"`
		Hash     string             `json:"hash"`
		Movement *Movement          `json:"movement,omitempty"`
		Steps    []Step             `json:"steps"`
	}{ID: id.String(), Record: t.Record, Hash: t.Trace.Record.Hash.String(), Steps: []Step{}}
	if t.Movement != nil {
		v := movementOf(t.Movement)
		v.Product = t.Name
		if t.Posting != nil {
			v.Posting, v.OdooName = t.Posting.Name, t.Posting.Odoo.Name
		}
		if t.Exception != nil {
			v.Exception = t.Exception.Text
		}
		answer.Movement = &v
	}
	for _, s := range t.Steps {
		answer.Steps = append(answer.Steps, Step{s.At, s.Who, s.What, s.Detail, s.Proof})
	}
	a.answer(w, http.StatusOK, answer)
}

// Stock is what the ledger implies about a lot at a branch.
type Stock struct {
	Branch    string            `json:"branch"`
	Unit      string            `json:"unit,omitempty"`
	Expiry    movement.Date     `json:"expiry,omitzero"`
	CameIn    movement.Quantity `json:"came_in"`
	WentOut   movement.Quantity `json:"went_out"`
	OnHand    movement.Quantity `json:"on_hand"`
	CountedAt time.Time         `json:"counted_at,omitzero"`
}

// Lot is one lot number as it was written.
type Lot struct {
	Lot      string       `json:"lot"`
	Asked    bool         `json:"asked"`
	Products []LotProduct `json:"products"`
	// Waiting counts movements of the lot that wait for a person.
	Waiting int64 `json:"waiting"`
}

// LotProduct is one product of a lot number.
type LotProduct struct {
	// Codes are those under which it moved, Scheme and Code the first of them.
	Codes      []Code          `json:"codes"`
	Scheme     movement.Scheme `json:"scheme"`
	Code       string          `json:"code"`
	Product    string          `json:"product,omitempty"`
	Branches   []Stock         `json:"branches"`
	WithoutLot []Stock         `json:"without_lot"`
}

// Code is a product code.
type Code struct {
	Scheme movement.Scheme `json:"scheme"`
	Code   string          `json:"code"`
}

func (a *API) recall(w http.ResponseWriter, r *http.Request) {
	lot := r.URL.Query().Get("lot")
	if lot == "" || len(lot) > 200 {
		a.refuse(w, r, fault.New(fault.Data, codeBadRequest, "lot: which one").WithHint("add ?lot=…"))
		return
	}
	found, err := a.Room.Recall(r.Context(), lot)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	lots := []Lot{}
	for _, f := range found {
		l := Lot{Lot: f.Lot, Asked: f.Asked, Products: []LotProduct{}, Waiting: f.Waits}
		for i := range f.Products {
			l.Products = append(l.Products, lotProduct(&f.Products[i]))
		}
		lots = append(lots, l)
	}
	waiting, branches, err := a.Room.LotUnknown(r.Context())
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.answer(w, http.StatusOK, map[string]any{"lots": lots, "lot_unknown": map[string]int64{"waiting": waiting, "branches": branches}})
}

func lotProduct(p *room.RecalledProduct) LotProduct {
	stock := func(list []ledger.Stock) []Stock {
		all := []Stock{}
		for _, s := range list {
			all = append(all, Stock{s.Branch, s.Unit, s.Expiry, s.CameIn, s.WentOut, s.OnHand, s.CountedAt})
		}
		return all
	}
	codes := make([]Code, len(p.Codes))
	for i, c := range p.Codes {
		codes[i] = Code{c.Scheme, c.Code}
	}
	return LotProduct{codes, p.Codes[0].Scheme, p.Codes[0].Code, p.Name, stock(p.Branches), stock(p.WithoutLot)}
}
