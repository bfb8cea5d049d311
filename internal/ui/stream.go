package ui

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Bounds of a stream. A page that reads too slowly is let go: the browser
// comes back by itself, and asks for the page anew.
const (
	maxPages  = 64
	maxQueued = 64
	heartbeat = 15 * time.Second
	patience  = 10 * time.Second
)

// Stream tells open pages what happened, as server-sent events. The zero value
// is ready; safe for concurrent use. Nothing it sends is the truth: a page that
// missed an event asks for itself when the stream is back.
type Stream struct {
	mu    sync.Mutex
	pages map[*page]struct{}
	ended bool
}

type page struct {
	// changed has room for one: many changes at once are one to a page.
	changed chan struct{}
	events  chan []byte
}

// Changed says that pages should ask for themselves again. It never waits.
func (s *Stream) Changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.pages {
		select {
		case p.changed <- struct{}{}:
		default:
		}
	}
}

// Send tells all pages an event with v as JSON. It never waits.
func (s *Stream) Send(event string, v any) {
	body, err := json.Marshal(v)
	if err != nil || strings.ContainsAny(event, "\r\n") {
		return // of our own making, and a page is no place to fail for it
	}
	message := fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, body)
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.pages {
		select {
		case p.events <- message:
		default: // it is let go by its own writer
			close(p.events)
			delete(s.pages, p)
		}
	}
}

// End lets all pages go, and takes no more: open streams would hold up the end
// of the server.
func (s *Stream) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for p := range s.pages {
		close(p.events)
		delete(s.pages, p)
	}
}

// ServeHTTP keeps a page informed until it goes away.
func (s *Stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := s.join()
	if p == nil {
		w.Header().Set("Retry-After", "30")
		http.Error(w, "Too many pages are open.", http.StatusServiceUnavailable)
		return
	}
	defer s.leave(p)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	line := http.NewResponseController(w)
	send := func(message []byte) bool {
		// The server's own limits are for pages that end.
		_ = line.SetWriteDeadline(time.Now().Add(patience))
		if _, err := w.Write(message); err != nil {
			return false
		}
		return line.Flush() == nil
	}
	_ = line.SetReadDeadline(time.Time{})
	if !send([]byte("retry: 2000\n\n")) {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for ok := true; ok; {
		select {
		case <-r.Context().Done():
			return
		case message, open := <-p.events:
			ok = open && send(message)
		case <-p.changed:
			ok = send([]byte("event: changed\ndata: {}\n\n"))
		case <-beat.C:
			ok = send([]byte(": still here\n\n"))
		}
	}
}

func (s *Stream) join() *page {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(s.pages) >= maxPages {
		return nil
	}
	if s.pages == nil {
		s.pages = map[*page]struct{}{}
	}
	p := &page{changed: make(chan struct{}, 1), events: make(chan []byte, maxQueued)}
	s.pages[p] = struct{}{}
	return p
}

func (s *Stream) leave(p *page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pages, p)
}
