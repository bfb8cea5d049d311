package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/ui"
)

// transfersCommand lists what was sent to another branch and has not come.
type transfersCommand struct {
	configFlag
	Branch string `help:"Only from or to this branch."`
	Days   int    `help:"Transfers of so many days, 1 to 3650." default:"90"`
}

// Run lists the oldest first.
func (c *transfersCommand) Run() error {
	return c.withLedger(func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
		if err := l.CheckBranch(ctx, c.Branch); err != nil {
			return err
		}
		return c.list(ctx, l, out, time.Now())
	})
}

func (c *transfersCommand) list(ctx context.Context, l *ledger.Ledger, out io.Writer, now time.Time) error {
	days := min(max(c.Days, 1), 3650)
	all, err := l.OpenTransfers(ctx, now.AddDate(0, 0, -days))
	if err != nil {
		return err
	}
	shown := 0
	for i := range all {
		t := &all[i]
		if c.Branch != "" && t.From != c.Branch && t.To != c.Branch {
			continue
		}
		shown++
		fmt.Fprintf(out, "%s  since %s (%s ago)\n", t.Ref, t.Since.Local().Format("2006-01-02 15:04"), ui.Ago(now.Sub(t.Since)))
		for j := range t.Lines {
			fmt.Fprintln(out, "    "+t.Lines[j].Words())
		}
	}
	if ledger.TransfersCut(all) {
		fmt.Fprintln(out, "There is more: these are the oldest lines.")
	}
	if shown == 0 {
		fmt.Fprintf(out, "All that was sent from branch to branch in the last %s was taken in.\n", ui.Many(days, "day", "days"))
	}
	return nil
}
