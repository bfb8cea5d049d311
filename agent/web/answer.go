package web

import (
	"encoding/json"
	"net/http"
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
