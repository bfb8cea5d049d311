package web

import (
	"cmp"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"branchline/hub/access"
	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/movement"
	"branchline/internal/ui"
)

// reconciliationBody is a page of the branches.
type reconciliationBody struct {
	room.Reconciliation
	Form  reconciliationForm
	Shown []room.ReconciledRow
	Fit   int
	Next  string
	// MayCheck tells that the person may have it compared now.
	MayCheck bool
}

// reconciliationForm is which branches are asked for.
type reconciliationForm struct{ Branch, Only string }

// branchPage is how many branches a page shows.
const branchPage = 200

func (s *Site) reconciliation(w http.ResponseWriter, r *http.Request) {
	all, err := s.Room.Reconciliation(r.Context())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	q := r.URL.Query()
	b := reconciliationBody{Reconciliation: all, MayCheck: access.By(r).May(access.Decide),
		Form: reconciliationForm{cut(strings.TrimSpace(q.Get("branch")), 100), cut(q.Get("only"), 20)}}
	from, _ := strconv.Atoi(q.Get("from")) // none, or nonsense: from the first
	for _, row := range all.Rows {
		if !b.Form.fits(&row) {
			continue
		}
		if b.Fit++; b.Fit > max(from, 0) && len(b.Shown) < branchPage {
			b.Shown = append(b.Shown, row)
		}
	}
	if end := max(from, 0) + branchPage; end < b.Fit {
		q.Set("from", strconv.Itoa(end))
		b.Next = "/reconciliation?" + q.Encode()
	}
	s.show(w, r, http.StatusOK, "reconciliation.html", "/reconciliation", frame{Title: "Reconciliation", Body: b})
}

func (f *reconciliationForm) fits(row *room.ReconciledRow) bool {
	if text := strings.ToLower(f.Branch); !strings.Contains(strings.ToLower(row.Code), text) && !strings.Contains(strings.ToLower(row.Name), text) {
		return false
	}
	switch f.Only {
	case "otherwise":
		return row.Last != nil && row.Last.Differences > 0
	case "equal":
		return row.Last != nil && row.Last.Differences == 0
	case "never":
		return row.Last == nil
	}
	return true
}

// reconciledBody is a branch.
type reconciledBody struct {
	room.BranchReconciliation
	MayCheck, MayStart bool
	link               func(ledger.OdooRef) string
}

// Link leads to a document in Odoo.
func (b reconciledBody) Link(model string, id int64) string {
	return b.link(ledger.OdooRef{Model: model, ID: id})
}

func (s *Site) reconciled(w http.ResponseWriter, r *http.Request) {
	found, err := s.Room.BranchReconciliation(r.Context(), r.PathValue("branch"))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	by := access.By(r)
	s.show(w, r, http.StatusOK, "reconciled.html", "/reconciliation", frame{Title: "Reconciliation of " + found.Code,
		Body: reconciledBody{found, by.May(access.Decide), by.May(access.Approve), s.Room.OdooLink}})
}

