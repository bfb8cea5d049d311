package ledger

import (
	"context"
	"errors"
	"slices"

	"branchline/internal/fault"
)

// Releasable are the reasons that a person may set aside for a movement: what
// the planner refuses because it would be a guess, and Odoo would accept.
var Releasable = []string{"over_receipt", "not_on_order", "order_not_open", "unknown_lot", "expired_lot", "serial_repeated"}

// stageRelease marks a retry ruling that also sets its reason aside.
const stageRelease = "release"

// Release lets movements go on although the reason of their exception still
// holds; it returns how many exceptions it met. A reason that is not in
// [Releasable] is a fault of class Data, "not_releasable", a movement that the
// hub never received one of "unknown_movement", and nothing is done.
// Choice is not used.
func (l *Ledger) Release(ctx context.Context, d Decision) (done int, err error) {
	d.Choice = Retry
	return l.carryOut(ctx, d, (*Tx).release)
}

func (t *Tx) release(o *opener, id MovementID, d Decision) (bool, error) {
	var reason string
	err := t.Row(`SELECT reason FROM exceptions WHERE id = $1`, int64(id)).Scan(&reason)
	if errors.Is(err, errNoRows) {
		return false, t.received(id)
	}
	if err != nil {
		return false, err
	}
	name, err := t.w.l.identity(t, id)
	if err != nil {
		return false, err
	}
	if !slices.Contains(Releasable, reason) {
		return false, fault.New(fault.Data, "not_releasable", "%s is refused for %s, which cannot be released", name, reason).
			WithHint("mend what is wrong and retry, or discard it")
	}
	// The newest ruling counts for the movement's state, so the retry comes last.
	if err := t.rule(id, d.At, ruledRetry, storable(d.Who), Refusal{Stage: stageRelease, Reason: reason, Text: storable(d.Why)}); err != nil {
		return false, err
	}
	if err := t.Audit(Entry{At: d.At, Who: d.Who, Action: "release", Subject: name.String(), Detail: reason + ": " + d.Why}); err != nil {
		return false, err
	}
	return t.decide(o, id, d)
}

// Released gives the reasons that were set aside for pending movements of a
// branch.
func (l *Ledger) Released(ctx context.Context, branch string) (map[MovementID][]string, error) {
	r := l.reader(ctx)
	id, ok, err := branchID(r, branch)
	if err != nil || !ok {
		return nil, classify(err)
	}
	all := map[MovementID][]string{}
	err = r.Rows(`SELECT r.movement_id, r.reason FROM rulings r JOIN movements m ON m.id = r.movement_id
		WHERE r.stage = 'release' AND m.branch_id = $1 AND m.state = 1 ORDER BY r.id`, []any{id}, func(row Row) error {
		var id int64
		var reason string
		err := row.Scan(&id, &reason)
		all[MovementID(id)] = append(all[MovementID(id)], reason)
		return err
	})
	return all, classify(err)
}
