package receive

import (
	"testing"

	"branchline/agent/scan"
)

// Every barcode of the printed sheet is a command of the desk.
func TestSheetIsUnderstood(t *testing.T) {
	reasons := DefaultConfig().Reasons
	for _, g := range scan.Sheet(reasons) {
		for _, c := range g.Commands {
			cmd, err := parseCommand(c.Code)
			if err != nil {
				t.Errorf("%s (%s): %v", c.Code, c.Label, err)
			}
			if _, known := reasons[cmd.reason]; cmd.reason != "" && !known {
				t.Errorf("%s names no reason", c.Code)
			}
		}
	}
}
