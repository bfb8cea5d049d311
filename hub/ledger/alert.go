package ledger

import (
	"context"
	"time"
)

// Alert is something that is wrong, by a rule, at a branch or, with an empty
// branch, with the whole hub.
type Alert struct {
	Rule, Branch, Text string
	Since              time.Time
	// ToldAt is when somebody was last told of it, EndedAt when it was over; zero
	// for not yet.
	ToldAt, EndedAt time.Time
}

// Alerts lists what is wrong, and what is over and still kept, the oldest first.
func (l *Ledger) Alerts(ctx context.Context) ([]Alert, error) {
	var all []Alert
	err := l.reader(ctx).Rows(`SELECT rule, branch, text, since, told_at, ended_at FROM alerts ORDER BY since, rule, branch`, nil, func(r Row) error {
		var a Alert
		var since, told, ended int64
		err := r.Scan(&a.Rule, &a.Branch, &a.Text, &since, &told, &ended)
		a.Since, a.ToldAt, a.EndedAt = timeOf(since), timeOf(told), timeOf(ended)
		all = append(all, a)
		return err
	})
	return all, classify(err)
}

// SetAlert keeps an alert in the place of one of the same rule and branch.
func (t *Tx) SetAlert(a Alert) error {
	_, err := t.Exec(`INSERT INTO alerts (rule, branch, text, since, told_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (rule, branch) DO UPDATE SET text = excluded.text, since = excluded.since, told_at = excluded.told_at, ended_at = excluded.ended_at`,
		a.Rule, a.Branch, storable(a.Text), millis(a.Since), millis(a.ToldAt), millis(a.EndedAt))
	return err
}

// ForgetAlerts forgets what was over before.
func (t *Tx) ForgetAlerts(before time.Time) error {
	_, err := t.Exec(`DELETE FROM alerts WHERE ended_at > 0 AND ended_at < $1`, millis(before))
	return err
}
