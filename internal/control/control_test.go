package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"branchline/internal/control"
	"branchline/internal/fault"
)

func TestCall(t *testing.T) {
	dir := t.TempDir()
	if err := control.Call(t.Context(), dir, "GET", "/", nil, nil); !errors.Is(err, control.ErrNotRunning) {
		t.Fatalf("with nobody there: %v", err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /double", control.Handle(func(r *http.Request) (any, error) {
		var n int
		err := json.NewDecoder(r.Body).Decode(&n)
		return 2 * n, err
	}))
	mux.Handle("GET /refused", control.Handle(func(*http.Request) (any, error) {
		return nil, fault.New(fault.Data, "unknown_movement", "there is no such movement").WithHint("look again")
	}))
	mux.HandleFunc("GET /text", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a\nb\n") })
	start := func() func() {
		s, err := control.Listen(dir, mux)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		return func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	stop := start()
	info, err := os.Stat(filepath.Join(dir, "control.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v, %v", info.Mode(), err)
	}
	var n int
	if err := control.Call(t.Context(), dir, "POST", "/double", 21, &n); err != nil || n != 42 {
		t.Errorf("%d, %v", n, err)
	}
	var text bytes.Buffer
	if err := control.Call(t.Context(), dir, "GET", "/text", nil, &text); err != nil || text.String() != "a\nb\n" {
		t.Errorf("%q, %v", text.String(), err)
	}
	err = control.Call(t.Context(), dir, "GET", "/refused", nil, nil)
	if fault.ClassOf(err) != fault.Data || fault.CodeOf(err) != "unknown_movement" || fault.HintOf(err) != "look again" {
		t.Errorf("the fault came back as %v", err)
	}
	if err := control.Call(t.Context(), dir, "GET", "/none", nil, nil); err == nil {
		t.Error("no error for a path that is not there")
	}
	stop()
	// A killed process leaves its socket behind.
	if err := os.WriteFile(filepath.Join(dir, "control.sock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start()()
}
