package room

import (
	"fmt"

	"branchline/hub/ledger"
	"branchline/internal/ui"
)

// doubts tells the branches of which movements may be in Odoo already, so that
// nothing of these is posted until a person has looked.
func doubts(counts []ledger.ReasonCount) (all []string) {
	for _, c := range counts {
		if c.Reason != ledger.ReasonOtherHistory && c.Reason != ledger.ReasonMayBePosted {
			continue
		}
		waits := "waits"
		if c.Count != 1 {
			waits = "wait"
		}
		all = append(all, fmt.Sprintf("Branch %s: %s may be in Odoo already and %s until somebody has looked (branchline-hub exceptions --branch %s --reason %s).",
			c.Branch, ui.Many(c.Count, "movement", "movements"), waits, c.Branch, c.Reason))
	}
	return all
}
