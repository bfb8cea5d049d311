package app_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"branchline/agent/app"
	"branchline/agent/config"
	"branchline/internal/conf"
	"branchline/internal/rig"
)

// configured is an agent of its own, with a page and a hub that is away.
func configured(t *testing.T) (c config.Config, page string) {
	port, err := rig.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	c = config.Default()
	c.Branch, c.DataDir, c.Web.Listen = "BR01", t.TempDir(), fmt.Sprintf("127.0.0.1:%d", port)
	c.Hub.Server, c.Hub.Secret = "mqtt://127.0.0.1:1", conf.NewSecret("secret")
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return c, "http://" + c.Web.Listen
}

// start runs an agent until stop is called.
func start(t *testing.T, c config.Config) (stop func()) {
	t.Helper()
	a, err := app.New(c, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	return func() {
		t.Helper()
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// asked is what the page says to a request.
func asked(t *testing.T, res *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v, %d: %s", err, res.StatusCode, body)
	}
	return string(body)
}

// Whoever has scanned BL-CONFIRM sees after a restart, too, that it took, and
// how far the delivery is.
func TestWhatWasConfirmedIsShownAfterARestart(t *testing.T) {
	c, page := configured(t)
	stop := start(t, c)
	for _, code := range []string{"P00017", "4012345678901", "BL-PERSON", "BL-CONFIRM"} {
		res, err := http.PostForm(page+"/scan", url.Values{"text": {code}, "hand": {"1"}, "purpose": {"receive"}})
		if body := asked(t, res, err); code == "BL-CONFIRM" && !strings.Contains(body, "is confirmed") {
			t.Fatalf("it was not confirmed: %s", body)
		}
	}
	stop()
	stop = start(t, c)
	defer stop()
	for _, path := range []string{"/way", "/receive"} {
		res, err := http.Get(page + path)
		body := asked(t, res, err)
		_, lately, _ := strings.Cut(body, "Confirmed or thrown away lately")
		for _, want := range []string{"P00017", "Safe here, not yet sent"} {
			if !strings.Contains(lately, want) {
				t.Errorf("%s does not show %q of what was confirmed:\n%s", path, want, body)
			}
		}
	}
}

// An agent for which neither scanner nor export is configured yet runs all the
// same.
func TestAnAgentWithoutScannersAndExportsRuns(t *testing.T) {
	c, _ := configured(t)
	a, err := app.New(c, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	select {
	case err := <-done:
		t.Fatalf("it ended: %v", err)
	case <-time.After(300 * time.Millisecond): // it used to end at once
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
