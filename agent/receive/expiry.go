package receive

import (
	"fmt"
	"slices"
	"strings"

	"branchline/internal/movement"
)

// conflictingExpiry is the code of the problem that [Session.judge] finds.
const conflictingExpiry = "conflicting_expiry"

// judge marks every entry of a lot that came with more than one expiry: nobody
// knows which of them is right, so none may be posted. It is found anew after
// each change and after a restart, so that the mark goes when what remains of
// the lot agrees.
func (s *Session) judge() {
	type lot struct {
		product movement.Product
		lot     string
	}
	dates := map[lot][]movement.Date{}
	for i := range s.Entries {
		it := &s.Entries[i].Item
		at := lot{it.Product, it.Lot}
		if it.Lot != "" && !it.Expiry.IsZero() && !slices.Contains(dates[at], it.Expiry) {
			dates[at] = append(dates[at], it.Expiry)
		}
	}
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Problem != nil && e.Problem.Code == conflictingExpiry {
			e.Problem = nil
		}
		found := dates[lot{e.Item.Product, e.Item.Lot}]
		if len(found) > 1 && !e.Item.Expiry.IsZero() && e.Problem == nil {
			e.Problem = &movement.Problem{Code: conflictingExpiry, Field: "expiry", Text: fmt.Sprintf(
				"lot %.40q came with expiry %s in one delivery: read them from the packs", e.Item.Lot, among(found))}
		}
	}
}

// among lists dates as people do; of many only the first few.
func among(dates []movement.Date) string {
	words := make([]string, 0, 5)
	for _, d := range dates[:min(len(dates), 4)] {
		words = append(words, d.String())
	}
	if len(dates) > 4 {
		return strings.Join(words, ", ") + " and others"
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
