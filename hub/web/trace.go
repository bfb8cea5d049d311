package web

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// findBody is the search and what it found.
type findBody struct {
	// Form is what was asked, as it was typed.
	Form   findForm
	Found  []room.Found
	Asked  bool
	Wrong  string
	Next   string
	Kinds  []movement.Kind
	States []ledger.State
}

// findForm are the fields of the search.
type findForm struct{ Product, Lot, Serial, Document, Branch, Kind, State, From, To string }

// pageSize is how many movements a page shows.
const pageSize = 100

func (s *Site) find(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	get := func(name string) string { return cut(strings.TrimSpace(q.Get(name)), 200) }
	b := findBody{Form: findForm{get("product"), get("lot"), get("serial"), get("document"), get("branch"), get("kind"), get("state"), get("from"), get("to")},
		Kinds: movement.Kinds, States: ledger.States}
	b.Asked = b.Form != findForm{}
	if id, err := movement.ParseID(get("q")); err == nil {
		http.Redirect(w, r, "/movements/"+id.String(), http.StatusSeeOther)
		return
	}
	if b.Asked {
		search, err := b.Form.search()
		if err == nil {
			search.After, err = afterOf(get("after"), search)
		}
		if err == nil {
			b.Found, err = s.Room.Find(r.Context(), search)
		}
		if f, ok := faultOf(err); ok && f.Class == fault.Data {
			b.Wrong = sentence(f.Error())
		} else if err != nil {
			s.refuse(w, r, err)
			return
		}
		if len(b.Found) == pageSize {
			last := &b.Found[pageSize-1]
			q.Set("after", last.OccurredAt.UTC().Format(time.RFC3339Nano)+" "+last.Identity.String())
			b.Next = "/trace?" + q.Encode()
		}
	}
	s.show(w, r, http.StatusOK, "trace.html", "/trace", frame{Title: "Trace", Still: true, Body: b})
}

// search is what the form asks for.
func (f *findForm) search() (s ledger.Search, err error) {
	s = ledger.Search{Branch: f.Branch, Lot: f.Lot, Serial: f.Serial, Document: f.Document, Kind: movement.Kind(f.Kind), Limit: pageSize}
	if f.Product != "" {
		s.Codes = []string{f.Product}
	}
	for _, state := range ledger.States {
		if f.State == state.String() {
			s.State = state
		}
	}
	if s.From, err = dayOf(f.From, 0); err != nil {
		return s, err
	}
	s.To, err = dayOf(f.To, 1)
	return s, err
}

// dayOf is the beginning of a day as the form gives it, some days later.
func dayOf(s string, later int) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, s, time.Local)
	if err != nil {
		return t, fault.New(fault.Data, "bad_date", "%.20q is no date", s).WithHint("write it as 2026-11-23")
	}
	return t.AddDate(0, 0, later), nil
}

// afterOf reads where the page before ended; it only says where to go on.
func afterOf(text string, s ledger.Search) (*ledger.Movement, error) {
	if text == "" {
		return nil, nil
	}
	at, name, _ := strings.Cut(text, " ")
	t, err := time.Parse(time.RFC3339Nano, at)
	if err == nil {
		if id, e := movement.ParseID(name); e == nil {
			return &ledger.Movement{OccurredAt: t, Identity: id}, nil
		}
	}
	return nil, fault.New(fault.Data, "bad_page", "the address of this page is not whole").WithHint("search again")
}

func (s *Site) movement(w http.ResponseWriter, r *http.Request) {
	id, err := movement.ParseID(r.PathValue("id"))
	if err != nil {
		s.nothing(w, r)
		return
	}
	t, err := s.Room.Trace(r.Context(), id)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "movement.html", "/trace", frame{Title: "Movement", Body: t})
}

// recallBody is the question and its answer.
type recallBody struct {
	Lot   string
	Found []room.Recalled
	CSV   string
	// Unknown counts what waits and may be of any lot, at how many branches.
	Unknown, UnknownAt int64
}

func (s *Site) recall(w http.ResponseWriter, r *http.Request) {
	b := recallBody{Lot: cut(strings.TrimSpace(r.URL.Query().Get("lot")), 100)}
	if b.Lot != "" {
		b.CSV = "/recall.csv?lot=" + url.QueryEscape(b.Lot)
		var err error
		if b.Found, err = s.Room.Recall(r.Context(), b.Lot); err != nil {
			s.refuse(w, r, err)
			return
		}
		if b.Unknown, b.UnknownAt, err = s.Room.LotUnknown(r.Context()); err != nil {
			s.refuse(w, r, err)
			return
		}
	}
	s.show(w, r, http.StatusOK, "recall.html", "/recall", frame{Title: "Recall", Still: true, Body: b})
}

func (s *Site) recallCSV(w http.ResponseWriter, r *http.Request) {
	lot := strings.TrimSpace(r.URL.Query().Get("lot"))
	found, err := s.Room.Recall(r.Context(), lot)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.sendCSV(w, "recall.csv", func(out io.Writer) error { return room.WriteRecall(out, found) })
}
