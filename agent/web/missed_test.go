package web_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"branchline/agent/scan"
	"branchline/internal/ui/uitest"
)

// gate lets a page's stream through, or not, and can break it.
type gate struct {
	mu     sync.Mutex
	open   bool
	breaks []context.CancelFunc
}

func (g *gate) between(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/events" {
			h.ServeHTTP(w, r)
			return
		}
		ctx, end := context.WithCancel(r.Context())
		defer end()
		g.mu.Lock()
		open := g.open
		g.breaks = append(g.breaks, end)
		g.mu.Unlock()
		if !open {
			// As a server that is just beginning: the browser comes again.
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = w.Write([]byte("retry: 100\n\n"))
			return
		}
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = open
	for _, end := range g.breaks {
		end()
	}
	g.breaks = nil
}

// What a scan came to while the page was just opening, or while its stream was
// broken, is told once the stream is there; and an older one never takes the place
// of what was told later.
func TestAMissedAnswerIsToldWhenTheStreamOpens(t *testing.T) {
	var g gate
	site, url := serveThrough(t, newDesk(), g.between)
	g.set(true)
	page := uitest.Open(t, url+"/receive")
	page.WaitText("P00017")
	for i, text := range []string{"one counted", "two counted"} {
		g.set(false)
		if i == 0 {
			page.Go(url + "/receive")
			page.WaitText("P00017")
		}
		uitest.Eval[bool](page, `delete document.documentElement.dataset.beep`)
		page.Wait(`!document.querySelector("#answer").innerText.toLowerCase().includes("` + text + `")`)
		site.Beep("goods-in", scan.Answer{Sound: scan.Warn, Text: text})
		g.set(true)
		page.Wait(`document.querySelector("#answer").innerText.toLowerCase().includes("` + text + `")`)
		page.Wait(`document.documentElement.dataset.beep === "warn"`)
	}
	uitest.Eval[bool](page, `(import("/ui/answer.js").then(a => { const old = document.getElementById("answer").cloneNode(true);
		old.dataset.stamp = 1; old.querySelector(".what").textContent = "older"; a.missed(old); window.told = true }), true)`)
	page.Wait("window.told === true")
	if got := page.Text("#answer .what"); got == "older" {
		t.Error("an older answer took the place of a later one")
	}
}
