package app

import (
	"net/http"

	"branchline/agent/outbox"
	"branchline/internal/control"
)

// controlRoutes is what the command line may ask of the running agent.
func (a *App) controlRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /outbox", control.Handle(func(*http.Request) (any, error) {
		return outbox.Inspect(a.outbox)
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
