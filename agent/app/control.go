package app

import (
	"net/http"

	"branchline/agent/outbox"
	"branchline/agent/receive"
	"branchline/internal/control"
)

// Overview is the outbox at a glance, with what the stages keep in it that is no
// movement yet.
type Overview struct {
	outbox.Overview
	Open receive.Waiting `json:"open"`
}

// Inspect tells what is in an outbox, a running agent's or a file.
func Inspect(src outbox.Source) (v Overview, err error) {
	if v.Overview, err = outbox.Inspect(src); err != nil {
		return v, err
	}
	v.Open, err = receive.CountWaiting(src)
	if err != nil && len(v.Damage) > 0 {
		err = nil // which says so
	}
	return v, err
}

// controlRoutes is what the command line may ask of the running agent.
func (a *App) controlRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /outbox", control.Handle(func(*http.Request) (any, error) {
		return Inspect(a.outbox)
	}))
	mux.Handle("GET /outbox/verify", control.Handle(func(r *http.Request) (any, error) {
		return outbox.Verify(r.Context(), a.outbox)
	}))
	mux.HandleFunc("GET /outbox/export", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		if n, err := outbox.Export(r.Context(), a.outbox, w); err != nil {
			a.log.Error("outbox not exported", "records", n, "err", err)
			// The client must not take half of it for all.
			panic(http.ErrAbortHandler)
		}
	})
	return mux
}
