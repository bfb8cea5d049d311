package dispense

import (
	"context"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// starting is a store at the agent's start, when it may be full after a long time
// without a line: what is to be noted then waits in memory until there is room, so
// that the agent starts, and its uplink can empty the store. No row is recorded
// before.
type starting struct {
	Store
	waiting []outbox.Note
}

func (s *starting) Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error) {
	places, err := s.Store.Append(ctx, w)
	if fault.ClassOf(err) == fault.Transient && len(w.Movements) == 0 {
		s.waiting = append(s.waiting, w.Notes...)
		return nil, nil
	}
	return places, err
}

// writeWaiting writes what waited.
func (a *adapter) writeWaiting(ctx context.Context) error {
	for len(a.waiting) > 0 {
		n := min(len(a.waiting), 1000)
		if _, err := a.Store.Append(ctx, outbox.Write{Lane: movement.Bulk, Notes: a.waiting[:n]}); err != nil {
			return err
		}
		a.waiting = a.waiting[n:]
	}
	return nil
}
