package web

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/room"
)

// auditBody is a page of the audit trail.
type auditBody struct {
	Who, Action, Text, From, To string
	Entries                     []ledger.Entry
	Next                        string
	// Checked tells that the chain was gone through: Holds entries are whole,
	// Broken says what is wrong with the next.
	Checked bool
	Holds   int64
	Broken  string
	Export  string
}

func (s *Site) audit(w http.ResponseWriter, r *http.Request) { s.showAudit(w, r, auditBody{}) }

func (s *Site) showAudit(w http.ResponseWriter, r *http.Request, b auditBody) {
	q := r.URL.Query()
	get := func(name string) string { return cut(strings.TrimSpace(q.Get(name)), 200) }
	b.Who, b.Action, b.Text, b.From, b.To = get("who"), get("action"), get("text"), get("from"), get("to")
	f, err := b.filter()
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	f.Before, _ = strconv.ParseInt(get("before"), 10, 64) // none, or nonsense: from the newest
	var next int64
	if b.Entries, next, err = s.Room.AuditEntries(r.Context(), f); err != nil {
		s.refuse(w, r, err)
		return
	}
	q.Del("before")
	b.Export = "/audit.csv?" + q.Encode()
	if next > 0 {
		q.Set("before", strconv.FormatInt(next, 10))
		b.Next = "/audit?" + q.Encode()
	}
	s.show(w, r, http.StatusOK, "audit.html", "/audit", frame{Title: "Audit trail", Still: true, Body: b})
}

func (b *auditBody) filter() (f ledger.AuditFilter, err error) {
	f = ledger.AuditFilter{Who: b.Who, Action: b.Action, Text: b.Text}
	if f.From, err = dayOf(b.From, 0); err == nil {
		f.To, err = dayOf(b.To, 1)
	}
	return f, err
}

func (s *Site) verifyAudit(w http.ResponseWriter, r *http.Request) {
	b := auditBody{Checked: true}
	var err error
	if b.Holds, err = s.Room.VerifyAudit(r.Context()); err != nil {
		f, ok := faultOf(err)
		if !ok || f.Code != "audit_altered" {
			s.refuse(w, r, err)
			return
		}
		b.Broken = sentence(f.Error())
	}
	s.showAudit(w, r, b)
}

// auditExport writes all entries that the page's question finds, the newest first.
func (s *Site) auditExport(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	b := auditBody{Who: q.Get("who"), Action: q.Get("action"), Text: q.Get("text"), From: q.Get("from"), To: q.Get("to")}
	f, err := b.filter()
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	row := csvRows(w)
	kind, name := "text/csv; charset=utf-8", "audit.csv"
	if strings.HasSuffix(r.URL.Path, ".ndjson") {
		kind, name, row = "application/x-ndjson", "audit.ndjson", ndjsonRows(w)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	line := http.NewResponseController(w)
	f.Limit = 1000
	for {
		page, next, err := s.Room.AuditEntries(r.Context(), f)
		if err != nil {
			s.Log.Error("audit trail not exported", "err", err)
			panic(http.ErrAbortHandler) // a file that ends too early must not look whole
		}
		for i := range page {
			if row(&page[i]) != nil {
				return // nobody reads any more
			}
		}
		_ = line.SetWriteDeadline(time.Now().Add(30 * time.Second))
		if f.Before = next; next == 0 {
			_ = row(nil)
			return
		}
	}
}

// entryLine is an entry in an export; hash binds it to the one before.
type entryLine struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	Who     string    `json:"who"`
	Action  string    `json:"action"`
	Subject string    `json:"subject"`
	Detail  string    `json:"detail"`
	Hash    string    `json:"hash"`
}

func ndjsonRows(w http.ResponseWriter) func(*ledger.Entry) error {
	enc := json.NewEncoder(w)
	return func(e *ledger.Entry) error {
		if e == nil {
			return nil
		}
		return enc.Encode(entryLine{e.ID, e.At, e.Who, e.Action, e.Subject, e.Detail, e.Hash.String()})
	}
}

func csvRows(w http.ResponseWriter) func(*ledger.Entry) error {
	out := csv.NewWriter(w)
	begun := false
	return func(e *ledger.Entry) error {
		if !begun {
			begun = true
			_ = out.Write([]string{"id", "at", "who", "action", "subject", "detail", "hash"})
		}
		if e == nil {
			out.Flush()
			return out.Error()
		}
		return out.Write([]string{strconv.FormatInt(e.ID, 10), e.At.Format(time.RFC3339Nano), room.Cell(e.Who), room.Cell(e.Action), room.Cell(e.Subject), room.Cell(e.Detail), e.Hash.String()})
	}
}
