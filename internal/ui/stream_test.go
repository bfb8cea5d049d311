package ui_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"branchline/internal/ui"
)

// open reads the stream; the lines come without the empty ones.
func open(t *testing.T, url string) (lines <-chan string, leave func()) {
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	c := make(chan string, 1024)
	go func() {
		defer close(c)
		defer res.Body.Close()
		for s := bufio.NewScanner(res.Body); s.Scan(); {
			if s.Text() != "" {
				c <- s.Text()
			}
		}
	}()
	if first := <-c; first != "retry: 2000" {
		t.Fatalf("the stream begins with %q", first)
	}
	return c, cancel
}

func TestStreamTellsEveryOpenPage(t *testing.T) {
	var s ui.Stream
	server := httptest.NewServer(&s)
	defer server.Close()
	one, leave := open(t, server.URL)
	two, leaveTwo := open(t, server.URL)
	defer leave()
	defer leaveTwo()
	s.Send("answer", map[string]string{"sound": "ok", "text": "two\nlines"})
	for _, page := range []<-chan string{one, two} {
		if got := []string{<-page, <-page}; got[0] != "event: answer" || got[1] != `data: {"sound":"ok","text":"two\nlines"}` {
			t.Errorf("got %q", got)
		}
	}
	s.Changed()
	if got := <-one; got != "event: changed" {
		t.Errorf("got %q", got)
	}
}

func TestStreamEndsWithTheServer(t *testing.T) {
	var s ui.Stream
	server := httptest.NewServer(&s)
	defer server.Close()
	page, leave := open(t, server.URL)
	defer leave()
	s.End()
	if line, more := <-page; more {
		t.Errorf("a line after the end: %q", line)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("a page after the end is answered %d", w.Code)
	}
}

// A page that does not read holds up neither the sender nor the others.
func TestStreamLetsGoOfAPageThatDoesNotRead(t *testing.T) {
	var s ui.Stream
	stuck := make(chan struct{})
	let := make(chan struct{})
	go s.ServeHTTP(&slow{ResponseRecorder: httptest.NewRecorder(), stuck: stuck, let: let}, httptest.NewRequest("GET", "/", nil))
	<-stuck
	for range 1000 {
		s.Send("answer", strings.Repeat("x", 100))
	}
	close(let)
	server := httptest.NewServer(&s)
	defer server.Close()
	page, leave := open(t, server.URL)
	defer leave()
	s.Send("answer", "still here")
	if <-page; <-page != `data: "still here"` {
		t.Error("the page beside it was not told")
	}
	s.End()
}

type slow struct {
	*httptest.ResponseRecorder
	stuck chan struct{}
	let   chan struct{}
}

func (s *slow) Write(b []byte) (int, error) {
	select {
	case <-s.let:
	default:
		close(s.stuck)
		<-s.let
	}
	return s.ResponseRecorder.Write(b)
}
