package main

import (
	"fmt"

	"branchline/hub/room"
	"branchline/internal/ui"
)

type restoredCommand struct {
	configFlag
	whoFlag
}

// Run ends the warnings that the ledger was put back.
func (c *restoredCommand) Run() error {
	var done int
	if err := c.ask("POST", "/restored", room.Restored{Who: c.who(), Why: c.Why}, &done); err != nil {
		return err
	}
	if done == 0 {
		fmt.Println("There was no such warning.")
		return nil
	}
	fmt.Printf("%s ended.\n", ui.Many(done, "warning", "warnings"))
	return nil
}
