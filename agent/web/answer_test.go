package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"branchline/agent/scan"
	"branchline/agent/staff"
	"branchline/agent/web"
)

func text(t *testing.T, res *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// What a scan came to stands where it was scanned, and on no page of other work.
func TestAnAnswerStaysWithItsWork(t *testing.T) {
	site, err := web.New(web.Options{Desk: newDesk(), Rows: newRows(), Log: slog.New(slog.DiscardHandler), State: func() web.State { return web.State{Branch: "Branch 12"} },
		Stations: func(scan.Purpose) []string { return nil },
		Typed: func(_ context.Context, in web.Typed) scan.Answer {
			return scan.Answer{Sound: scan.OK, Text: "counted for " + string(in.Purpose)}
		}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(site)
	defer server.Close()
	for _, purpose := range []string{"wastage", "dispense"} {
		res, err := http.PostForm(server.URL+"/scan", url.Values{"text": {"04012345678901"}, "purpose": {purpose}})
		text(t, res, err)
	}
	for path, want := range map[string]string{"/wastage": "Counted for wastage", "/dispense": "Counted for dispense", "/return": "", "/rows": "", "/lookup": ""} {
		res, err := http.Get(server.URL + path)
		body := text(t, res, err)
		if want != "" && !strings.Contains(body, want) {
			t.Errorf("%s does not say %q", path, want)
		}
		for _, other := range []string{"Counted for wastage", "Counted for dispense"} {
			if other != want && strings.Contains(body, other) {
				t.Errorf("%s says %q", path, other)
			}
		}
	}
}

// Where people have PINs, no row is corrected or dismissed without one.
func TestWhoeverSettlesARowSigns(t *testing.T) {
	hash, err := staff.Hash("4711")
	if err != nil {
		t.Fatal(err)
	}
	people, err := staff.New(staff.Config{Users: []staff.User{{Initials: "AB", PIN: hash}}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	values := url.Values{"v": {"01234562", "12", "23.11.2026 09:14", "B-2207", "3"}}
	correct := url.Values{"v": values["v"], "seen": {values.Encode()}, "do": {"record"}, "why": {"typed wrongly"}}
	for name, c := range map[string]struct {
		path string
		form url.Values
		did  bool
	}{
		"corrected, no PIN":         {"/rows/aa", correct, false},
		"dismissed, no PIN":         {"/rows/aa/dismiss", url.Values{"why": {"a copy"}}, false},
		"a file dismissed, no PIN":  {"/rows/dismiss", url.Values{"export": {"till"}, "file": {"sales-20261120.csv"}, "why": {"a copy"}}, false},
		"corrected, with it":        {"/rows/aa", correct, true},
		"dismissed, with it":        {"/rows/aa/dismiss", url.Values{"why": {"a copy"}}, true},
		"a file dismissed, with it": {"/rows/dismiss", url.Values{"export": {"till"}, "file": {"sales-20261120.csv"}, "why": {"a copy"}}, true},
	} {
		b := newRows()
		site, err := web.New(web.Options{Desk: newDesk(), Rows: b, Staff: people, Log: slog.New(slog.DiscardHandler), State: func() web.State { return web.State{} }})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(site)
		form := url.Values{"by": {"AB"}}
		for k, v := range c.form {
			form[k] = v
		}
		if c.did {
			form.Set("pin", "4711")
		}
		res, err := http.PostForm(server.URL+c.path, form)
		body := text(t, res, err)
		server.Close()
		if (b.said() != "") != c.did || !c.did && !strings.Contains(body, "do not belong together") {
			t.Errorf("%s: did %q, says\n%s", name, b.said(), body)
		}
	}
}
