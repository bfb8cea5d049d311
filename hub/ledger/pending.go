package ledger

import (
	"context"
	"fmt"
	"time"

	"branchline/internal/movement"
)

// PendingWork is what waits for the planner at one branch, of one kind.
type PendingWork struct {
	Branch string
	Kind   movement.Kind
	// Loose movements belong to no group; Grouped ones do, complete or not.
	Loose, Grouped int64
	// Oldest is the earliest RecordedAt among them.
	Oldest time.Time
}

// PendingWork lists what waits, by branch and kind.
func (l *Ledger) PendingWork(ctx context.Context) ([]PendingWork, error) {
	var all []PendingWork
	err := l.reader(ctx).Rows(`SELECT b.code, m.kind, m.loose, m.grouped, m.oldest FROM (
			SELECT branch_id, kind, SUM(CASE WHEN group_id = 0 THEN 1 ELSE 0 END) AS loose,
				SUM(CASE WHEN group_id = 0 THEN 0 ELSE 1 END) AS grouped, MIN(recorded_at) AS oldest
			FROM movements WHERE state = 1 GROUP BY branch_id, kind) m
		JOIN branches b ON b.id = m.branch_id ORDER BY b.code, m.kind`, nil, func(r Row) error {
		var w PendingWork
		var kind, oldest int64
		if err := r.Scan(&w.Branch, &kind, &w.Loose, &w.Grouped, &oldest); err != nil {
			return err
		}
		w.Kind, w.Oldest = kindOf(kind), time.UnixMilli(oldest).UTC()
		all = append(all, w)
		return nil
	})
	return all, classify(err)
}

// PendingLoose gives the pending movements of a branch and kind that belong to
// no group and come after one, in the order of their streams, at most limit.
// Zero begins with the first.
func (l *Ledger) PendingLoose(ctx context.Context, branch string, kind movement.Kind, after MovementID, limit int) ([]Movement, error) {
	id, ok, err := branchID(l.reader(ctx), branch)
	if err != nil || !ok {
		return nil, classify(err)
	}
	return l.movements(ctx, `WHERE m.state = 1 AND m.branch_id = $1 AND m.kind = $2 AND m.group_id = 0 AND m.id > $3
		ORDER BY m.id LIMIT $4`, id, KindNumber(kind), int64(after), limit)
}

// Group is the set of movements that were confirmed together.
type Group struct {
	ID            int64
	Branch, Epoch string
	Name          string
	// Size is how many there are, Come how many the hub has, those with a
	// problem included.
	Size, Come int64
	// Pending is how many wait for the planner.
	Pending int64
	// LastAt is when the hub received the newest of them.
	LastAt time.Time
}

// DueGroups gives the groups of a branch that have pending movements and wait
// for no more of them: those that are complete, and those of which nothing has
// come since quiet, or by a clock that was ahead, after latest. They are in the
// order in which they came, after the one with the id after, at most limit.
func (l *Ledger) DueGroups(ctx context.Context, branch string, quiet, latest time.Time, after int64, limit int) ([]Group, error) {
	return l.groups(ctx, branch, `(g.come >= g.size OR g.last_at <= $2 OR g.last_at > $3) AND g.id > $4 ORDER BY g.id LIMIT $5`,
		quiet.UnixMilli(), latest.UnixMilli(), after, limit)
}

// ComingGroups gives the incomplete groups of a branch of which something has
// come since quiet and until latest, the one that has been silent longest first,
// at most limit.
func (l *Ledger) ComingGroups(ctx context.Context, branch string, quiet, latest time.Time, limit int) ([]Group, error) {
	return l.groups(ctx, branch, `g.come < g.size AND g.last_at > $2 AND g.last_at <= $3 ORDER BY g.last_at, g.id LIMIT $4`,
		quiet.UnixMilli(), latest.UnixMilli(), limit)
}

func (l *Ledger) groups(ctx context.Context, branch, where string, args ...any) ([]Group, error) {
	r := l.reader(ctx)
	id, ok, err := branchID(r, branch)
	if err != nil || !ok {
		return nil, classify(err)
	}
	var all []Group
	err = r.Rows(`SELECT g.id, g.epoch, g.name, g.size, g.come, g.last_at, w.n FROM (
			SELECT group_id, COUNT(*) AS n FROM movements
			WHERE state = 1 AND branch_id = $1 AND group_id > 0 GROUP BY group_id) w
		JOIN groups g ON g.id = w.group_id WHERE `+where,
		append([]any{id}, args...), func(row Row) error {
			g := Group{Branch: branch}
			var at int64
			if err := row.Scan(&g.ID, &g.Epoch, &g.Name, &g.Size, &g.Come, &at, &g.Pending); err != nil {
				return err
			}
			g.LastAt = time.UnixMilli(at).UTC()
			all = append(all, g)
			return nil
		})
	if err != nil {
		return nil, classify(fmt.Errorf("groups of %s: %w", branch, err))
	}
	return all, nil
}

// GroupMembers gives all movements of a group whatever their state, in order.
func (l *Ledger) GroupMembers(ctx context.Context, group int64) ([]Movement, error) {
	return l.movements(ctx, `WHERE m.group_id = $1 AND m.group_id > 0 ORDER BY m.id`, group)
}
