package projection

import "branchline/hub/ledger"

// branchTotal is what the board shows of a branch.
type branchTotal struct {
	movements, lastID, lastOccurred, lastReceived int64
	// hours counts movements by the hour of their event, since 1970 UTC.
	hours map[int64]int64
}

func (w *writing) total(b *batch, id ledger.MovementID, r *reading) {
	t := w.totals[b.BranchID]
	if t == nil {
		t = &branchTotal{hours: map[int64]int64{}}
		w.totals[b.BranchID] = t
	}
	t.movements++
	t.lastID = int64(id)
	if r.bad == nil {
		t.lastOccurred = max(t.lastOccurred, r.m.OccurredAt.UnixMilli())
		t.hours[r.m.OccurredAt.Unix()/3600]++
	}
	t.lastReceived = max(t.lastReceived, b.ReceivedAt.UnixMilli())
}

func (w *writing) flushTotals() error {
	for branch, t := range w.totals {
		if _, err := w.tx.Exec(`INSERT INTO branch_totals
			(branch_id, movements, last_movement_id, last_occurred_at, last_received_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (branch_id) DO UPDATE SET movements = branch_totals.movements + excluded.movements,
			last_movement_id = excluded.last_movement_id,
			last_occurred_at = CASE WHEN excluded.last_occurred_at > branch_totals.last_occurred_at
				THEN excluded.last_occurred_at ELSE branch_totals.last_occurred_at END,
			last_received_at = CASE WHEN excluded.last_received_at > branch_totals.last_received_at
				THEN excluded.last_received_at ELSE branch_totals.last_received_at END`,
			branch, t.movements, t.lastID, t.lastOccurred, t.lastReceived); err != nil {
			return err
		}
		for hour, n := range t.hours {
			if _, err := w.tx.Exec(`INSERT INTO branch_hours (branch_id, hour, movements) VALUES ($1, $2, $3)
				ON CONFLICT (branch_id, hour) DO UPDATE SET movements = branch_hours.movements + excluded.movements`, branch, hour, n); err != nil {
				return err
			}
		}
	}
	return nil
}
