package projection

import (
	"context"
	"errors"
	"fmt"

	"branchline/hub/ledger"
	"branchline/internal/fault"
)

// reconsiderAll looks again at movements that a person has released, or that
// were found in a document.
func (p *Projector) reconsiderAll(ctx context.Context) error {
	for {
		ids, err := p.l.Reconsider(ctx, 500)
		if err != nil || len(ids) == 0 {
			return err
		}
		var again []second
		for _, id := range ids {
			s, err := p.readAgain(ctx, id)
			if err != nil {
				return err
			}
			again = append(again, s)
		}
		err = p.l.WriteBulk(ctx, func(tx *ledger.Tx) error {
			w, err := p.newWriting(tx)
			if err != nil {
				return err
			}
			for i := range again {
				if err := w.again(&again[i]); err != nil {
					return fmt.Errorf("look at movement %d of stream %d again: %w",
						again[i].id.Seq(), again[i].id.Stream(), err)
				}
			}
			tx.Tell(ledger.Projected)
			return errors.Join(w.groups.flush(tx), w.stock.flush(tx))
		})
		if err != nil {
			clear(p.products)
			return err
		}
	}
}

// second is a movement that is looked at a second time.
type second struct {
	id ledger.MovementID
	b  *batch // nil when the ledger holds no such record any more
	r  reading
}

func (p *Projector) readAgain(ctx context.Context, id ledger.MovementID) (second, error) {
	s := second{id: id}
	from, err := p.l.BatchHolding(ctx, id)
	if fault.CodeOf(err) == "unknown_movement" {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	records, err := from.Records()
	if err != nil { // it stays as it is; nothing else must wait for it
		p.log.Error("a batch in the ledger is damaged; a movement in it cannot be looked at again",
			"branch", from.Stream.Branch, "epoch", from.Stream.Epoch, "lane", from.Stream.Lane, "seq", id.Seq(), "err", err)
		return s, nil
	}
	s.b, s.r = &batch{Batch: from}, read(records[id.Seq()-from.First])
	return s, nil
}

func (w *writing) again(s *second) error {
	if n, err := w.tx.Exec(`DELETE FROM reconsider WHERE id = $1`, int64(s.id)); err != nil || n == 0 || s.b == nil {
		return err // decided otherwise meanwhile
	}
	var old ledger.StockItem
	var group int64
	if err := w.tx.Row(`SELECT branch_id, product_id, lot, unit, group_id FROM movements WHERE id = $1`, int64(s.id)).
		Scan(&old.BranchID, &old.ProductID, &old.Lot, &old.Unit, &group); err != nil {
		return err
	}
	f, err := factsOf(w.tx, s.id, s.id)
	if err != nil {
		return err
	}
	c := f.about(s.id)
	if err := errors.Join(w.checkRepeat(old.BranchID, s.id, &s.r, &c), w.doubt(s.b.Batch, s.id.Seq(), &s.r, &c)); err != nil {
		return err
	}
	if err := w.checkForm(s.b.Batch, old.BranchID, s.id, &s.r, &c); err != nil {
		return err
	}
	if err := errors.Join(w.sameRow(old.BranchID, s.id, &s.r, &c), w.settlement(old.BranchID, s.id, &s.r, &c), w.settled(old.BranchID, s.id, &s.r, &c)); err != nil {
		return err
	}
	r, err := w.corrected(&s.r, c.rulings)
	if err != nil {
		return err
	}
	switch {
	case group > 0:
		c.misfit, err = w.didNotFit(s.id)
	case r.m.Group.ID != "":
		if group, c.misfit, err = w.groups.join(w.tx, s.b, r.m.Group); c.misfit && err == nil {
			err = w.misfit(s.id)
		}
	}
	if err != nil {
		return err
	}
	product, err := w.product(r.m.Product)
	if err != nil {
		return err
	}
	if err := w.lot(r.m.Lot); err != nil {
		return err
	}
	v := judge(r, c)
	if _, err := w.tx.Exec(`UPDATE movements SET (`+movementColumns+`) =
		($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) WHERE id = $21`,
		append(movementArgs(old.BranchID, product, group, r, v), int64(s.id))...); err != nil {
		return err
	}
	if _, err := w.tx.Exec(`DELETE FROM exceptions WHERE id = $1`, int64(s.id)); err != nil {
		return err
	}
	if v.except != nil {
		if err := w.except(s.id, old.BranchID, s.b.ReceivedAt.UnixMilli(), v.except); err != nil {
			return err
		}
	}
	w.tx.Stir(s.id)
	w.stock.recompute(old)
	w.stock.recompute(ledger.StockItem{BranchID: old.BranchID, ProductID: product, Lot: r.m.Lot, Unit: r.m.Unit})
	return nil
}
