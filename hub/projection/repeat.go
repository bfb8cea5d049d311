package projection

import (
	"database/sql"
	"errors"

	"branchline/hub/ledger"
)

// checkRepeat finds out whether a movement's natural key came before at this
// branch; if not, it is the first.
func (w *writing) checkRepeat(branch int64, id ledger.MovementID, r *reading, c *circumstances) error {
	if r.bad != nil || r.m.NaturalKey == "" {
		return nil
	}
	content := int64(r.content)
	n, err := w.tx.Exec(`INSERT INTO natural_keys (branch_id, natural_key, movement_id, content) VALUES ($1, $2, $3, $4)
		ON CONFLICT (branch_id, natural_key) DO NOTHING`, branch, r.m.NaturalKey, int64(id), content)
	if err != nil || n == 1 {
		return err
	}
	var first, its int64
	if err := w.tx.Row(`SELECT movement_id, content FROM natural_keys WHERE branch_id = $1 AND natural_key = $2`,
		branch, r.m.NaturalKey).Scan(&first, &its); err != nil {
		return err
	}
	if first == int64(id) { // looked at again
		return nil
	}
	c.repeat, c.equal = true, its == content
	if c.equal && c.holding != nil {
		c.twice, err = w.yield(ledger.MovementID(first))
	}
	return err
}

// yield makes the first of two equal movements the duplicate, when the later
// one is in a document already: a hub that was put back from a backup may get
// them in another order than before, and the same event must not be posted
// twice. The first may be planned by then; its posting is taken back, and what
// else was in it is planned again. What has begun to go to Odoo cannot be taken
// back: twice says in which document the event stands a second time.
func (w *writing) yield(first ledger.MovementID) (twice *ledger.Posting, err error) {
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
	if counts == 1 {
		w.stock.recompute(item)
	}
	return nil, nil
}