func (s *Site) checkNow(w http.ResponseWriter, r *http.Request) {
	c := room.CheckNow{Branch: cut(r.FormValue("branch"), 100), Who: access.By(r).Who()}
	to := "/reconciliation"
	if c.Branch != "" {
		to += "/" + url.PathEscape(c.Branch)
	}
	if _, err := s.Room.CheckNow(r.Context(), c); err != nil {
		s.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// startStock has Odoo's stock of a branch taken as it is.
func (s *Site) startStock(w http.ResponseWriter, r *http.Request) {
	c := room.CheckNow{Branch: r.PathValue("branch"), Who: access.By(r).Who(), StartWhy: strings.TrimSpace(cut(r.FormValue("why"), 500))}
	if c.StartWhy == "" {
		s.say(w, r, http.StatusConflict, refused{"Nothing was done", "A word why is missing.", "Say why Odoo's stock is right, such as who has counted it.", back(r)})
		return
	}
	if _, err := s.Room.CheckNow(r.Context(), c); err != nil {
		s.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, "/reconciliation/"+url.PathEscape(c.Branch), http.StatusSeeOther)
}

// acceptBody is a difference in a document that a person can accept.
type acceptBody struct {
	Branch string
	ledger.RecordDifference
	Link string
}

func (s *Site) askAccept(w http.ResponseWriter, r *http.Request) {
	found, err := s.Room.BranchReconciliation(r.Context(), r.PathValue("branch"))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if found.Last != nil {
		for _, d := range found.Last.Result.Records {
			if d.Posting == r.FormValue("posting") && d.Acceptable() {
				s.show(w, r, http.StatusOK, "accept.html", "/reconciliation", frame{Title: "Accept what is in Odoo", Still: true,
					Body: acceptBody{found.Code, d, s.Room.OdooLink(ledger.OdooRef{Model: d.OdooModel, ID: d.OdooID})}})
				return
			}
		}
	}
	s.say(w, r, http.StatusNotFound, refused{"There is no such difference", "The last comparison of " + found.Code + " with Odoo did not find it, or it cannot be accepted.", "It may have been compared meanwhile.", "/reconciliation/" + url.PathEscape(found.Code)})
}

// acceptDifference has a document taken as it is in Odoo.
func (s *Site) acceptDifference(w http.ResponseWriter, r *http.Request) {
	a := room.AcceptDifference{Branch: r.PathValue("branch"), Posting: cut(r.FormValue("posting"), 200), What: ledger.RecordWhat(cut(r.FormValue("what"), 20)),
		Text: cut(r.FormValue("text"), 4000), Who: access.By(r).Who(), Why: strings.TrimSpace(cut(r.FormValue("why"), 500))}
	if a.Why == "" || a.What == "" {
		s.say(w, r, http.StatusConflict, refused{"Nothing was done", "A word why is missing.", "Say why it is right as it is in Odoo, such as who has changed it and what for.", back(r)})
		return
	}
	if err := s.Room.AcceptDifference(r.Context(), a); err != nil {
		s.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, "/reconciliation/"+url.PathEscape(a.Branch), http.StatusSeeOther)
}

func (s *Site) reconciliationCSV(w http.ResponseWriter, r *http.Request) {
	all, err := s.Room.Reconciliation(r.Context())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.sendCSV(w, "reconciliation.csv", func(out io.Writer) error { return room.WriteReconciliation(out, &all) })
}

// reconciledTables are what can be had of a branch as CSV.
var reconciledTables = map[string]func(io.Writer, *ledger.Reconciled) error{
	"days.csv": room.WriteDays, "records.csv": room.WriteRecords, "stock.csv": room.WriteStock,
}

func (s *Site) reconciledCSV(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("table")
	write := reconciledTables[name]
	found, err := s.Room.BranchReconciliation(r.Context(), r.PathValue("branch"))
	switch {
	case err != nil:
		s.refuse(w, r, err)
	case write == nil || found.Last == nil:
		s.nothing(w, r)
	default:
		s.sendCSV(w, found.Code+"-"+name, func(out io.Writer) error { return write(out, found.Last) })
	}
}

func (s *Site) sendCSV(w http.ResponseWriter, name string, write func(io.Writer) error) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("\ufeff")) // a spreadsheet takes it for UTF-8 by this
	if err := write(w); err != nil {
		s.Log.Debug("table not written", "table", name, "err", err)
	}
}

// other counts movements that are not found in Odoo, and says why.
type other struct {
	Text string
	Bad  bool
}

func others(b ledger.Buckets) (all []other) {
	for _, o := range []struct {
		n         int64
		one, more string
		bad       bool
	}{
		{b.Waiting, "on the way", "", false}, {b.Person, "for a person", "", false}, {b.Discarded, "taken out", "", false}, {b.Repeated, "repetition", "repetitions", false},
		{b.Accepted, "accepted", "", false}, {b.Arriving, "just received", "", false}, {b.Changed, "in a changed document", "", true}, {b.Missing, "missing in Odoo", "", true},
		{b.Lost, "lost", "", true}, {b.Damaged, "unreadable", "", true},
	} {
		if o.n != 0 {
			all = append(all, other{ui.Many(o.n, o.one, cmp.Or(o.more, o.one)), o.bad})
		}
	}
	return all
}

// day says a day of a branch.
func day(d movement.Date) string {
	if d.IsZero() {
		return "no time"
	}
	return d.String()
}

// signed says a quantity with its sign.
func signed(q movement.Quantity) string {
	if q > 0 {
		return "+" + q.String()
	}
	return strings.Replace(q.String(), "-", "−", 1)
}
