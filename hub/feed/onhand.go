package feed

import (
	"encoding/json"
	"time"

	"branchline/internal/feed"
)

// OnHand is what Odoo had at a branch's stock location when it was last read, at asOf,
// as the branch is told it; ok is false while it was not read.
func (f *Feed) OnHand(branch string) (all []feed.Stock, asOf time.Time, ok bool, err error) {
	f.mu.Lock()
	c := f.current[keyOf(feed.OnHand, branch)]
	if c != nil {
		asOf = c.asOf
	}
	f.mu.Unlock()
	if c == nil {
		return nil, asOf, false, nil
	}
	for row, err := range c.doc.All() {
		if err != nil {
			return nil, asOf, false, err
		}
		var s feed.Stock
		if err := json.Unmarshal(row, &s); err != nil {
			return nil, asOf, false, err
		}
		all = append(all, s)
	}
	return all, asOf, true, nil
}
