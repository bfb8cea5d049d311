package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// sessionPage is an open session, a receipt, or the review of a session.
type sessionPage struct {
	card
	Back    string
	Checked bool
	AsOf    time.Time
	Answer  *Answer
	Notices []counter.Notice
	Lines   []line2
	words
	// By is who used the page last.
	By string
	// Open counts notices that must be answered before confirming.
	MustAnswer int
	// Short and Over count lines that differ from the order.
	Short, Over, Extra int
	// Kept are the latest scans that went to a person, AllKept counts all.
	Kept    []counter.Kept
	AllKept int
	// Tracked tells that the lines say where they are.
	Tracked bool
}

// line2 is a product's line as the page shows it.
type line2 struct {
	counter.Line
	Lots []lot
	// Now tells that the latest scan stands here.
	Now bool
	// Way is where its scans are, for a receipt.
	Way []badge
}

type lot struct {
	counter.Lot
	// Many tells that it is not the only lot, or more than one pack.
	Many bool
}

// Of lists the serials that were scanned of a lot, but for what did not come.
func (l line2) Of(o lot) (serials []string) {
	for _, e := range l.Entries {
		if e.Serial != "" && e.Set != "short" && e.Lot == o.Lot.Lot && e.Expiry == o.Expiry {
			serials = append(serials, e.Serial)
		}
	}
	return serials
}

// Title is the product's name, or its code where the name is not known here.
func (l line2) Title() string {
	if l.Name != "" {
		return l.Name
	}
	return "Unknown here"
}

// Code is the product's code with its scheme.
func (l line2) Code() string { return l.Product.Words() }

// AlreadyWords tells of what came before.
func (l line2) AlreadyWords() string {
	if l.Already == 0 {
		return ""
	}
	return l.Already.String() + " came before"
}

// Badge is the line's state in a word.
func (l line2) Badge() badge {
	switch l.State {
	case counter.Waiting:
		return badge{"plain", "waiting"}
	case counter.Partial:
		return badge{"plain", (l.Ordered - l.Already - l.Scanned).String() + " to come"}
	case counter.Complete:
		return badge{"good", "complete"}
	case counter.Over:
		return badge{"warn", (l.Already + l.Scanned - l.Ordered).String() + " too many"}
	case counter.Lacking:
		return badge{"plain", (l.Ordered - l.Already - l.Scanned).String() + " missing"}
	case counter.Extra:
		return badge{"warn", "not on the order"}
	case counter.LookAt:
		return badge{"warn", "look at"}
	}
	return badge{"good", "scanned"}
}

func (p *Page) pageOf(v counter.View, stations ...string) sessionPage {
	page := sessionPage{card: card{v.Work}, Back: backOf(&v.Work), Checked: v.Checked, AsOf: v.AsOf,
		AllKept: v.AllKept, words: wordsOf(v.Purpose), Answer: p.latest(workOf(&v.Work), stations...)}
	for _, k := range v.Kept {
		page.Kept = append(page.Kept, counter.Kept{At: k.At, Why: sentence(k.Why)})
	}
	page.Notices = slices.Clone(v.Notices)
	for i, n := range v.Notices {
		page.Notices[i].Text = sentence(n.Text)
		if n.Open {
			page.MustAnswer++
		}
	}
	for _, l := range v.Lines {
		shown := line2{Line: l}
		for _, o := range l.Lots {
			shown.Lots = append(shown.Lots, lot{o, len(l.Lots) > 1 || o.Quantity != movement.Units(1)})
		}
		for _, e := range l.Entries {
			shown.Now = shown.Now || e.Number == v.Last
		}
		if v.Checked {
			// By the numbers, as a line with something to look at is short or over all
			// the same.
			switch open := max(0, l.Ordered-l.Already); {
			case l.Ordered == 0 && l.Scanned > 0:
				page.Extra++
			case l.Scanned < open:
				page.Short++
			case l.Scanned > open:
				page.Over++
			}
		}
		page.Lines = append(page.Lines, shown)
	}
	return page
}

// session shows an open session.
func (p *Page) session(w http.ResponseWriter, r *http.Request) {
	v, ok := p.view(w, r)
	if !ok {
		return
	}
	if v.Form != "" {
		http.Redirect(w, r, "/paper/"+url.PathEscape(v.ID), http.StatusSeeOther)
		return
	}
	page := p.pageOf(v, append(v.Stations, Station)...)
	p.show(w, http.StatusOK, "session.html", page.Back, frame{Title: page.Name(), Purpose: v.Purpose, Session: v.ID, Body: page})
}

