package ledger

import (
	"context"
	"errors"
	"slices"

	"branchline/internal/fault"
)

// Releasable are the reasons that a person may set aside for a movement: what
// the planner refuses because it would be a guess, and Odoo would accept.
var Releasable = []string{"over_receipt", "not_on_order", "order_not_open", "unknown_lot", "expired_lot", "serial_repeated", "more_than_sent", "taken_in_before", "no_box_number"}

// stageRelease marks a retry ruling that also sets its reason aside.
const stageRelease = "release"

const codeNotReleasable = "not_releasable"

// Release lets movements go on although the reason of their exception still
// holds, all or none; it returns how many exceptions it met. What the projector
// set aside for a person's eye goes on by it as it is. Another reason that is not
// in [Releasable], and what a release would not change, is a fault of class Data,
// "not_releasable", a movement that the hub never received one of
// "unknown_movement", and nothing is done. Choice is not used.
func (l *Ledger) Release(ctx context.Context, d Decision) (done int, err error) {
	d.Choice, d.release = Retry, true
	return l.carryOut(ctx, d, (*Tx).release)
}

func (t *Tx) release(o *opener, id MovementID, d Decision) (bool, error) {
	var stage, reason string
	err := t.Row(`SELECT stage, reason FROM exceptions WHERE id = $1`, int64(id)).Scan(&stage, &reason)
	if errors.Is(err, errNoRows) {
		return false, t.received(id)
	}
	if err != nil {
		return false, err
	}
	if stage == StageProjection {
		return t.decide(o, id, d)
	}
	name, err := t.w.l.identity(t, id)
	if err != nil {
		return false, err
	}
	if !slices.Contains(Releasable, reason) {
		return false, fault.New(fault.Data, codeNotReleasable, "%s is refused for %s, which cannot be released", name, reason).
			WithHint("mend what is wrong and try it again with branchline-hub retry, or take it out with branchline-hub discard")
	}
	// The newest ruling counts for the movement's state, so the retry comes last.
	if err := t.rule(id, d.At, ruledRetry, storable(d.Who), Refusal{Stage: stageRelease, Reason: reason, Text: storable(d.Why)}); err != nil {
		return false, err
	}
	return t.decide(o, id, d)
}

// Released gives the reasons that were set aside for pending movements of a
// branch, as they are now: what was released before it was corrected was
// something else.
func (l *Ledger) Released(ctx context.Context, branch string) (map[MovementID][]string, error) {
	r := l.reader(ctx)
	id, ok, err := branchID(r, branch)
	if err != nil || !ok {
		return nil, classify(err)
	}
	all := map[MovementID][]string{}
	err = r.Rows(`SELECT r.movement_id, r.reason FROM rulings r JOIN movements m ON m.id = r.movement_id
		WHERE r.stage = 'release' AND m.branch_id = $1 AND m.state = 1
			AND NOT EXISTS (SELECT 1 FROM rulings c WHERE c.movement_id = r.movement_id AND c.what = $2 AND c.id > r.id)
		ORDER BY r.id`, []any{id, int64(ruledCorrected)}, func(row Row) error {
		var id int64
		var reason string
		err := row.Scan(&id, &reason)
		all[MovementID(id)] = append(all[MovementID(id)], reason)
		return err
	})
	return all, classify(err)
}
