package app

import (
	"encoding/json"
	"net/http"
	"path/filepath"

	"branchline/internal/control"
	"branchline/internal/fault"
)

// Decision is what a person decides about exceptions, on the control socket.
type Decision struct {
	Choice    string   `json:"choice"`
	Movements []string `json:"movements"`
	Who       string   `json:"who"`
	Why       string   `json:"why"`
}

// Alias says which product of Odoo a code means, on the control socket.
type Alias struct {
	Scheme string `json:"scheme"`
	Code   string `json:"code"`
	// Product is its internal reference or barcode in Odoo.
	Product string `json:"product"`
	// Ahead allows a code that no movement has had yet.
	Ahead bool `json:"ahead"`
	// Overrule allows a code by which Odoo itself knows a product.
	Overrule bool   `json:"overrule"`
	Who      string `json:"who"`
	Why      string `json:"why"`
}

// AliasMade is the answer to an [Alias].
type AliasMade struct {
	// Scheme and Code are in the form by which codes are compared.
	Scheme string `json:"scheme"`
	Code   string `json:"code"`
	// Product is its name in Odoo; Released counts what goes on by it.
	Product  string `json:"product"`
	Released int    `json:"released"`
	// Overruled is what Odoo itself knows by the code, empty for nothing.
	Overruled string `json:"overruled,omitempty"`
}

// controlRoutes is what the command line may ask of the running hub.
func (a *App) controlRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /alive", control.Handle(func(*http.Request) (any, error) { return a.Alive(), nil }))
	mux.Handle("GET /lines", control.Handle(func(*http.Request) (any, error) { return a.lines(), nil }))
	mux.Handle("POST /decide", control.Handle(func(r *http.Request) (any, error) {
		var d Decision
		if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
			return nil, err
		}
		return a.decide(r, d)
	}))
	mux.Handle("POST /alias", control.Handle(func(r *http.Request) (any, error) {
		var al Alias
		if err := json.NewDecoder(r.Body).Decode(&al); err != nil {
			return nil, err
		}
		return a.alias(r, al)
	}))
	mux.Handle("POST /alias/remove", control.Handle(func(r *http.Request) (any, error) {
		var al Alias
		if err := json.NewDecoder(r.Body).Decode(&al); err != nil {
			return nil, err
		}
		return a.removeAlias(r, al)
	}))
	mux.Handle("POST /alias/confirm", control.Handle(func(r *http.Request) (any, error) {
		var al Alias
		if err := json.NewDecoder(r.Body).Decode(&al); err != nil {
			return nil, err
		}
		return a.confirmAliases(r, al)
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
	return mux
}
