package room

import (
	"context"
	"time"
)

// Restored is a person's word that what had to be done after the ledger was put
// back is done.
type Restored struct {
	Who string `json:"who"`
	Why string `json:"why"`
}

// Restored ends the warnings that the ledger was put back, and tells how many.
func (m *Room) Restored(ctx context.Context, r Restored) (int, error) {
	return m.Ledger.SettleRestores(ctx, r.Who, r.Why, time.Now())
}
