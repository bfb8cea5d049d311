package projection

import (
	"branchline/hub/ledger"
	"branchline/internal/movement"
)

// stockBook sums what movements do to the stock within one transaction.
type stockBook struct {
	items map[ledger.StockItem]*stockDelta
}

type stockDelta struct {
	in, out movement.Quantity
	expiry  string
	// anew says that sums will not do: there was a count, or a movement no
	// longer counts.
	anew bool
	// flows are the single effects by time, for items that were counted.
	flows []flow
}

type flow struct {
	at  int64
	net movement.Quantity
}

func (s *stockBook) item(i ledger.StockItem) *stockDelta {
	if s.items == nil {
		s.items = map[ledger.StockItem]*stockDelta{}
	}
	d := s.items[i]
	if d == nil {
		d = new(stockDelta)
		s.items[i] = d
	}
	return d
}

func (s *stockBook) recompute(i ledger.StockItem) { s.item(i).anew = true }

func (s *stockBook) add(i ledger.StockItem, m *movement.Movement) {
	d := s.item(i)
	if m.Kind == movement.Count {
		d.anew = true
		return
	}
	in, out := ledger.Flow(m.Kind, m.Quantity)
	d.in, d.out = d.in+in, d.out+out
	d.flows = append(d.flows, flow{m.OccurredAt.UnixMilli(), in - out})
	if !m.Expiry.IsZero() {
		if e := m.Expiry.String(); d.expiry == "" || e < d.expiry {
			d.expiry = e
		}
	}
}

const addStock = `INSERT INTO stock
	(branch_id, product_id, lot, unit, expiry, came_in, went_out, counted, counted_at, on_hand)
	VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8) ON CONFLICT (branch_id, product_id, lot, unit) DO UPDATE SET
	expiry = CASE WHEN excluded.expiry = '' OR stock.expiry <> '' AND stock.expiry < excluded.expiry
		THEN stock.expiry ELSE excluded.expiry END,
	came_in = stock.came_in + excluded.came_in, went_out = stock.went_out + excluded.went_out,
	on_hand = stock.on_hand + excluded.on_hand RETURNING counted_at`

// flush runs after the movements are written.
func (s *stockBook) flush(tx *ledger.Tx) error {
	for i, d := range s.items {
		if d.anew {
			if err := tx.RecomputeStock(i); err != nil {
				return err
			}
			continue
		}
		var countedAt int64
		if err := tx.Row(addStock, i.BranchID, i.ProductID, i.Lot, i.Unit, d.expiry, int64(d.in), int64(d.out),
			int64(d.in-d.out)).Scan(&countedAt); err != nil {
			return err
		}
		if countedAt == 0 {
			continue
		}
		// What happened before the count is in the count.
		var before movement.Quantity
		for _, f := range d.flows {
			if f.at <= countedAt {
				before += f.net
			}
		}
		if before == 0 {
			continue
		}
		if _, err := tx.Exec(`UPDATE stock SET on_hand = on_hand - $1
			WHERE branch_id = $2 AND product_id = $3 AND lot = $4 AND unit = $5`,
			int64(before), i.BranchID, i.ProductID, i.Lot, i.Unit); err != nil {
			return err
		}
	}
	return nil
}

// branchTotal is what the board shows of a branch.
type branchTotal struct {
	movements, lastID, lastOccurred, lastReceived int64
}

func (w *writing) total(b *batch, id ledger.MovementID, r *reading) {
	t := w.totals[b.BranchID]
	if t == nil {
		t = new(branchTotal)
		w.totals[b.BranchID] = t
	}
	t.movements++
	t.lastID = int64(id)
	if r.bad == nil {
		t.lastOccurred = max(t.lastOccurred, r.m.OccurredAt.UnixMilli())
	}
	t.lastReceived = max(t.lastReceived, b.ReceivedAt.UnixMilli())
}

func (w *writing) flushTotals() error {
	for branch, t := range w.totals {
		if _, err := w.tx.Exec(`INSERT INTO branch_totals
			(branch_id, movements, last_movement_id, last_occurred_at, last_received_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (branch_id) DO UPDATE SET movements = branch_totals.movements + excluded.movements,
			last_movement_id = excluded.last_movement_id,
			last_occurred_at = CASE WHEN excluded.last_occurred_at > branch_totals.last_occurred_at
				THEN excluded.last_occurred_at ELSE branch_totals.last_occurred_at END,
			last_received_at = CASE WHEN excluded.last_received_at > branch_totals.last_received_at
				THEN excluded.last_received_at ELSE branch_totals.last_received_at END`,
			branch, t.movements, t.lastID, t.lastOccurred, t.lastReceived); err != nil {
			return err
		}
	}
	return nil
}
