package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Alias says that a product code means a product of Odoo.
type Alias struct {
	Product movement.Product
	// ProductID is product.product's id in Odoo, ProductName its name there.
	ProductID   int64
	ProductName string
	Who, Why    string
	At          time.Time
	// Held says that it was made before the ledger was put back from a backup,
	// and nobody has said since that it still holds: it may have been taken back
	// or changed after the backup.
	Held bool
	// Overrules says what Odoo itself knows by the code; it goes into the audit
	// trail only.
	Overrules string
}

func (a *Alias) code() string { return string(a.Product.Scheme) + " " + a.Product.Code }

// ReasonUnknownProduct is the reason code of exceptions that a new alias
// releases.
const ReasonUnknownProduct = "unknown_product"

// SetAlias makes or changes an alias and releases every exception that waited
// for this code; it returns how many. What was planned by what the code meant
// before, and of which nothing can be in Odoo, is planned again.
func (l *Ledger) SetAlias(ctx context.Context, a Alias) (released int, err error) {
	if err := checkDecision(a.Who, a.Why); err != nil {
		return 0, err
	}
	if a.Product.Code == "" || a.ProductID <= 0 || !Storable(a.Product.Code) {
		return 0, fault.New(fault.Data, "incomplete_decision", "an alias needs a code and a product")
	}
	err = l.Write(ctx, func(tx *Tx) (err error) {
		released, err = tx.setAlias(&a)
		return err
	})
	return released, err
}

func (t *Tx) setAlias(a *Alias) (released int, err error) {
	var was int64
	err = t.Row(`SELECT product_id FROM aliases WHERE scheme = $1 AND code = $2`, string(a.Product.Scheme), a.Product.Code).Scan(&was)
	if err != nil && !errors.Is(err, errNoRows) {
		return 0, err
	}
	if _, err := t.Exec(`INSERT INTO aliases (scheme, code, product_id, product_name, at, who, why)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (scheme, code) DO UPDATE SET product_id = excluded.product_id,
		product_name = excluded.product_name, at = excluded.at, who = excluded.who, why = excluded.why, held = 0`,
		string(a.Product.Scheme), a.Product.Code, a.ProductID, storable(a.ProductName), a.At.UnixMilli(),
		storable(a.Who), storable(a.Why)); err != nil {
		return 0, err
	}
	detail := fmt.Sprintf("means %s (%d)", a.ProductName, a.ProductID)
	if a.Overrules != "" {
		detail += ", though in Odoo it is " + a.Overrules
	}
	if err := t.Audit(Entry{At: a.At, Who: a.Who, Action: "alias", Subject: a.code(), Detail: detail + ": " + a.Why}); err != nil {
		return 0, err
	}
	if was != a.ProductID { // Odoo itself may have known the code
		if _, err := t.planAgain(a); err != nil {
			return 0, err
		}
	}
	if err := t.aliasesChanged(); err != nil {
		return 0, err
	}
	return t.retryCode(a, `AND e.reason IN ('`+ReasonUnknownProduct+`', 'ambiguous_product', 'archived_product')`, "alias for "+a.code()+": "+a.Why)
}

// RemoveAlias takes an alias back, of which Product, Who, Why and At are given;
// it returns how many movements are looked at again. What was posted by it, or
// is being posted, stays; what is planned is planned again, and so is what
// planner or Odoo refused. One that is not there is a fault of class Data,
// "unknown_alias".
func (l *Ledger) RemoveAlias(ctx context.Context, a Alias) (again int, err error) {
	if err := checkDecision(a.Who, a.Why); err != nil {
		return 0, err
	}
	err = l.Write(ctx, func(tx *Tx) (err error) {
		again, err = tx.removeAlias(&a)
		return err
	})
	return again, err
}

func (t *Tx) removeAlias(a *Alias) (again int, err error) {
	err = t.Row(`DELETE FROM aliases WHERE scheme = $1 AND code = $2 RETURNING product_id, product_name`,
		string(a.Product.Scheme), a.Product.Code).Scan(&a.ProductID, &a.ProductName)
	if errors.Is(err, errNoRows) {
		return 0, fault.New(fault.Data, "unknown_alias", "no alias says what %s means", a.code()).
			WithHint("see branchline-hub alias list")
	}
	if err != nil {
		return 0, err
	}
	if err := t.Audit(Entry{At: a.At, Who: a.Who, Action: "alias removed", Subject: a.code(),
		Detail: fmt.Sprintf("meant %s (%d): %s", a.ProductName, a.ProductID, a.Why)}); err != nil {
		return 0, err
	}
	if again, err = t.planAgain(a); err != nil {
		return 0, err
	}
	if err := t.aliasesChanged(); err != nil {
		return 0, err
	}
	n, err := t.retryCode(a, `AND e.stage <> '`+StageProjection+`'`, "alias for "+a.code()+" removed: "+a.Why)
	return again + n, err
}

