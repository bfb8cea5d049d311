package projection

import (
	"database/sql"
	"errors"
	"slices"

	"branchline/hub/ledger"
)

// checkRepeat finds out whether a movement's natural key came before at this
// branch; if not, it is the first.
func (w *writing) checkRepeat(branch int64, id ledger.MovementID, r *reading, c *circumstances) error {
	if r.bad != nil || r.m.NaturalKey == "" {
		return nil
	}
	content, problem := int64(r.content), 0
	if r.problem != nil {
		problem = 1
	}
	n, err := w.tx.Exec(`INSERT INTO natural_keys (branch_id, natural_key, movement_id, content, problem) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (branch_id, natural_key) DO NOTHING`, branch, r.m.NaturalKey, int64(id), content, problem)
	if err != nil {
		return err
	}
	if n == 1 {
		return w.hasCome(branch, r.m.NaturalKey)
	}
	var first, its int64
	if err := w.tx.Row(`SELECT movement_id, content FROM natural_keys WHERE branch_id = $1 AND natural_key = $2`,
		branch, r.m.NaturalKey).Scan(&first, &its); err != nil {
		return err
	}
	if first == int64(id) { // looked at again: later ones in documents still come before it
		return w.tx.ReconsiderRepeats(id, id)
	}
	c.repeat, c.equal = true, its == content
	if c.equal && c.holding != nil {
		if c.twice, err = w.yield(id, ledger.MovementID(first)); err != nil || r.problem == nil {
			return err
		}
		by, found, err := w.settledBy(branch, r.m.NaturalKey)
		if err != nil || !found {
			return err
		}
		return w.lookAgain(by)
	}
	return err
}

// yield makes the first of equal movements the duplicate, when a later one is in
// a document already: a hub that was put back from a backup may get them in
// another order than before, and the same event must not be posted twice. The
// first may be planned by then; its posting is taken back, and what else was in
// it is planned again. What has begun to go to Odoo cannot be taken back: twice
// is the other posting in which the event stands, of the first or of the
// smallest of the later ones.
func (w *writing) yield(later, first ledger.MovementID) (twice *ledger.Posting, err error) {
	isNew, err := w.tx.Exec(`INSERT INTO held_repeats (id, first_id) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, int64(later), int64(first))
	if err != nil {
		return nil, err
	}
	if isNew == 1 { // it may be smaller than another one
		if _, err := w.tx.Exec(`INSERT INTO reconsider (id) SELECT id FROM held_repeats WHERE first_id = $1 AND id <> $2
			ON CONFLICT (id) DO NOTHING`, int64(first), int64(later)); err != nil {
			return nil, err
		}
	}
	if twice, err = w.replace(first); err != nil || twice != nil {
		return twice, err
	}
	var other int64
	err = w.tx.Row(`SELECT m.posting_id FROM held_repeats h JOIN movements m ON m.id = h.id
		WHERE h.first_id = $1 AND h.id < $2 AND m.state = $3 ORDER BY h.id LIMIT 1`, int64(first), int64(later), int64(ledger.Posted)).Scan(&other)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return w.tx.Document(other)
}

// replace makes a movement the duplicate of a later one, or tells the posting
// that it cannot be taken back from.
func (w *writing) replace(first ledger.MovementID) (holds *ledger.Posting, err error) {
	var item ledger.StockItem
	var state, counts, posting int64
	err = w.tx.Row(`SELECT state, counts, branch_id, product_id, lot, unit, posting_id FROM movements WHERE id = $1`, int64(first)).
		Scan(&state, &counts, &item.BranchID, &item.ProductID, &item.Lot, &item.Unit, &posting)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	switch ledger.State(state) {
	case ledger.Pending, ledger.Excepted:
	case ledger.Planned, ledger.Posted:
		p, taken, err := w.tx.TakeBack(posting, "its event was found in Odoo")
		if err != nil || !taken {
			return &p, err
		}
		for _, f := range w.known { // what was read before no longer holds
			f.holdings = slices.DeleteFunc(f.holdings, func(h ledger.Holding) bool { return h.PostingID == posting })
		}
	default:
		return nil, nil
	}
	if _, err := w.tx.Exec(`UPDATE movements SET state = $1, counts = 0, posting_id = 0 WHERE id = $2`,
		int64(ledger.Duplicate), int64(first)); err != nil {
		return nil, err
	}
	if _, err := w.tx.Exec(`DELETE FROM exceptions WHERE id = $1`, int64(first)); err != nil {
		return nil, err
	}
	w.tx.Stir(first)
	if counts == 1 {
		w.stock.recompute(item)
	}
	return nil, nil
}
