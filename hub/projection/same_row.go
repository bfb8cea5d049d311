package projection

import (
	"errors"
	"fmt"
	"slices"

	"branchline/hub/ledger"
	"branchline/internal/movement"
)

// ReasonRowCorrected is a row of an export that went on already, as a person at the
// hub has corrected it when it could not be read.
const ReasonRowCorrected = "row_corrected"

// rival is another movement of the same row.
type rival struct {
	id      ledger.MovementID
	bad     bool
	state   ledger.State
	posting int64
}

// sameRow finds out whether the row of an export is counted already: as what a
// person has made of it when it was bad, or as itself. One of them goes on, the
// others go to a person. What a person has released is an event of its own.
func (w *writing) sameRow(branch int64, id ledger.MovementID, r *reading, c *circumstances) error {
	if r.bad != nil || r.m.NaturalKey == "" {
		return nil
	}
	key, bad := r.m.NaturalKey, r.problem != nil && !r.understood
	row, keyed := movement.RowKey(key)
	if !keyed && bad {
		row = movement.RowPlace(&r.m)
	}
	switch {
	case bad && row != "":
		if c.holding == nil && !slices.ContainsFunc(c.rulings, func(g ledger.Ruling) bool { return g.Corrected != nil }) {
			return nil
		}
		key = row
	case c.repeat || !w.rows:
		return nil
	default:
		bad = false
	}
	rivals, err := w.rivals(branch, id, key)
	if err != nil || !bad && !slices.ContainsFunc(rivals, func(o rival) bool { return o.bad }) {
		return err
	}
	isBad := 0
	if bad {
		isBad, w.rows = 1, true
	}
	isNew, err := w.tx.Exec(`INSERT INTO same_row (id, branch_id, natural_key, bad) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
		int64(id), branch, key, isBad)
	if err != nil || bad && !keyed { // where it stands tells a person only
		return err
	}
	if isNew == 1 {
		if err := w.lookAtRow(rivals); err != nil {
			return err
		}
	}
	if !bad && releasedFor(c.rulings, ReasonRowCorrected) {
		return nil
	}
	for _, o := range rivals {
		if err := w.against(o, id, c, bad); err != nil {
			return err
		}
	}
	return nil
}

// against holds a movement against another one of its row.
func (w *writing) against(o rival, id ledger.MovementID, c *circumstances, bad bool) error {
	held := o.state == ledger.Planned || o.state == ledger.Posted
	if held && !o.bad { // released, it is an event of its own
		said, err := w.tx.RulingsIn(o.id, o.id)
		if err != nil {
			return err
		}
		held = !releasedFor(said[o.id], ReasonRowCorrected)
	}
	switch {
	case c.holding != nil && held && c.holding.PostingID != o.posting:
		return w.bothHeld(o, id, c)
	case c.holding != nil, c.doubt != nil && !releasedFor(c.rulings, c.doubt.reason):
	case !bad, held, o.bad && o.state == ledger.Pending:
		return w.countedAs(o, c)
	}
	return nil
}

// bothHeld takes a posting back that has not begun; otherwise the later one of two
// is told to stand in Odoo twice.
func (w *writing) bothHeld(o rival, id ledger.MovementID, c *circumstances) error {
	p, taken, err := w.takeBack(o.posting)
	if err != nil {
		return err
	}
	if taken {
		return w.lookAgain(o.id)
	}
	if _, taken, err = w.takeBack(c.holding.PostingID); taken || err != nil {
		c.holding, c.doubt = nil, nil
		return errors.Join(err, w.countedAs(o, c))
	}
	if o.id < id && c.twice == nil {
		c.twice = &p
	}
	return nil
}

func (w *writing) takeBack(posting int64) (p ledger.Posting, taken bool, err error) {
	if p, taken, err = w.tx.TakeBack(posting, "a row of it was found in Odoo"); taken {
		for _, f := range w.known { // what was read before no longer holds
			f.holdings = slices.DeleteFunc(f.holdings, func(h ledger.Holding) bool { return h.PostingID == posting })
		}
	}
	return p, taken, err
}

// countedAs says that another one counts.
func (w *writing) countedAs(o rival, c *circumstances) error {
	name, err := w.tx.NameOf(o.id)
	c.doubt = &objection{reason: ReasonRowCorrected, field: "natural_key",
		text: fmt.Sprintf("the same row came as %s, which a person has corrected or which is in Odoo", name),
		hint: "compare both; branchline-hub discard takes this one out, branchline-hub release lets it go on as a second event"}
	return err
}

func releasedFor(rulings []ledger.Ruling, reason string) bool {
	return slices.ContainsFunc(rulings, func(r ledger.Ruling) bool { return r.Retry && r.Reason == reason })
}

func (w *writing) rivals(branch int64, id ledger.MovementID, key string) (all []rival, err error) {
	err = w.tx.Rows(`SELECT s.id, s.bad, m.state, m.posting_id FROM same_row s JOIN movements m ON m.id = s.id
			WHERE s.branch_id = $1 AND s.natural_key = $2 AND s.id <> $3
		UNION SELECT m.id, 0, m.state, m.posting_id FROM natural_keys n JOIN movements m ON m.id = n.movement_id
			WHERE n.branch_id = $1 AND n.natural_key = $2 AND n.movement_id <> $3
		ORDER BY 1`, []any{branch, key, int64(id)}, func(row ledger.Row) error {
		var o rival
		var id, bad, state int64
		err := row.Scan(&id, &bad, &state, &o.posting)
		o.id, o.bad, o.state = ledger.MovementID(id), bad == 1, ledger.State(state)
		all = append(all, o)
		return err
	})
	return all, err
}

// lookAtRow has the others of a row looked at again.
func (w *writing) lookAtRow(rivals []rival) error {
	for _, o := range rivals {
		if err := w.lookAgain(o.id); err != nil {
			return err
		}
	}
	return nil
}
