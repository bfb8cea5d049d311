package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"branchline/internal/movement"
)

var errNoRows = sql.ErrNoRows

// StockItem is what stock is kept by: a product code and lot of a branch, in
// one unit.
type StockItem struct {
	BranchID, ProductID int64
	Lot, Unit           string
}

// Flow splits a movement's effect on the stock into what came in and what went
// out, both not negative. A count has none: it says what is there.
func Flow(k movement.Kind, q movement.Quantity) (in, out movement.Quantity) {
	switch k {
	case movement.Receipt, movement.Return, movement.TransferIn:
		return q, 0
	case movement.Dispense, movement.Wastage, movement.TransferOut:
		return 0, q
	case movement.Adjustment:
		if q < 0 {
			return 0, -q
		}
		return q, 0
	}
	return 0, 0
}

const (
	inSQL  = `CASE WHEN kind IN (1, 3, 6) OR kind = 7 AND quantity > 0 THEN quantity ELSE 0 END`
	outSQL = `CASE WHEN kind IN (2, 4, 5) THEN quantity WHEN kind = 7 AND quantity < 0 THEN -quantity ELSE 0 END`
	ofItem = `branch_id = $1 AND product_id = $2 AND lot = $3 AND unit = $4 AND counts = 1`
)

// RecomputeStock makes one item's implied stock anew from its movements: after
// a count, or when one no longer counts. The newest count by OccurredAt (then
// by place) is what the rest is added to.
func (t *Tx) RecomputeStock(i StockItem) error {
	key := []any{i.BranchID, i.ProductID, i.Lot, i.Unit}
	var n, in, out, counted, countedAt, since int64
	var expiry string
	if err := t.Row(`SELECT COUNT(*), COALESCE(SUM(`+inSQL+`), 0), COALESCE(SUM(`+outSQL+`), 0),
			COALESCE(MIN(CASE WHEN expiry = '' THEN NULL ELSE expiry END), '') FROM movements WHERE `+ofItem, key...).
		Scan(&n, &in, &out, &expiry); err != nil {
		return err
	}
	if n == 0 {
		_, err := t.Exec(`DELETE FROM stock WHERE branch_id = $1 AND product_id = $2 AND lot = $3 AND unit = $4`, key...)
		return err
	}
	err := t.Row(`SELECT quantity, occurred_at FROM movements WHERE `+ofItem+` AND kind = 8
		ORDER BY occurred_at DESC, id DESC LIMIT 1`, key...).Scan(&counted, &countedAt)
	since = in - out
	if err == nil {
		err = t.Row(`SELECT COALESCE(SUM(`+inSQL+`), 0) - COALESCE(SUM(`+outSQL+`), 0) FROM movements
			WHERE `+ofItem+` AND occurred_at > $5`, append(key, countedAt)...).Scan(&since)
	} else if errors.Is(err, errNoRows) {
		err = nil
	}
	if err != nil {
		return err
	}
	_, err = t.Exec(`INSERT INTO stock (branch_id, product_id, lot, unit, expiry, came_in, went_out, counted, counted_at, on_hand)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (branch_id, product_id, lot, unit) DO UPDATE SET
		expiry = excluded.expiry, came_in = excluded.came_in, went_out = excluded.went_out, counted = excluded.counted,
		counted_at = excluded.counted_at, on_hand = excluded.on_hand`,
		append(key, expiry, in, out, counted, countedAt, counted+since)...)
	return err
}

// Stock is what the ledger implies about one item of one branch. All
// movements that were understood count, posted or not.
type Stock struct {
	Branch  string
	Product movement.Product
	Lot     string
	// Unit is empty for the product's own stock unit.
	Unit string
	// Expiry is the earliest that was seen with the lot.
	Expiry movement.Date
	// CameIn and WentOut are sums since ever, OnHand what should be there.
	CameIn, WentOut, OnHand movement.Quantity
	// CountedAt is when it was last counted; zero if never.
	CountedAt time.Time
}

const selectStock = `SELECT b.code, p.scheme, p.code, s.lot, s.unit, s.expiry, s.came_in, s.went_out, s.on_hand, s.counted_at
	FROM stock s JOIN branches b ON b.id = s.branch_id JOIN products p ON p.id = s.product_id `

func (l *Ledger) stock(ctx context.Context, where string, args ...any) ([]Stock, error) {
	var all []Stock
	err := l.reader(ctx).Rows(selectStock+where, args, func(r Row) error {
		var s Stock
		var expiry string
		var counted int64
		if err := r.Scan(&s.Branch, &s.Product.Scheme, &s.Product.Code, &s.Lot, &s.Unit, &expiry,
			&s.CameIn, &s.WentOut, &s.OnHand, &counted); err != nil {
			return err
		}
		if counted > 0 {
			s.CountedAt = time.UnixMilli(counted).UTC()
		}
		all = append(all, s)
		return all[len(all)-1].Expiry.UnmarshalText([]byte(expiry))
	})
	return all, classify(err)
}

// BranchStock gives the implied stock of a branch.
func (l *Ledger) BranchStock(ctx context.Context, branch string) ([]Stock, error) {
	return l.stock(ctx, `WHERE b.code = $1 ORDER BY p.code, p.scheme, s.lot, s.unit`, branch)
}

// StockSince gives what came in less what went out of an item after a moment, as
// when another code of the same product was counted then.
func (l *Ledger) StockSince(ctx context.Context, s *Stock, at time.Time) (sum movement.Quantity, err error) {
	err = l.reader(ctx).Row(`SELECT COALESCE(SUM(`+inSQL+`), 0) - COALESCE(SUM(`+outSQL+`), 0) FROM movements
		WHERE branch_id = (SELECT id FROM branches WHERE code = $1)
			AND product_id = (SELECT id FROM products WHERE code = $2 AND scheme = $3) AND lot = $4 AND unit = $5 AND counts = 1 AND occurred_at > $6`,
		s.Branch, s.Product.Code, string(s.Product.Scheme), s.Lot, s.Unit, at.UnixMilli()).Scan(&sum)
	return sum, classify(err)
}
