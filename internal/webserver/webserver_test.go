package webserver_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"branchline/internal/fault"
	"branchline/internal/webserver"
)

func start(t *testing.T, check webserver.Check) string {
	pages := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	s, err := webserver.New(webserver.Config{Listen: "127.0.0.1:0", Hosts: []string{"hub.example"}}, pages, check,
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s.URL()
}

func TestGuard(t *testing.T) {
	url := start(t, func() webserver.Health { return webserver.Health{} })
	cases := map[string]struct {
		method, path string
		header       map[string]string
		host         string
		status       int
	}{
		"the page":               {"GET", "", nil, "", 200},
		"under a known name":     {"GET", "", nil, "hub.example:80", 200},
		"under localhost":        {"GET", "", nil, "LocalHost", 200},
		"under IPv6 loopback":    {"GET", "", nil, "[::1]:8080", 200},
		"under a rebound name":   {"GET", "", nil, "evil.example", 421},
		"under another address":  {"GET", "", nil, "10.0.0.1", 421},
		"a post of its own":      {"POST", "", map[string]string{"Sec-Fetch-Site": "same-origin"}, "", 200},
		"a post of another site": {"POST", "", map[string]string{"Sec-Fetch-Site": "cross-site"}, "", 403},
		"an old browser's post":  {"POST", "", map[string]string{"Origin": "http://evil.example"}, "", 403},
		"health":                 {"GET", "healthz", nil, "", 200},
		"metrics":                {"GET", "metrics", nil, "", 200},
		"assets":                 {"GET", "ui/base.css", nil, "", 200},
		"no such asset":          {"GET", "ui/none.css", nil, "", 404},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequest(c.method, url+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range c.header {
				req.Header.Set(k, v)
			}
			if c.host != "" {
				req.Host = c.host
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != c.status {
				t.Errorf("status %d, want %d", res.StatusCode, c.status)
			}
			if c.status == 200 && !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'self'") {
				t.Error("no content security policy")
			}
		})
	}
}

func TestHealthSaysWhatIsWrong(t *testing.T) {
	for want, h := range map[string]webserver.Health{
		`503 {"ok":false,"problems":["The disk is full."],"warnings":["A file is held."]}`: {Problems: []string{"The disk is full."}, Warnings: []string{"A file is held."}},
		`200 {"ok":true,"problems":[],"warnings":["A file is held."]}`:                     {Warnings: []string{"A file is held."}},
	} {
		res, err := http.Get(start(t, func() webserver.Health { return h }) + "healthz")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if got := fmt.Sprintf("%d %s", res.StatusCode, bytes.TrimSpace(body)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTakenPortIsToldWithTheSetting(t *testing.T) {
	url := start(t, func() webserver.Health { return webserver.Health{} })
	addr := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")
	_, err := webserver.New(webserver.Config{Listen: addr}, http.NotFoundHandler(), nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), slog.New(slog.DiscardHandler))
	if fault.ClassOf(err) != fault.Setup || !strings.Contains(err.Error(), "web.listen") {
		t.Errorf("got %v", err)
	}
}
