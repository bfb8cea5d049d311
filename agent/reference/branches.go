package reference

import (
	"encoding/json"
	"slices"

	bolt "go.etcd.io/bbolt"

	"branchline/internal/feed"
)

// maxBranches bounds the list that is held in memory.
const maxBranches = 10_000

// Branches lists the other branches, by their codes.
func (s *Store) Branches() []feed.Branch {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.branches)
}

// allBranches reads the list, but for the branch's own row.
func (s *Store) allBranches(tx *bolt.Tx, t *table) ([]feed.Branch, error) {
	if t == nil {
		return nil, nil
	}
	var list []feed.Branch
	for i := range t.parts {
		p := &t.parts[i]
		for row := range p.rows {
			var b feed.Branch
			if err := json.Unmarshal(tx.Bucket(rowsBucket).Get(rowKey(p.number, row)), &b); err != nil {
				return nil, err
			}
			if b.Code != s.cfg.Branch && len(list) < maxBranches {
				list = append(list, b)
			}
		}
	}
	return list, nil
}
