package app

import (
	"encoding/json"
	"net/http"
	"path/filepath"

	"branchline/hub/room"
	"branchline/internal/control"
	"branchline/internal/fault"
)

// controlRoutes is what the command line may ask of the running hub.
func (a *App) controlRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /alive", control.Handle(func(*http.Request) (any, error) { return a.Alive(), nil }))
	mux.Handle("GET /lines", control.Handle(func(*http.Request) (any, error) { return a.room.Lines(), nil }))
	mux.Handle("POST /decide", control.Handle(func(r *http.Request) (any, error) {
		var d room.Decision
		if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
			return nil, err
		}
		return a.room.Decide(r.Context(), d)
	}))
	mux.Handle("POST /settle", control.Handle(func(r *http.Request) (any, error) {
		var s room.Settlement
		if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
			return nil, err
		}
		return a.room.Settle(r.Context(), s)
	}))
	mux.Handle("POST /alias", control.Handle(func(r *http.Request) (any, error) {
		var al room.Alias
		if err := json.NewDecoder(r.Body).Decode(&al); err != nil {
			return nil, err
		}
		al.MayApprove = true // who reaches the hub's own socket may everything
		return a.room.Alias(r.Context(), al)
	}))
	mux.Handle("POST /alias/remove", control.Handle(func(r *http.Request) (any, error) {
		var al room.Alias
		if err := json.NewDecoder(r.Body).Decode(&al); err != nil {
			return nil, err
		}
		return a.room.RemoveAlias(r.Context(), al)
	}))
	mux.Handle("POST /alias/confirm", control.Handle(func(r *http.Request) (any, error) {
		var al room.Alias
		if err := json.NewDecoder(r.Body).Decode(&al); err != nil {
			return nil, err
		}
		return a.room.ConfirmAliases(r.Context(), al)
	}))
	mux.Handle("POST /restored", control.Handle(func(r *http.Request) (any, error) {
		var done room.Restored
		if err := json.NewDecoder(r.Body).Decode(&done); err != nil {
			return nil, err
		}
		return a.room.Restored(r.Context(), done)
	}))
	mux.Handle("POST /reconcile", control.Handle(func(r *http.Request) (any, error) {
		var c room.CheckNow
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			return nil, err
		}
		return a.room.CheckNow(r.Context(), c)
	}))
	mux.Handle("GET /replenishment", control.Handle(func(r *http.Request) (any, error) { return a.room.Replenishment(r.Context()) }))
	mux.Handle("POST /replenishment/order", control.Handle(func(r *http.Request) (any, error) {
		var o room.OrderStock
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			return nil, err
		}
		return a.room.OrderStock(r.Context(), o)
	}))
	mux.Handle("POST /accept", control.Handle(func(r *http.Request) (any, error) {
		var d room.AcceptDifference
		if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
			return nil, err
		}
		return nil, a.room.AcceptDifference(r.Context(), d)
	}))
	mux.Handle("POST /backup", control.Handle(func(r *http.Request) (any, error) {
		var path string
		if err := json.NewDecoder(r.Body).Decode(&path); err != nil {
			return nil, err
		}
		if !filepath.IsAbs(path) {
			return nil, fault.New(fault.Data, "backup_path", "%q is not an absolute path", path)
		}
		return nil, a.ledger.Backup(r.Context(), path)
	}))
	mux.Handle("POST /user", control.Handle(func(r *http.Request) (any, error) {
		var u User
		if err := json.NewDecoder(r.Body).Decode(&u); err != nil {
			return nil, err
		}
		return a.user(r.Context(), u)
	}))
	mux.Handle("GET /branch", control.Handle(func(r *http.Request) (any, error) { return a.members(r.Context()) }))
	mux.Handle("POST /branch/add", control.Handle(func(r *http.Request) (any, error) {
		var e Enrolment
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			return nil, err
		}
		return a.addCodes(r.Context(), e)
	}))
	mux.Handle("POST /broker", control.Handle(func(r *http.Request) (any, error) {
		var key []byte
		if err := json.NewDecoder(r.Body).Decode(&key); err != nil {
			return nil, err
		}
		return a.forBroker(r.Context(), key)
	}))
	mux.Handle("POST /branch/revoke", control.Handle(func(r *http.Request) (any, error) {
		var e Enrolment
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			return nil, err
		}
		return nil, a.revoke(r.Context(), e)
	}))
	return mux
}