// planAgain withdraws the postings that hold movements of the alias' code and are
// not begun, or of which no document is known yet, and counts these. What its
// poster may be about to make in Odoo of such a one is not validated, since it
// notes the document first ([ErrPlannedOtherwise]), and is taken back.
func (t *Tx) planAgain(a *Alias) (movements int, err error) {
	var postings []int64
	// The states are named in just the words of the index postings_open.
	if err := t.Rows(`SELECT p.id, COUNT(*) FROM postings p JOIN posting_sets s ON s.posting_id = p.id
			JOIN movements m ON m.id BETWEEN s.stream_id * 1099511627776 + s.first_seq
				AND s.stream_id * 1099511627776 + s.last_seq
			JOIN products c ON c.id = m.product_id
		WHERE p.state IN ('planned', 'posting') AND (p.state = 'planned' OR p.step = '') AND m.posting_id = p.id AND c.code = $1 AND c.scheme = $2
		GROUP BY p.id ORDER BY p.id`,
		[]any{a.Product.Code, string(a.Product.Scheme)}, func(r Row) error {
			var id, n int64
			err := r.Scan(&id, &n)
			postings, movements = append(postings, id), movements+int(n)
			return err
		}); err != nil {
		return 0, err
	}
	for _, id := range postings {
		if _, err := t.changePosting(id, PostingChange{At: a.At, State: PostingWithdrawn, Step: "alias changed"}); err != nil {
			return 0, err
		}
	}
	return movements, nil
}

// retryCode releases the exceptions of movements of the alias' code that are
// chosen, and counts them.
func (t *Tx) retryCode(a *Alias, which, why string) (released int, err error) {
	var waiting []MovementID
	if err := t.Rows(`SELECT e.id FROM exceptions e JOIN movements m ON m.id = e.id JOIN products p ON p.id = m.product_id
		WHERE p.code = $1 AND p.scheme = $2 AND e.last_seq = 0 `+which+` ORDER BY e.id`,
		[]any{a.Product.Code, string(a.Product.Scheme)}, func(r Row) error {
			var id int64
			err := r.Scan(&id)
			waiting = append(waiting, MovementID(id))
			return err
		}); err != nil {
		return 0, err
	}
	d := Decision{Choice: Retry, Who: a.Who, Why: why, At: a.At}
	o := &opener{l: t.w.l, r: t}
	for _, id := range waiting {
		if _, err := t.decide(o, id, d); err != nil {
			return 0, err
		}
		released++
	}
	return released, nil
}

// Aliases lists all aliases by code.
func (l *Ledger) Aliases(ctx context.Context) ([]Alias, error) {
	var all []Alias
	err := l.reader(ctx).Rows(`SELECT scheme, code, product_id, product_name, at, who, why, held
		FROM aliases ORDER BY code, scheme`, nil, func(r Row) error {
		var a Alias
		var at, held int64
		err := r.Scan(&a.Product.Scheme, &a.Product.Code, &a.ProductID, &a.ProductName, &at, &a.Who, &a.Why, &held)
		a.At, a.Held = time.UnixMilli(at).UTC(), held != 0
		all = append(all, a)
		return err
	})
	return all, classify(err)
}

// ConfirmAliases says that the aliases hold which were made before the ledger was
// put back from a backup; it returns how many did not until then.
func (l *Ledger) ConfirmAliases(ctx context.Context, who, why string, at time.Time) (confirmed int, err error) {
	if err := checkDecision(who, why); err != nil {
		return 0, err
	}
	all, err := l.Aliases(ctx)
	if err != nil {
		return 0, err
	}
	err = l.Write(ctx, func(tx *Tx) error {
		confirmed = 0
		for _, a := range all {
			if !a.Held {
				continue
			}
			n, err := tx.Exec(`UPDATE aliases SET at = $1, held = 0 WHERE scheme = $2 AND code = $3 AND product_id = $4 AND at = $5 AND held = 1`, at.UnixMilli(),
				string(a.Product.Scheme), a.Product.Code, a.ProductID, a.At.UnixMilli())
			if err != nil {
				return err
			}
			if n == 0 {
				continue // changed in this moment
			}
			if err := tx.Audit(Entry{At: at, Who: who, Action: "alias confirmed", Subject: a.code(),
				Detail: fmt.Sprintf("still means %s (%d): %s", a.ProductName, a.ProductID, why)}); err != nil {
				return err
			}
			confirmed++
		}
		return tx.aliasesChanged()
	})
	return confirmed, err
}
