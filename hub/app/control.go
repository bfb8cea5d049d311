package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/control"
	"branchline/internal/fault"
	"branchline/internal/movement"
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
	Who     string `json:"who"`
	Why     string `json:"why"`
}

// AliasMade is the answer to an [Alias].
type AliasMade struct {
	// Product is its name in Odoo; Released counts the exceptions that go on.
	Product  string `json:"product"`
	Released int    `json:"released"`
}

// controlRoutes is what the command line may ask of the running hub.
func (a *App) controlRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /alive", control.Handle(func(*http.Request) (any, error) { return a.Alive(), nil }))
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

func (a *App) decide(r *http.Request, d Decision) (int, error) {
	var ids []ledger.MovementID
	for _, s := range d.Movements {
		name, err := movement.ParseID(s)
		if err != nil {
			return 0, fault.New(fault.Data, "unknown_movement", "%w", err).
				WithHint("name it as branchline-hub exceptions does")
		}
		id, err := a.ledger.Find(r.Context(), name)
		if err != nil {
			return 0, err
		}
		ids = append(ids, id)
	}
	return a.ledger.Decide(r.Context(), ledger.Decision{Choice: ledger.Choice(d.Choice), Movements: ids,
		Who: d.Who, Why: d.Why, At: time.Now()})
}

func (a *App) alias(r *http.Request, al Alias) (AliasMade, error) {
	ps, err := a.odoo.ProductsNamed(r.Context(), al.Product)
	if err != nil {
		return AliasMade{}, err
	}
	if len(ps) != 1 {
		return AliasMade{}, fault.New(fault.Data, "unknown_product", "%d products of Odoo have the reference or barcode %q", len(ps), al.Product).
			WithHint("name one by its internal reference")
	}
	p := ps[0]
	n, err := a.ledger.SetAlias(r.Context(), ledger.Alias{Product: movement.Product{Scheme: movement.Scheme(al.Scheme), Code: al.Code},
		ProductID: p.ID, ProductName: p.Name, Who: al.Who, Why: al.Why, At: time.Now()})
	return AliasMade{Product: fmt.Sprintf("%s (%s)", p.Name, p.Code), Released: n}, err
}