// view is the session of the address; what is confirmed already goes on to its
// receipt.
func (p *Page) view(w http.ResponseWriter, r *http.Request) (counter.View, bool) {
	id := r.PathValue("id")
	v, err := p.Desk.View(id)
	if err == nil {
		return v, true
	}
	if _, gone := p.Desk.Receipt(id); gone == nil {
		http.Redirect(w, r, "/receipt/"+url.PathEscape(id), http.StatusSeeOther)
	} else {
		p.refuse(w, err, "/receive")
	}
	return v, false
}

// entryPage is one scan, to be corrected.
type entryPage struct {
	sessionPage
	Entry counter.Entry
	Line  line2
	// Same counts the entries that are corrected with it; 0 for it alone.
	Same int
}

func (p *Page) entry(w http.ResponseWriter, r *http.Request) {
	v, ok := p.view(w, r)
	if !ok {
		return
	}
	number, _ := strconv.Atoi(r.PathValue("entry"))
	page, same := p.pageOf(v), 0
	if r.FormValue("same") != "" {
		for _, n := range v.Notices {
			if n.Entry == number && n.Alike > 1 {
				same = n.Alike
			}
		}
	}
	for _, l := range page.Lines {
		for _, e := range l.Entries {
			if e.Number == number && v.Form != "" {
				http.Redirect(w, r, fmt.Sprintf("/paper/%s?line=%d", url.PathEscape(v.ID), e.Line), http.StatusSeeOther)
				return
			}
			if e.Number == number {
				p.show(w, http.StatusOK, "entry.html", page.Back, frame{Title: "Change a scan", Purpose: v.Purpose, Body: entryPage{page, e, l, same}})
				return
			}
		}
	}
	p.refuse(w, fault.New(fault.Data, "no_session", "that scan was taken back"), "/session/"+page.Path())
}

// do carries out what a form asks.
func (p *Page) do(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	back := "/session/" + url.PathEscape(id)
	a, err := actionOf(r)
	if err != nil {
		p.fail(w, r, err, back)
		return
	}
	answer, err := p.Desk.Do(r.Context(), id, a)
	if err != nil {
		p.fail(w, r, err, back)
		return
	}
	p.reply(w, r, answer, back)
}

func actionOf(r *http.Request) (counter.Action, error) {
	a := counter.Action{Verb: counter.Verb(r.FormValue("verb")), Station: Station, Code: r.FormValue("code"), Same: r.FormValue("same") != "",
		Lot: strings.TrimSpace(r.FormValue("lot")), Reason: strings.TrimSpace(r.FormValue("reason")), By: strings.TrimSpace(r.FormValue("by"))}
	var err error
	if n := r.FormValue("entry"); n != "" {
		if a.Entry, err = strconv.Atoi(n); err != nil {
			return a, fault.New(fault.Data, "bad_entry", "%.20q is no scan's number", n)
		}
	}
	if q := strings.TrimSpace(r.FormValue("quantity")); q != "" {
		if a.Quantity, err = movement.ParseQuantity(q); err != nil || a.Quantity <= 0 {
			return a, fault.New(fault.Data, "bad_quantity", "%.20q is not a number of packs", q).WithHint("type how many packs there are")
		}
	}
	if d := strings.TrimSpace(r.FormValue("expiry")); d != "" {
		if a.Expiry, err = movement.ParseDate(d); err != nil {
			return a, fault.New(fault.Data, "bad_expiry", "%.20q is not a date", d).WithHint("choose the day; where the pack names only a month, its last day")
		}
	}
	return a, nil
}

// review shows what would be confirmed.
func (p *Page) review(w http.ResponseWriter, r *http.Request) {
	v, ok := p.view(w, r)
	if !ok {
		return
	}
	page := p.pageOf(v)
	page.By = initialsOf(r)
	p.show(w, http.StatusOK, "review.html", page.Back, frame{Title: "Review " + page.Name(), Purpose: v.Purpose, Body: page})
}

func (p *Page) confirm(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	review := "/session/" + url.PathEscape(id) + "/review"
	by, err := p.signed(r)
	if err != nil {
		p.fail(w, r, err, review)
		return
	}
	rememberInitials(w, by)
	receipt, err := p.Desk.Confirm(r.Context(), id, by)
	if err != nil {
		p.fail(w, r, err, review)
		return
	}
	p.reply(w, r, scan.Answer{Sound: scan.OK, Text: nameOf(&receipt.Work) + " is confirmed and safe on this PC"},
		"/receipt/"+url.PathEscape(id))
}

func (p *Page) cancel(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	back := "/session/" + url.PathEscape(id)
	v, err := p.Desk.View(id)
	if err != nil {
		p.fail(w, r, err, "/receive")
		return
	}
	why := strings.TrimSpace(r.FormValue("why"))
	if why == "" {
		p.fail(w, r, fault.New(fault.Data, "no_reason", "say why it is thrown away"), back+"/review")
		return
	}
	by, err := p.signed(r)
	if err != nil {
		p.fail(w, r, err, back+"/review")
		return
	}
	rememberInitials(w, by)
	if err := p.Desk.Cancel(r.Context(), id, by, why); err != nil {
		p.fail(w, r, err, back)
		return
	}
	p.reply(w, r, scan.Answer{Sound: scan.OK, Text: nameOf(&v.Work) + " is thrown away"}, backOf(&v.Work))
}

