package receive

import (
	"testing"

	"branchline/agent/scan"
	"branchline/internal/feed"
)

// Every barcode of the printed sheet is a command of the desk.
func TestSheetIsUnderstood(t *testing.T) {
	reasons := DefaultConfig().Reasons
	for _, g := range scan.Sheet(reasons, []feed.Branch{{Code: "BR02"}}) {
		for _, c := range g.Commands {
			cmd, err := parseCommand(c.Code)
			if err != nil {
				t.Errorf("%s (%s): %v", c.Code, c.Label, err)
			}
			if _, known := reasons[cmd.reason]; cmd.reason != "" && cmd.name != "branch" && !known {
				t.Errorf("%s names no reason", c.Code)
			}
		}
	}
}
