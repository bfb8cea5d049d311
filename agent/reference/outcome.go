package reference

import (
	"cmp"
	"encoding/json"
	"slices"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/feed"
)

// Waiting is what waits with a person at the hub.
type Waiting struct {
	// Rows are movements with their goods, the newest first.
	Rows []feed.Outcome
	// More counts those that are not among the rows.
	More int64
	// Settled are rows of the branch's exports that people at the hub have settled.
	Settled []feed.Outcome
}

// maxWaiting and maxSettled bound what is kept in memory of it.
const maxWaiting, maxSettled = 1000, 5000

// Outcomes gives what became of a session's movements; nothing for one of which
// the hub has told nothing.
func (s *Store) Outcomes(session string) (list []feed.Outcome) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.rowsByHash(feed.Outcomes, []uint32{keyHash(session)}, func(row []byte) error {
		var o feed.Outcome
		if err := json.Unmarshal(row, &o); err != nil {
			return err
		}
		if o.Session == session && session != "" {
			list = append(list, o)
		}
		return nil
	})
	return list
}

// Waiting gives what waits with a person. The rows must not be changed.
func (s *Store) Waiting() Waiting {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.waiting
}

func allWaiting(tx *bolt.Tx, t *table) (w Waiting, err error) {
	if t == nil {
		return w, nil
	}
	for i := range t.parts {
		p := &t.parts[i]
		for row := range p.rows {
			var o feed.Outcome
			if err := json.Unmarshal(tx.Bucket(rowsBucket).Get(rowKey(p.number, row)), &o); err != nil {
				return Waiting{}, err
			}
			switch {
			case o.More > 0:
				w.More += o.More
			case o.Goods == nil && o.Session == "" && len(o.Runs) > 0:
				if len(w.Settled) < maxSettled {
					w.Settled = append(w.Settled, o)
				}
			case o.Goods == nil || len(o.Runs) != 1:
			case len(w.Rows) == maxWaiting:
				w.More++
			default:
				w.Rows = append(w.Rows, o)
			}
		}
	}
	slices.SortStableFunc(w.Rows, func(a, b feed.Outcome) int { return cmp.Compare(b.Runs[0].At, a.Runs[0].At) })
	return w, nil
}
