package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"branchline/internal/movement"
)

// Decided is what a person at the hub has decided about a record that its branch
// could not read, or not believe.
type Decided struct {
	ID       MovementID
	Identity movement.ID
	// What is what became of it by that.
	What DecidedAs
	// Who decided, why, and when.
	Who, Why string
	At       time.Time
}

// DecidedAs is what a person made of a record.
type DecidedAs int

// The decisions; the numbers are those of the rulings.
const (
	DecidedRelease   DecidedAs = ruledRetry     // it goes on as it is
	DecidedDiscard   DecidedAs = ruledDiscard   // it is taken out
	DecidedCorrected DecidedAs = ruledCorrected // it goes on as a person has corrected it
)

// decidedLately finds them by what people decide, which is little.
const decidedLately = `SELECT r.movement_id, r.what, r.who, r.text, r.at
	FROM rulings r JOIN movements m ON m.id = r.movement_id
	WHERE r.what > 1 AND r.stage = 'projection' AND r.at >= $1 AND m.branch_id = $2
		AND NOT EXISTS (SELECT 1 FROM exceptions e WHERE e.id = r.movement_id AND e.stage = 'projection')
	ORDER BY r.at DESC, r.id DESC LIMIT $3`

// DecidedRows gives what people have decided since a moment about rows of a branch's
// exports, in the order of their places: the latest decision about each, of the
// newest limit; more tells that there are others. What waits again is left out.
func (l *Ledger) DecidedRows(ctx context.Context, branch string, since time.Time, limit int) (all []Decided, more bool, err error) {
	r := l.reader(ctx)
	id, ok, err := branchID(r, branch)
	if err != nil || !ok {
		return nil, false, classify(err)
	}
	seen := map[MovementID]bool{}
	read := 0
	err = r.Rows(decidedLately, []any{since.UnixMilli(), id, limit + 1}, func(row Row) error {
		var d Decided
		var id, what, at int64
		read++
		if err := row.Scan(&id, &what, &d.Who, &d.Why, &at); err != nil {
			return err
		}
		d.ID, d.What, d.At = MovementID(id), DecidedAs(what), timeOf(at)
		if more = read > limit; more || seen[d.ID] {
			return nil
		}
		seen[d.ID] = true
		all = append(all, d)
		return nil
	})
	slices.SortFunc(all, func(a, b Decided) int { return cmp.Compare(a.ID, b.ID) })
	for i := range all {
		if err == nil {
			all[i].Identity, err = l.identity(r, all[i].ID)
		}
	}
	if err != nil {
		return nil, false, classify(fmt.Errorf("what was decided about rows of %s: %w", branch, err))
	}
	all = slices.DeleteFunc(all, func(d Decided) bool { return d.Identity.Lane != movement.Bulk })
	return all, more, nil
}
