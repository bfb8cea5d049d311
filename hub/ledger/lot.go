package ledger

import (
	"context"
	"strings"
	"unicode"

	"branchline/internal/movement"
)

// LotKey is the same for lot numbers that a person may take for each other: it
// is without spaces and signs, in capitals, with 0 for O and 1 for I. It is for
// finding them; they remain different lots.
func LotKey(lot string) string {
	return strings.Map(func(r rune) rune {
		switch r = unicode.ToUpper(r); {
		case r == 'O':
			return '0'
		case r == 'I':
			return '1'
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return r
		}
		return -1
	}, lot)
}

// AddLot notes that a lot number came.
func (t *Tx) AddLot(lot string) error {
	_, err := t.Exec(`INSERT INTO lots (lot, lot_key) VALUES ($1, $2) ON CONFLICT (lot) DO NOTHING`, lot, LotKey(lot))
	return err
}

// maxSpellings bounds how many ways of writing a lot number are looked at.
const maxSpellings = 100

// Spellings gives the lot number, if it ever came, and those that ever came and
// differ from it only as [LotKey] says, by name. A number without a letter or
// digit has only itself.
func (l *Ledger) Spellings(ctx context.Context, lot string) (all []string, err error) {
	err = l.reader(ctx).Rows(`SELECT lot FROM lots WHERE lot = $1 OR lot_key = $2 AND lot_key <> ''
		ORDER BY CASE WHEN lot = $1 THEN 0 ELSE 1 END, lot LIMIT $3`, []any{lot, LotKey(lot), maxSpellings}, func(r Row) error {
		var s string
		err := r.Scan(&s)
		all = append(all, s)
		return err
	})
	return all, classify(err)
}

// Recalled is what is known of one lot number as it was written.
type Recalled struct {
	Lot string
	// Stock is what came in, went out and should be on hand, by branch and
	// product.
	Stock []Stock
	// Waiting are movements of the lot that wait for a person, so that some of
	// them are in no sum: at most [MaxRecallWaiting], Waits how many there are.
	Waiting []Movement
	Waits   int64
}

// MaxRecallWaiting bounds [Recalled].
const MaxRecallWaiting = 200

// Recall answers for one lot number, over all branches and products, as it was
// asked and as it was written otherwise ([Ledger.Spellings]).
func (l *Ledger) Recall(ctx context.Context, lot string) ([]Recalled, error) {
	spellings, err := l.Spellings(ctx, lot)
	if err != nil {
		return nil, err
	}
	all := make([]Recalled, len(spellings))
	for i, s := range spellings {
		r := &all[i]
		r.Lot = s
		if r.Stock, err = l.stock(ctx, recallStock, s); err != nil {
			return nil, err
		}
		if r.Waiting, err = l.movements(ctx, recallWaiting+` ORDER BY m.id LIMIT $2`, s, MaxRecallWaiting); err != nil {
			return nil, err
		}
		if r.Waits = int64(len(r.Waiting)); r.Waits == MaxRecallWaiting {
			if err := l.reader(ctx).Row(`SELECT COUNT(*) FROM movements m`+recallWaiting, s).Scan(&r.Waits); err != nil {
				return nil, classify(err)
			}
		}
	}
	return all, nil
}

const (
	recallStock   = `WHERE s.lot = $1 ORDER BY p.code, p.scheme, b.code, s.unit`
	recallWaiting = ` WHERE m.lot = $1 AND m.state = 4`
	withoutLot    = `WHERE s.product_id = (SELECT id FROM products WHERE code = $1 AND scheme = $2) AND s.lot = '' ORDER BY b.code, s.unit`
)

// WithoutLot is what left, or came, without a lot number, of the products that
// are given, by branch: of it nobody can say that it was not the lot.
func (l *Ledger) WithoutLot(ctx context.Context, product movement.Product) ([]Stock, error) {
	return l.stock(ctx, withoutLot, product.Code, string(product.Scheme))
}

// LotUnknown counts what waits for a person and names no lot, so that it may be of
// any: rows and scans that could not be read, and at how many branches.
func (l *Ledger) LotUnknown(ctx context.Context) (movements, branches int64, err error) {
	err = l.reader(ctx).Row(lotUnknown).Scan(&movements, &branches)
	return movements, branches, classify(err)
}

// lotUnknown reads of the movements that wait only the index: every movement with an
// exception is in that state, and what is no movement has no lot.
const lotUnknown = `SELECT COUNT(*), COUNT(DISTINCT branch_id) FROM exceptions
	WHERE id NOT IN (SELECT id FROM movements WHERE state = 4 AND lot <> '')`
