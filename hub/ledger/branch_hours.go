package ledger

import (
	"context"
	"time"
)

// HourCount is how many movements happened in an hour, which begins at Hour.
type HourCount struct {
	Hour      time.Time
	Movements int64
}

const secondsOfHour = 3600

// BranchHours gives how many movements happened at a branch in each hour from one
// moment to another, the oldest first; hours without any are left out.
func (l *Ledger) BranchHours(ctx context.Context, branch string, from, to time.Time) ([]HourCount, error) {
	var all []HourCount
	err := l.reader(ctx).Rows(`SELECT h.hour, h.movements FROM branches b JOIN branch_hours h ON h.branch_id = b.id
		WHERE b.code = $1 AND h.hour >= $2 AND h.hour < $3 ORDER BY h.hour`, []any{branch, from.Unix() / secondsOfHour, to.Unix() / secondsOfHour},
		func(r Row) error {
			var hour, n int64
			err := r.Scan(&hour, &n)
			all = append(all, HourCount{time.Unix(hour*secondsOfHour, 0).UTC(), n})
			return err
		})
	return all, classify(err)
}

// DayHours are the movements of 24 hours, the last being the current one.
type DayHours [24]int64

const allHours = `SELECT b.code, h.hour, h.movements FROM branches b JOIN branch_hours h ON h.branch_id = +b.id AND h.hour > $1 AND h.hour <= $2` // + has it go branch by branch

// LastDay gives the last 24 hours of all branches that had movements in them.
func (l *Ledger) LastDay(ctx context.Context, now time.Time) (map[string]DayHours, error) {
	all := map[string]DayHours{}
	last := now.Unix() / secondsOfHour
	first := last - int64(len(DayHours{}))
	err := l.reader(ctx).Rows(allHours, []any{first, last}, func(r Row) error {
		var branch string
		var hour, n int64
		err := r.Scan(&branch, &hour, &n)
		if i := hour - first - 1; err == nil && i >= 0 && i < int64(len(DayHours{})) {
			day := all[branch]
			day[i] = n
			all[branch] = day
		}
		return err
	})
	return all, classify(err)
}

// PostedSince counts the documents made in Odoo since a moment.
func (l *Ledger) PostedSince(ctx context.Context, since time.Time) (n int64, err error) {
	for kind := range kinds {
		var of int64
		if err := l.reader(ctx).Row(`SELECT COUNT(*) FROM postings WHERE state = 'posted' AND kind = $1 AND changed_at >= $2`, int64(kind), millis(since)).Scan(&of); err != nil {
			return n, classify(err)
		}
		n += of
	}
	return n, nil
}
