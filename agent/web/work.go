package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"branchline/agent/counter"
	"branchline/agent/scan"
	"branchline/internal/movement"
	"branchline/internal/ui"
)

// words are what a purpose is called on the page.
type words struct{ Heading, Lead, Fresh, Noun, Column, EmptyHead, EmptyText, Review string }

var purposes = map[scan.Purpose]words{
	scan.Receive: {"Which delivery?", "Scan its order or delivery note, choose it here, or begin without an order.",
		"Receive without an order", "Delivery", "Scanned",
		"No delivery is expected.", "Odoo has no open receipt for this branch, or the hub has not sent it yet. You can receive without an order.", "It was not compared with an order."},
	scan.Dispense: {"Dispense", "Each scan counts at once. Begin a list to look at several together, and to be able to take one back.",
		"Begin a list", "Dispensing", "Packs", "", "", "What is confirmed has left the branch."},
	scan.Return:  {"Returned by a customer", "Each scan counts at once. Begin a list to look at several together, and to be able to take one back.", "Begin a list", "Return", "Packs", "", "", "What is confirmed is in stock again."},
	scan.Wastage: {"Wastage", "Begin a list, scan what is thrown away, say why of each, then confirm.", "Begin a list", "Wastage", "Packs", "", "", "What is confirmed leaves the stock as scrap."},
	scan.Count: {"Which count?", "Scan every pack of what you count. What is confirmed says how many there are.",
		"Begin a count", "Count", "Counted", "", "", "What is confirmed says how many there are."},
	scan.TransferOut: {"Send to another branch", "Choose the branch, scan what goes into the box, then confirm. The printed receipt goes into the box.", "", "Transfer", "Packs", "", "",
		"What is confirmed leaves the stock here, and is in transit in Odoo until the other branch takes it in."},
	scan.TransferIn: {"Take in from another branch", "Scan the barcode on the paper in the box, or choose the branch that sent it. Then scan what came.", "", "Transfer", "Packs", "", "",
		"What is confirmed is in stock here, and no longer in transit."},
}

// Head is the column's word where a phone shows it beside the number.
func (w words) Head() string { return strings.ToLower(w.Column) }

func wordsOf(p scan.Purpose) words {
	if w, ok := purposes[p]; ok {
		return w
	}
	return words{Heading: string(p), Fresh: "Begin", Noun: "Work", Column: "Packs", Review: "Nothing is recorded before it is confirmed."}
}

// card is one line of the list of what there is to do.
type card struct{ counter.Work }

// Path is the session's part of an address.
func (c card) Path() string { return url.PathEscape(c.ID) }

// Name is what people call it.
func (c card) Name() string { return nameOf(&c.Work) }

func nameOf(w *counter.Work) string {
	known := w.Document.Ref != "" && w.Document.Type != "session"
	switch {
	case w.Form != "" && known:
		return w.Document.Ref + ", form " + w.Form.String()
	case w.Form != "":
		return "Form " + w.Form.String()
	case known:
		return w.Document.Ref
	}
	return wordsOf(w.Purpose).Noun + " of " + w.Opened.Format("15:04")
}

// Stations are the scanners that work on it, the page left out.
func (c card) Stations() string {
	return strings.Join(slices.DeleteFunc(slices.Clone(c.Work.Stations), func(s string) bool { return s == Station }), ", ")
}

// Progress says how far it is.
func (c card) Progress() string {
	if c.Ordered != 0 {
		return c.Scanned.String() + " of " + c.Ordered.Of("pack", "packs")
	}
	return ui.Many(c.Entries, "scan", "scans")
}

// DueWords is when it is due, empty when nobody knows.
func (c card) DueWords() string {
	if c.Due.IsZero() {
		return ""
	}
	return dayWords(c.Due, time.Now())
}

func dayWords(day, now time.Time) string {
	day = day.In(now.Location())
	date := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	switch days := int(date(day).Sub(date(now)).Hours() / 24); {
	case days == 0:
		return "today"
	case days == 1:
		return "tomorrow"
	case days == -1:
		return "yesterday"
	case days < 0:
		return day.Format("2 Jan") + ", late"
	}
	return day.Format("2 Jan")
}

