package projection

import (
	"database/sql"
	"errors"
	"slices"
	"time"

	"branchline/hub/ledger"
)

// ReasonSettledOtherwise is a branch's own word about a capture of which somebody
// had said or done something else before.
const ReasonSettledOtherwise = "settled_otherwise"

// settlement takes down what a branch's own people said about an earlier capture
// with a problem, and has that one looked at again. It may not have come yet: it
// is in the other lane. A session that was thrown away stands in the audit trail,
// and nothing else comes of it.
func (w *writing) settlement(branch int64, id ledger.MovementID, r *reading, c *circumstances) error {
	s := &r.m.Settles
	if r.bad != nil || s.Key == "" || c.repeat {
		return nil
	}
	dismissed := 0
	if s.Dismissed {
		dismissed = 1
	}
	target, problem, err := w.keyed(branch, s.Key)
	if err != nil {
		return err
	}
	waits := 0
	if target == 0 {
		waits = 1
	}
	isNew, err := w.tx.Exec(`INSERT INTO settlements (branch_id, settled_key, movement_id, dismissed, who, why, at, waits)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (branch_id, settled_key) DO NOTHING`,
		branch, s.Key, int64(id), dismissed, r.m.By, s.Why, r.m.RecordedAt.UnixMilli(), waits)
	if err != nil {
		return err
	}
	if isNew == 1 && waits == 1 {
		w.waiting[branchKey{branch, s.Key}] = id
	}
	object := func(text string) {
		c.overruled = &objection{reason: ReasonSettledOtherwise, field: "settles.key", text: text,
			hint: "compare both; branchline-hub discard takes this one out, branchline-hub release lets it go on as well"}
	}
	if first, _, err := w.settledBy(branch, s.Key); err != nil || first != id {
		object("the branch had settled " + s.Key + " before")
		return err
	}
	if _, ok := r.m.ThrownAway(); ok {
		return w.tx.ThrownAway(id, &r.m, time.Now())
	}
	if target == 0 {
		return nil
	}
	if !problem {
		object(s.Key + ", which the branch has settled by this, had no problem")
		return nil
	}
	if isNew == 1 {
		if err := w.lookAgain(target); err != nil {
			return err
		}
	}
	gone, err := w.wentOn(target)
	if gone {
		object("what the branch has settled by this had been released at the hub, and goes on as it was")
	}
	return err
}

// branchKey is a natural key at a branch.
type branchKey struct {
	branch int64
	key    string
}

// waitingSettlements gives what was settled and has not come yet.
func (w *writing) waitingSettlements() (map[branchKey]ledger.MovementID, error) {
	all := map[branchKey]ledger.MovementID{}
	err := w.tx.Rows(`SELECT branch_id, settled_key, movement_id FROM settlements WHERE waits = 1`, nil, func(row ledger.Row) error {
		var k branchKey
		var id int64
		err := row.Scan(&k.branch, &k.key, &id)
		all[k] = ledger.MovementID(id)
		return err
	})
	return all, err
}

// hasCome has what settled a capture looked at again when that has come after it.
func (w *writing) hasCome(branch int64, key string) error {
	k := branchKey{branch, key}
	by, ok := w.waiting[k]
	if !ok {
		return nil
	}
	delete(w.waiting, k)
	if _, err := w.tx.Exec(`UPDATE settlements SET waits = 0 WHERE branch_id = $1 AND settled_key = $2`, branch, key); err != nil {
		return err
	}
	return w.lookAgain(by)
}

// settled finds out whether the branch's own people have dealt with a capture
// with a problem. One that has gone on nevertheless has what they said looked at
// again.
func (w *writing) settled(branch int64, id ledger.MovementID, r *reading, c *circumstances) error {
	if r.bad != nil || r.problem == nil || r.m.NaturalKey == "" {
		return nil
	}
	by, found, err := w.settledBy(branch, r.m.NaturalKey)
	if err != nil || !found {
		return err
	}
	if first, _, err := w.keyed(branch, r.m.NaturalKey); err != nil || first != id {
		return err
	}
	c.settled = true
	if gone, err := w.wentOn(id); err != nil || !gone {
		return err
	}
	return w.lookAgain(by)
}

// wentOn tells whether a capture with a problem was released or corrected by a person, or is
// in a document, itself or by an equal one.
func (w *writing) wentOn(id ledger.MovementID) (bool, error) {
	f, err := factsOf(w.tx, id, id)
	if err != nil {
		return false, err
	}
	if f != nil && (len(f.holdings) > 0 || slices.ContainsFunc(f.rulings[id], func(r ledger.Ruling) bool { return r.Retry || r.Corrected != nil })) {
		return true, nil
	}
	var repeats int64
	err = w.tx.Row(`SELECT COUNT(*) FROM held_repeats WHERE first_id = $1`, int64(id)).Scan(&repeats)
	return repeats > 0, err
}

// keyed gives the first movement of a natural key, 0 for none.
func (w *writing) keyed(branch int64, key string) (id ledger.MovementID, problem bool, err error) {
	var movement, doubt int64
	err = w.tx.Row(`SELECT movement_id, problem FROM natural_keys WHERE branch_id = $1 AND natural_key = $2`, branch, key).Scan(&movement, &doubt)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return ledger.MovementID(movement), doubt == 1, err
}

func (w *writing) settledBy(branch int64, key string) (by ledger.MovementID, found bool, err error) {
	var id int64
	err = w.tx.Row(`SELECT movement_id FROM settlements WHERE branch_id = $1 AND settled_key = $2`, branch, key).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return ledger.MovementID(id), err == nil, err
}

func (w *writing) lookAgain(id ledger.MovementID) error {
	_, err := w.tx.Exec(`INSERT INTO reconsider (id) SELECT id FROM movements WHERE id = $1 ON CONFLICT (id) DO NOTHING`, int64(id))
	return err
}
