package ledger

import (
	"context"

	"branchline/internal/movement"
)

// Unclear counts movements of a branch whose effect on what lies there of a product
// is not certain.
type Unclear struct {
	// Product is empty where it cannot be told.
	Product movement.Product
	// Exceptions wait for a person, Counts are stock counts that are not in Odoo.
	Exceptions, Counts int64
}

// Unclear lists them by product code.
func (l *Ledger) Unclear(ctx context.Context, branch string) (all []Unclear, err error) {
	r := l.reader(ctx)
	id, ok, err := branchID(r, branch)
	if err != nil || !ok {
		return nil, classify(err)
	}
	err = r.Rows(unclear, []any{id}, func(row Row) error {
		var u Unclear
		err := row.Scan(&u.Product.Scheme, &u.Product.Code, &u.Exceptions, &u.Counts)
		all = append(all, u)
		return err
	})
	return all, classify(err)
}

const unclear = `SELECT scheme, code, SUM(waits), SUM(counted) FROM (
		SELECT COALESCE(p.scheme, '') AS scheme, COALESCE(p.code, '') AS code, 1 AS waits, 0 AS counted
		FROM exceptions e LEFT JOIN movements m ON m.id = e.id LEFT JOIN products p ON p.id = m.product_id WHERE e.branch_id = $1
		UNION ALL
		SELECT p.scheme, p.code, 0, 1 FROM movements m JOIN products p ON p.id = m.product_id WHERE m.branch_id = $1 AND m.state = 1 AND m.kind = 8) AS u
	GROUP BY scheme, code ORDER BY code, scheme`
