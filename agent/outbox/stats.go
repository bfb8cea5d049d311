package outbox

import (
	"math"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Stats is the outbox at one moment.
type Stats struct {
	// Unsent counts the records that the hub has not acknowledged, and
	// OldestUnsent is when the oldest of them was recorded; zero for none.
	Unsent       uint64
	OldestUnsent time.Time
	// Bytes is what the file holds, of MaxBytes.
	Bytes, MaxBytes int64
	// Trouble is why capture stands still: "outbox_full", "disk_full" or
	// another code of [Outbox.Append]; empty when the last commit went well.
	// TroubleText says it to a person.
	Trouble, TroubleText string
	Alarms               []Alarm
}

// Stats tells the outbox's state. It reads a few pages.
func (o *Outbox) Stats() (Stats, error) {
	st := Stats{MaxBytes: o.cfg.MaxBytes}
	type mark struct {
		s    *stream
		next uint64
	}
	var marks []mark
	o.mu.RLock()
	for _, s := range o.streams {
		if w := s.wire(); w.Unsent() > 0 {
			st.Unsent += w.Unsent()
			marks = append(marks, mark{s, w.Acked + 1})
		}
	}
	if o.trouble != nil {
		st.Trouble, st.TroubleText = fault.CodeOf(o.trouble), o.trouble.Error()
	}
	st.Alarms = slices.Clone(o.alarms)
	o.mu.RUnlock()
	err := o.view(func(tx *bolt.Tx) error {
		st.Bytes = usedBytes(tx)
		for _, m := range marks {
			c := cursorOf(tx, m.s.name())
			if c == nil {
				continue
			}
			r := run{from: m.next, end: math.MaxUint64, maxRecords: 1, maxBytes: 1}
			if r.collect(c); len(r.found) == 0 {
				continue
			}
			v, err := movement.Decode(r.found[0].record())
			if err == nil && (st.OldestUnsent.IsZero() || v.RecordedAt.Before(st.OldestUnsent)) {
				st.OldestUnsent = v.RecordedAt
			}
		}
		return nil
	})
	return st, err
}
