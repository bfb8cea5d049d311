package projection

import (
	"cmp"
	"maps"
	"slices"

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

// addStock leaves items alone that were counted.
const addStock = `INSERT INTO stock
	(branch_id, product_id, lot, unit, expiry, came_in, went_out, counted, counted_at, on_hand)
	VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8) ON CONFLICT (branch_id, product_id, lot, unit) DO UPDATE SET
	expiry = ` + earlier + `, came_in = stock.came_in + excluded.came_in,
	went_out = stock.went_out + excluded.went_out, on_hand = stock.on_hand + excluded.on_hand
	WHERE stock.counted_at = 0`

const earlier = `CASE WHEN excluded.expiry = '' OR stock.expiry <> '' AND stock.expiry < excluded.expiry
	THEN stock.expiry ELSE excluded.expiry END`

// byPlace orders as the table does, so that neighbours are written together.
func byPlace(x, y ledger.StockItem) int {
	return cmp.Or(cmp.Compare(x.BranchID, y.BranchID), cmp.Compare(x.ProductID, y.ProductID), cmp.Compare(x.Lot, y.Lot), cmp.Compare(x.Unit, y.Unit))
}

// flush runs after the movements are written.
func (s *stockBook) flush(tx *ledger.Tx) error {
	for _, i := range slices.SortedFunc(maps.Keys(s.items), byPlace) {
		d := s.items[i]
		if d.anew {
			if err := tx.RecomputeStock(i); err != nil {
				return err
			}
			continue
		}
		n, err := tx.Exec(addStock, i.BranchID, i.ProductID, i.Lot, i.Unit, d.expiry, int64(d.in), int64(d.out),
			int64(d.in-d.out))
		if err == nil && n == 0 {
			err = d.addCounted(tx, i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addCounted adds to an item that was counted: what happened before the count
// is in the count.
func (d *stockDelta) addCounted(tx *ledger.Tx, i ledger.StockItem) error {
	key := []any{i.BranchID, i.ProductID, i.Lot, i.Unit}
	var countedAt int64
	var expiry string
	if err := tx.Row(`SELECT counted_at, expiry FROM stock
		WHERE branch_id = $1 AND product_id = $2 AND lot = $3 AND unit = $4`, key...).Scan(&countedAt, &expiry); err != nil {
		return err
	}
	if expiry == "" || d.expiry != "" && d.expiry < expiry {
		expiry = d.expiry
	}
	var since movement.Quantity
	for _, f := range d.flows {
		if f.at > countedAt {
			since += f.net
		}
	}
	_, err := tx.Exec(`UPDATE stock SET expiry = $5, came_in = came_in + $6, went_out = went_out + $7, on_hand = on_hand + $8
		WHERE branch_id = $1 AND product_id = $2 AND lot = $3 AND unit = $4`,
		append(key, expiry, int64(d.in), int64(d.out), int64(since))...)
	return err
}
