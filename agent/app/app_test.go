package app_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"branchline/agent/app"
	"branchline/agent/config"
	"branchline/internal/conf"
)

// An agent for which neither scanner nor export is configured yet runs all the
// same.
func TestAnAgentWithoutScannersAndExportsRuns(t *testing.T) {
	c := config.Default()
	c.Branch, c.DataDir, c.Web.Listen = "BR01", t.TempDir(), "127.0.0.1:0"
	c.Hub.Server, c.Hub.Secret = "mqtt://127.0.0.1:1", conf.NewSecret("secret")
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
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