// receiptPage is a confirmed session, for print.
type receiptPage struct {
	sessionPage
	By          string
	ConfirmedAt time.Time
	Group       string
	Thrown      string
	Way         badge
	// Slip is a transfer's; nil for all else.
	Slip *slip
	// Again counts lines of a form that were recorded before just so, Differ those that
	// said something else then.
	Again, Differ int
	Places        string
	// Sum says where all of it is, Expected what Odoo still expects of its order.
	Sum, Expected string
	// At is when this was shown, Told as of when the hub's word is, and Connected
	// that it is right now.
	At, Told  time.Time
	Connected bool
}

// confirmed is a line's state when nobody looks at it or waits for it any more.
func confirmed(l *counter.Line, checked bool) counter.LineState {
	open := max(0, l.Ordered-l.Already)
	switch {
	case l.State != counter.LookAt && l.State != counter.Waiting && l.State != counter.Partial:
		return l.State
	case !checked:
		return counter.Free
	case l.Ordered == 0:
		return counter.Extra
	case l.Scanned > open:
		return counter.Over
	case l.Scanned < open:
		return counter.Lacking
	}
	return counter.Complete
}

func (p *Page) receipt(w http.ResponseWriter, r *http.Request) {
	receipt, err := p.Desk.Receipt(r.PathValue("id"))
	if err != nil {
		p.refuse(w, err, "/receive")
		return
	}
	state, now := p.State(), p.Now()
	page := receiptPage{sessionPage: p.pageOf(receipt.View), By: receipt.By, ConfirmedAt: receipt.ConfirmedAt, Group: receipt.Group,
		Thrown: receipt.Thrown, Way: p.wayOf(receipt, state.Hub.Connected), Slip: p.slipOf(&receipt, state.Branch), Again: receipt.Again, Differ: receipt.Differ, At: now, Told: p.outcomesAsOf(), Connected: state.Hub.Connected}
	for i := range page.Lines {
		page.Lines[i].State = confirmed(&page.Lines[i].Line, page.Checked)
	}
	page.Tracked = receipt.Thrown == ""
	if page.Tracked {
		t := p.track(&receipt)
		y := t.tally()
		page.Sum, page.Expected = y.sum(now), p.stillExpected(&receipt, &y)
		for i := range page.Lines {
			page.Lines[i].Way = t.line(&page.Lines[i].Line, now)
		}
	}
	if receipt.Epoch != "" {
		page.Places = receipt.Epoch + " live " + strconv.FormatUint(receipt.First, 10) + "–" + strconv.FormatUint(receipt.Through, 10)
	}
	p.show(w, http.StatusOK, "receipt.html", page.Back, frame{Title: "Receipt " + page.Name(), Purpose: receipt.Purpose, State: &state, Body: page})
}

// scan takes a code from the page.
func (p *Page) scan(w http.ResponseWriter, r *http.Request) {
	t := Typed{Text: r.FormValue("text"), Physical: r.FormValue("physical"), ByHand: r.FormValue("hand") != "", Purpose: scan.Purpose(r.FormValue("purpose"))}
	back := "/" + string(t.Purpose)
	if t.Purpose == scan.LookUp {
		back = "/lookup"
		if r.FormValue("from") == "/scanners" {
			back = "/scanners"
		}
	}
	if id := r.FormValue("session"); id != "" {
		back = "/session/" + url.PathEscape(id)
	}
	if t.Text == "" || len(t.Text) > 4096 || len(t.Physical) > 4096 {
		p.fail(w, r, fault.New(fault.Data, "empty_code", "there was no code"), back)
		return
	}
	if !t.Purpose.Valid() {
		p.fail(w, r, fault.New(fault.Data, "no_purpose", "not counted: this page does not say what the scan is for").
			WithHint("open Receive, Dispense, Return, Wastage or Count and scan it there"), r.FormValue("from"))
		return
	}
	// What was scanned is recorded though the browser goes away meanwhile.
	a := p.Typed(context.WithoutCancel(r.Context()), t)
	if id := p.at(t.Purpose); id != "" {
		back = "/session/" + url.PathEscape(id) // the scan has opened it, say
	}
	p.reply(w, r, a, back)
}

// at is the session of the purpose that a person works on at the page; empty
// for none.
func (p *Page) at(purpose scan.Purpose) string {
	for _, c := range p.Desk.Work(purpose) {
		if slices.Contains(c.Stations, Station) {
			return c.ID
		}
	}
	return ""
}
