package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"branchline/agent/scan"
)

// reply answers a person's action, after it is durable: as JSON to the page's
// script, else by going to the next page.
func (p *Page) reply(w http.ResponseWriter, r *http.Request, a scan.Answer, next string) {
	shown := newAnswer(Station, a, p.Now())
	shown.Action = a.Action || r.URL.Path != "/scan"
	shown.Where = p.whereOf(r, next)
	p.remember(shown)
	p.stream.Changed()
	if !wantsJSON(r) {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	out := shown.event()
	if next != r.Header.Get("X-From") {
		out["go"] = next
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(out)
}

// whereOf is the work that an action belongs to: what it was done in, where it was
// done from, or where it leads.
func (p *Page) whereOf(r *http.Request, next string) string {
	if r.URL.Path == "/scan" {
		if purpose := r.FormValue("purpose"); purpose != "" {
			return purpose
		}
	}
	for _, path := range []string{r.URL.Path, r.Header.Get("X-From"), next} {
		path, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "?")
		head, rest, _ := strings.Cut(path, "/")
		switch {
		case head == "session":
			id, _, _ := strings.Cut(rest, "/")
			if id, err := url.PathUnescape(id); err == nil {
				if v, err := p.Desk.View(id); err == nil {
					return workOf(&v.Work)
				}
				if done, err := p.Desk.Receipt(id); err == nil { // just now
					return string(done.Purpose)
				}
			}
		case head == "paper":
			return string(onPaper)
		case head == "rows":
			return rowsWork
		case head == "lookup":
			return string(scan.LookUp)
		case scan.Purpose(head).Valid():
			return head
		}
	}
	return ""
}

// fail answers an action that was refused.
func (p *Page) fail(w http.ResponseWriter, r *http.Request, err error, back string) {
	if wantsJSON(r) {
		p.reply(w, r, scan.Refuse(err), r.Header.Get("X-From"))
		return
	}
	p.refuse(w, err, back)
}

func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

// sentence begins with a capital and ends with a full stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	first, n := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[n:]
	if !strings.ContainsAny(text[len(text)-1:], ".!?") && !strings.HasSuffix(text, "…") {
		text += "."
	}
	return text
}
