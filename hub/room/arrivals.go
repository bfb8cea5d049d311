package room

import (
	"context"

	"branchline/hub/ledger"
)

// Arrivals lists movements in the order in which the hub received them, as the
// ledger does.
func (m *Room) Arrivals(ctx context.Context, after ledger.Arrived, limit int) ([]ledger.ArrivedMovement, error) {
	return m.Ledger.MovementsAfter(ctx, after, limit)
}
