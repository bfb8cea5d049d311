package app

import (
	"net/http"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// decide carries a person's decision out: retry, release or discard. A retry is
// for what has been mended elsewhere; what was set aside because a person must
// say that it is right goes on by a release only, so that nobody posts it by
// trying everything again.
func (a *App) decide(r *http.Request, d Decision) (int, error) {
	ctx := r.Context()
	decision := ledger.Decision{Choice: ledger.Choice(d.Choice), Who: d.Who, Why: d.Why, At: time.Now()}
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
		decision.Movements = append(decision.Movements, id)
		if decision.Choice != ledger.Retry {
			continue
		}
		if stage, err := a.ledger.ExceptionStage(ctx, id); err != nil {
			return 0, err
		} else if stage == ledger.StageProjection {
			return 0, fault.New(fault.Data, "not_retryable", "%s was set aside for a person to say whether it is right; a retry changes nothing", name).
				WithHint("branchline-hub release posts it as it is, branchline-hub discard takes it out")
		}
	}
	if d.Choice == "release" {
		return a.ledger.Release(ctx, decision)
	}
	return a.ledger.Decide(ctx, decision)
}
