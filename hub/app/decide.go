package app

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/productcode"
)

// decide carries a person's decision out: retry, release or discard. A retry is
// for what has been mended elsewhere; what was set aside because a person must
// say that it is right goes on by a release only, so that nobody posts it by
// trying everything again.
func (a *App) decide(r *http.Request, d Decision) (int, error) {
	ctx := r.Context()
	decision := ledger.Decision{Choice: ledger.Choice(d.Choice), Who: d.Who, Why: d.Why, At: time.Now()}
	var judged, others []ledger.MovementID // by a person's eye, or by what was mended
	for _, s := range d.Movements {
		name, err := movement.ParseID(s)
		if err != nil {
			return 0, fault.New(fault.Data, "unknown_movement", "%w", err).
				WithHint("name it as branchline-hub exceptions does")
		}
		id, err := a.ledger.Find(ctx, name)
		if err != nil {
			return 0, err
		}
		stage, err := a.stageOf(ctx, name)
		if err != nil {
			return 0, err
		}
		if stage == ledger.StageProjection {
			judged = append(judged, id)
		} else {
			others = append(others, id)
		}
		if stage == ledger.StageProjection && decision.Choice == ledger.Retry {
			return 0, fault.New(fault.Data, "not_retryable", "%s was set aside for a person to say whether it is right; a retry changes nothing", name).
				WithHint("branchline-hub release posts it as it is, discard takes it out")
		}
	}
	if d.Choice != "release" {
		decision.Movements = append(others, judged...)
		return a.ledger.Decide(ctx, decision)
	}
	decision.Choice, decision.Movements = ledger.Retry, others
	done, err := a.ledger.Release(ctx, decision)
	if err != nil {
		return done, err
	}
	decision.Movements = judged
	n, err := a.ledger.Decide(ctx, decision)
	return done + n, err
}

// stageOf is the stage of a movement's open exception, empty for none.
func (a *App) stageOf(ctx context.Context, name movement.ID) (string, error) {
	t, err := a.ledger.Trace(ctx, name)
	if fault.CodeOf(err) == "unknown_movement" {
		return "", nil // of what was lost there is no record
	}
	if err != nil || t.Exception == nil {
		return "", err
	}
	return t.Exception.Stage, nil
}

// product is an alias' code in the form by which codes are compared.
func (al *Alias) product() (movement.Product, error) {
	p := movement.Product{Scheme: movement.Scheme(al.Scheme), Code: al.Code}
	if !slices.Contains(movement.Schemes, p.Scheme) {
		return p, fault.New(fault.Data, "unknown_scheme", "%q is no numbering of products", al.Scheme).
			WithHint(fmt.Sprintf("it is one of %v, as branchline-hub exceptions shows it", movement.Schemes))
	}
	return productcode.Normal(p)
}

// alias says which product of Odoo a code means. A code that never came is
// refused: a wrong digit would post another medicine later.
func (a *App) alias(r *http.Request, al Alias) (AliasMade, error) {
	code, err := al.product()
	if err != nil {
		return AliasMade{}, err
	}
	if !al.Ahead {
		known, err := a.ledger.KnowsProduct(r.Context(), code)
		if err != nil {
			return AliasMade{}, err
		}
		if !known {
			return AliasMade{}, fault.New(fault.Data, "unknown_code", "no movement ever came with %s %s", code.Scheme, code.Code).
				WithHint("compare it with branchline-hub exceptions, or say --ahead if it is still to come")
		}
	}
	ps, err := a.odoo.ProductsNamed(r.Context(), al.Product)
	if err != nil {
		return AliasMade{}, err
	}
	if len(ps) != 1 {
		return AliasMade{}, fault.New(fault.Data, "unknown_product", "%d products of Odoo have the reference or barcode %q", len(ps), al.Product).
			WithHint("name one by its internal reference")
	}
	p := ps[0]
	n, err := a.ledger.SetAlias(r.Context(), ledger.Alias{Product: code, ProductID: p.ID, ProductName: p.Name, Who: al.Who, Why: al.Why, At: time.Now()})
	return AliasMade{Scheme: string(code.Scheme), Code: code.Code, Product: fmt.Sprintf("%s (%s)", p.Name, p.Code), Released: n}, err
}

func (a *App) removeAlias(r *http.Request, al Alias) (AliasMade, error) {
	code, err := al.product()
	if err != nil {
		return AliasMade{}, err
	}
	n, err := a.ledger.RemoveAlias(r.Context(), ledger.Alias{Product: code, Who: al.Who, Why: al.Why, At: time.Now()})
	return AliasMade{Scheme: string(code.Scheme), Code: code.Code, Released: n}, err
}
