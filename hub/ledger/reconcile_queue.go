package ledger

import (
	"context"
	"errors"
	"time"

	"branchline/internal/movement"
)

// ToReconcile is a branch that is to be compared with Odoo.
type ToReconcile struct {
	Branch  string
	AskedAt time.Time
	Who     string
	// StartWhy is why Odoo's stock is to be taken as it is, as a person said; empty
	// where it is not.
	StartWhy string
}

// AskReconcile has branches compared with Odoo. One that waits already is asked for by
// the last person who did, or by the schedule where nobody has; one whose stock is to
// be taken as it is, by who has said so.
func (l *Ledger) AskReconcile(ctx context.Context, branches []string, who string, at time.Time) error {
	return l.Write(ctx, func(tx *Tx) error { return tx.askReconcile(branches, who, at) })
}

// AskStockStart has a branch compared and what Odoo has then taken for right, from
// which it is gone on. Missing words are a fault of class Data,
// "incomplete_decision".
func (l *Ledger) AskStockStart(ctx context.Context, branch, who, why string, at time.Time) error {
	if err := checkDecision(who, why); err != nil {
		return err
	}
	return l.Write(ctx, func(tx *Tx) error {
		if err := tx.askReconcile([]string{branch}, who, at); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE to_reconcile SET who = $1, start_why = $2 WHERE branch_id = (SELECT id FROM branches WHERE code = $3)`,
			storable(who), storable(why), branch); err != nil {
			return err
		}
		return tx.Audit(Entry{At: at, Who: who, Action: "stock to be taken as it is", Subject: branch, Detail: why})
	})
}

func (t *Tx) askReconcile(branches []string, who string, at time.Time) error {
	for _, b := range branches {
		id, err := t.ensureBranch(b)
		if err != nil {
			return err
		}
		if _, err := t.Exec(`INSERT INTO to_reconcile (branch_id, asked_at, who, start_why) VALUES ($1, $2, $3, '') ON CONFLICT (branch_id) DO UPDATE SET
			asked_at = excluded.asked_at, who = CASE WHEN excluded.who = $4 OR to_reconcile.start_why <> '' THEN to_reconcile.who ELSE excluded.who END`,
			id, at.UnixMilli(), storable(who), Schedule); err != nil {
			return err
		}
	}
	t.Tell(ReconciliationChanged)
	return nil
}

// ReconcileQueue lists what is to be compared: what people ask for first, then by
// when it was asked for.
func (l *Ledger) ReconcileQueue(ctx context.Context) (all []ToReconcile, err error) {
	err = l.reader(ctx).Rows(`SELECT b.code, q.asked_at, q.who, q.start_why FROM to_reconcile q JOIN branches b ON b.id = q.branch_id
		ORDER BY CASE WHEN q.who = $1 THEN 1 ELSE 0 END, q.asked_at, b.code`, []any{Schedule}, func(row Row) error {
		var q ToReconcile
		var at int64
		err := row.Scan(&q.Branch, &at, &q.Who, &q.StartWhy)
		q.AskedAt = timeOf(at)
		all = append(all, q)
		return err
	})
	return all, classify(err)
}

// ForgetReconcile takes a branch out of what is to be compared.
func (l *Ledger) ForgetReconcile(ctx context.Context, branch string) error {
	return l.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`DELETE FROM to_reconcile WHERE branch_id = (SELECT id FROM branches WHERE code = $1)`, branch)
		tx.Tell(ReconciliationChanged)
		return err
	})
}

// Schedule is who asks when nobody does.
const Schedule = "schedule"

// ReconcileScheduled tells when the schedule last asked; zero for never.
func (l *Ledger) ReconcileScheduled(ctx context.Context) (time.Time, error) {
	var at int64
	err := l.reader(ctx).Row(`SELECT at FROM reconcile_schedule WHERE id = 1`).Scan(&at)
	if errors.Is(err, errNoRows) {
		err = nil
	}
	return timeOf(at), classify(err)
}

// ScheduleReconcile asks for branches by the schedule and keeps when it did.
func (l *Ledger) ScheduleReconcile(ctx context.Context, branches []string, at time.Time) error {
	return l.Write(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(`INSERT INTO reconcile_schedule (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = excluded.at`, at.UnixMilli()); err != nil {
			return err
		}
		return tx.askReconcile(branches, Schedule, at)
	})
}

// StockStart is what Odoo had at a branch, beyond what the ledger's documents had
// moved, when the two were first compared, or when a person said that it is right.
type StockStart struct {
	At       time.Time
	Who, Why string
	Items    []StockStartItem
}

// StockStartItem is a product, and lot, of Odoo; the quantity is in the product's own
// unit and can be negative.
type StockStartItem struct {
	ProductID int64
	Lot       string
	Quantity  movement.Quantity
}

// StockStart gives the start of a branch; nil where there is none.
func (l *Ledger) StockStart(ctx context.Context, branch string) (*StockStart, error) {
	r := l.reader(ctx)
	var s StockStart
	var at int64
	err := r.Row(`SELECT s.at, s.who, s.why FROM stock_starts s JOIN branches b ON b.id = s.branch_id WHERE b.code = $1`, branch).Scan(&at, &s.Who, &s.Why)
	if errors.Is(err, errNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, classify(err)
	}
	s.At = timeOf(at)
	err = r.Rows(`SELECT i.product_id, i.lot, i.quantity FROM stock_start_items i JOIN branches b ON b.id = i.branch_id WHERE b.code = $1
		ORDER BY i.product_id, i.lot`, []any{branch}, func(row Row) error {
		var i StockStartItem
		err := row.Scan(&i.ProductID, &i.Lot, &i.Quantity)
		s.Items = append(s.Items, i)
		return err
	})
	return &s, classify(err)
}

func (t *Tx) startStock(branch int64, s *StockStart) error {
	if err := t.forgetStart(branch); err != nil {
		return err
	}
	if _, err := t.Exec(`INSERT INTO stock_starts (branch_id, at, who, why) VALUES ($1, $2, $3, $4)`,
		branch, s.At.UnixMilli(), storable(s.Who), storable(s.Why)); err != nil {
		return err
	}
	for _, i := range s.Items {
		if _, err := t.Exec(`INSERT INTO stock_start_items (branch_id, product_id, lot, quantity) VALUES ($1, $2, $3, $4)`,
			branch, i.ProductID, storable(i.Lot), int64(i.Quantity)); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) forgetStart(branch int64) error {
	if _, err := t.Exec(`DELETE FROM stock_start_items WHERE branch_id = $1`, branch); err != nil {
		return err
	}
	_, err := t.Exec(`DELETE FROM stock_starts WHERE branch_id = $1`, branch)
	return err
}