// done is what was confirmed lately.
type done struct {
	counter.Receipt
	Way badge
}

// Path and Name are as those of a card.
func (d done) Path() string { return url.PathEscape(d.ID) }
func (d done) Name() string { return nameOf(&d.Work) }

// Noun is what kind of work it was.
func (d done) Noun() string { return wordsOf(d.Purpose).Noun }

// mostDone is how many of what was confirmed lately a page lists.
const mostDone = 10

// doneLately is what was confirmed lately for a purpose, the newest first; of
// all purposes for an empty one, and of what was typed in from forms for onPaper.
// It is read from the disk, so that a restart of the agent hides none.
func (p *Page) doneLately(purpose scan.Purpose, connected bool) (list []done) {
	for _, r := range p.Desk.Receipts() {
		if (purpose == "" || r.Purpose == purpose || purpose == onPaper && r.Form != "") && len(list) < mostDone {
			list = append(list, done{r, p.wayOf(r, connected)})
		}
	}
	return list
}

// badge is a state in a word, with its class.
type badge struct{ Class, Word string }

type workPage struct {
	words
	// Choose is for transfers: the other branch.
	Choose *choice
	// Typing asks for the numbers of packs that cannot be scanned.
	Typing         bool
	Purpose        scan.Purpose
	Answer         *Answer
	Open, Expected []card
	Done           []done
}

// work shows what there is to do of one purpose.
func (p *Page) work(w http.ResponseWriter, _ *http.Request, purpose scan.Purpose) {
	body := workPage{words: wordsOf(purpose), Purpose: purpose, Answer: p.latest(string(purpose), append(p.Stations(purpose), Station)...)}
	body.Typing = purpose != scan.Receive && !transfer(purpose)
	if transfer(purpose) {
		body.Choose = p.choice(purpose)
	}
	for _, c := range p.Desk.Work(purpose) {
		if c.ID != "" {
			body.Open = append(body.Open, card{c})
		} else {
			body.Expected = append(body.Expected, card{c})
		}
	}
	state := p.State()
	body.Done = p.doneLately(purpose, state.Hub.Connected)
	p.show(w, http.StatusOK, "work.html", "/"+string(purpose), frame{Title: body.Heading, Purpose: purpose, State: &state, Body: body})
}

// open begins or joins a session, with the scanners that are for it.
func (p *Page) open(w http.ResponseWriter, r *http.Request) {
	purpose := scan.Purpose(r.FormValue("purpose"))
	doc := movement.Document{Type: r.FormValue("type"), Ref: r.FormValue("ref")}
	back := "/" + string(purpose)
	if _, known := purposes[purpose]; !known {
		back = "/receive"
	}
	busy := p.busy(purpose)
	var id string
	var a scan.Answer
	var err error
	if branch := r.FormValue("branch"); branch != "" {
		id, a, err = p.Desk.OpenTransfer(r.Context(), purpose, branch, Station)
	} else {
		id, a, err = p.Desk.Open(r.Context(), purpose, doc, Station)
	}
	if err != nil {
		p.fail(w, r, err, back)
		return
	}
	if doc.Ref == "" { // the scanners join this one, and open none of their own
		doc = movement.Document{Type: "session", Ref: id}
		if v, err := p.Desk.View(id); err == nil && v.Counterpart != "" {
			doc = v.Document
		}
	}
	for _, station := range p.Stations(purpose) {
		if busy[station] {
			continue // it works on another one: its scans stay there
		}
		if _, _, err := p.Desk.Open(r.Context(), purpose, doc, station); err != nil {
			p.Log.Warn("a scanner could not be put to a session", "scanner", station, "session", id, "err", err)
		}
	}
	p.reply(w, r, a, "/session/"+url.PathEscape(id))
}

// busy are the stations that work on a session.
func (p *Page) busy(purpose scan.Purpose) map[string]bool {
	busy := map[string]bool{}
	for _, c := range p.Desk.Work(purpose) {
		for _, station := range c.Stations {
			busy[station] = true
		}
	}
	return busy
}
