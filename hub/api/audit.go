package api

import (
	"net/http"
	"time"

	"branchline/hub/ledger"
)

// Entry is one of the audit trail.
type Entry struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	Who     string    `json:"who"`
	Action  string    `json:"action"`
	Subject string    `json:"subject"`
	Detail  string    `json:"detail"`
	Hash    string    `json:"hash"`
}

func (a *API) audit(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := ledger.AuditFilter{Who: q.Get("who"), Action: q.Get("action"), Text: q.Get("text")}
	var err error
	if f.Limit, err = limitOf(r, maxPage); err == nil {
		f.From, err = momentOf(r, "from")
	}
	if err == nil {
		f.To, err = momentOf(r, "to")
	}
	if err == nil {
		_, err = cursorOf(r, &f.Before)
	}
	var found []ledger.Entry
	var next int64
	if err == nil {
		found, next, err = a.Room.AuditEntries(r.Context(), f)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	page := struct {
		Entries []Entry `json:"entries"`
		Next    string  `json:"next,omitempty"`
	}{Entries: make([]Entry, len(found))}
	for i, e := range found {
		page.Entries[i] = Entry{e.ID, e.At, e.Who, e.Action, e.Subject, e.Detail, e.Hash.String()}
	}
	if next > 0 {
		page.Next = cursorText(next)
	}
	a.answer(w, http.StatusOK, page)
}

func (a *API) verifyAudit(w http.ResponseWriter, r *http.Request) {
	holds, err := a.Room.VerifyAudit(r.Context())
	f, ok := faultOf(err)
	if err != nil && (!ok || f.Code != "audit_altered") {
		a.refuse(w, r, err)
		return
	}
	answer := map[string]any{"holds": holds, "whole": err == nil}
	if err != nil {
		answer["broken"] = f.Error()
	}
	a.answer(w, http.StatusOK, answer)
}
