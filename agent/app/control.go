package app

import (
	"net/http"

	"branchline/agent/dispense"
	"branchline/agent/outbox"
	"branchline/agent/receive"
	"branchline/internal/conf"
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

// Told is what a file of an export is called in all that is kept, logged and sent; As is
// empty where no agent has read an export yet.
type Told struct {
	As string `json:"as"`
}

// ToldAs finds that in an outbox, a running agent's or a file.
func ToldAs(exports []dispense.Export, src outbox.Source, export, file string) (t Told, err error) {
	for i := range exports {
		if exports[i].Name == export {
			t.As, err = dispense.ToldAs(&exports[i], src, file)
			return t, err
		}
	}
	return t, conf.Bad("export", export, "is none of the agent's: it was started with another configuration")
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
	mux.Handle("GET /exports/told", control.Handle(func(r *http.Request) (any, error) {
		return ToldAs(a.cfg.Exports.Exports, a.outbox, r.FormValue("export"), r.FormValue("file"))
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
