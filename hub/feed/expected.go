package feed

import (
	"encoding/json"
	"time"

	"branchline/internal/feed"
)

// Expected gives the deliveries that a branch expects as it was last told, and as of
// when; none, and a zero time, before Odoo was read. Rows that cannot be read are
// left out.
func (f *Feed) Expected(branch string) (list []feed.Delivery, asOf time.Time) {
	f.mu.Lock()
	c := f.current[keyOf(feed.Deliveries, branch)]
	f.mu.Unlock()
	if c == nil {
		return nil, time.Time{}
	}
	for row, err := range c.doc.All() {
		var d feed.Delivery
		if err != nil || json.Unmarshal(row, &d) != nil {
			f.log.Error("a delivery that a branch was told cannot be read", "branch", branch, "err", err)
			continue
		}
		if n := len(list); n > 0 && list[n-1].Key == d.Key { // one with many lines is in several rows
			list[n-1].Lines = append(list[n-1].Lines, d.Lines...)
			continue
		}
		list = append(list, d)
	}
	return list, c.asOf
}
