package ledger

import (
	"context"
	"fmt"
)

// MovementFilter chooses movements; zero fields choose all.
type MovementFilter struct {
	Branch string
	// After is the last movement of the page before.
	After MovementID
	// Limit is 100 if it is 0, and at most 1000.
	Limit int
}

// Movements lists movements stream by stream, each in its order.
func (l *Ledger) Movements(ctx context.Context, f MovementFilter) ([]Movement, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	where, args := `WHERE m.id > $1`, []any{int64(f.After)}
	if f.Branch != "" {
		args = append(args, f.Branch)
		where += fmt.Sprintf(` AND m.branch_id = (SELECT id FROM branches WHERE code = $%d)`, len(args))
	}
	args = append(args, min(f.Limit, 1000))
	return l.movements(ctx, where+fmt.Sprintf(` ORDER BY m.id LIMIT $%d`, len(args)), args...)
}
