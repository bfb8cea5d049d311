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
		return w.yield(ledger.MovementID(first))
	}
	return nil
}

// yield makes the first of two equal movements the duplicate, when the later
// one is in a document already and the first in none: a hub that was put back
// from a backup may get them in another order than before. Otherwise the same
// event would be posted twice.
func (w *writing) yield(first ledger.MovementID) error {
	var item ledger.StockItem
	var state, counts int64
	err := w.tx.Row(`SELECT state, counts, branch_id, product_id, lot, unit FROM movements WHERE id = $1`, int64(first)).
		Scan(&state, &counts, &item.BranchID, &item.ProductID, &item.Lot, &item.Unit)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if s := ledger.State(state); s != ledger.Pending && s != ledger.Excepted {
		return nil
	}
	if _, err := w.tx.Exec(`UPDATE movements SET state = $1, counts = 0 WHERE id = $2`,
		int64(ledger.Duplicate), int64(first)); err != nil {
		return err
	}
	if _, err := w.tx.Exec(`DELETE FROM exceptions WHERE id = $1`, int64(first)); err != nil {
		return err
	}
	if counts == 1 {
		w.stock.recompute(item)
	}
	return nil
}
