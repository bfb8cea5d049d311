package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"branchline/hub/room"
	"branchline/internal/fault"
	"branchline/internal/ui"
)

// replenishmentCommands tell what branches run low of, and have Odoo order it.
type replenishmentCommands struct {
	List  replenishmentListCommand  `cmd:"" help:"List what the branches run low of, by Odoo's reordering rules, and what expires soon."`
	Order replenishmentOrderCommand `cmd:"" help:"Have Odoo replenish by a rule by which a branch runs low."`
}

type replenishmentListCommand struct {
	configFlag
	Branch string `help:"Only this branch."`
}

// Run lists the branches that run low of most first.
func (c *replenishmentListCommand) Run() error {
	var all []room.Signals
	if err := c.ask("GET", "/replenishment", nil, &all); err != nil {
		return err
	}
	if c.Branch == "" {
		for i := range all {
			listSignals(os.Stdout, &all[i])
		}
		return nil
	}
	for i := range all {
		if all[i].Code == c.Branch {
			listSignals(os.Stdout, &all[i])
			return nil
		}
	}
	return fault.New(fault.Data, room.CodeUnknownBranch, "there is no branch %q", c.Branch).WithHint("branchline-hub branches lists those that are configured")
}

func listSignals(out io.Writer, s *room.Signals) {
	if s.Why != "" {
		fmt.Fprintf(out, "%s  cannot be told: %s\n", s.Code, s.Why)
		return
	}
	fmt.Fprintf(out, "%s  %s low by %s, %s soon; Odoo as of %s\n", s.Code, ui.Many(len(s.Low), "product runs", "products run"), ui.Many(s.Rules, "rule", "rules"),
		ui.Many(len(s.Expiring), "lot expires", "lots expire"), s.OdooAt.Local().Format("2006-01-02 15:04"))
	if s.Unsettled != "" {
		fmt.Fprintf(out, "    %s\n", s.Unsettled)
	}
	for i := range s.Low {
		l := &s.Low[i]
		fmt.Fprintf(out, "    low       %s: %s %s, %s in Odoo and %s not yet; at least %s, up to %s (rule %d, %s)%s\n", l.Name, l.Together, l.Unit, l.Odoo, l.Unposted, l.Min, l.Max, l.RuleID, l.Rule, doubts(l.Doubts))
	}
	for i := range s.Expiring {
		e := &s.Expiring[i]
		fmt.Fprintf(out, "    expires   %s, lot %q: %s %s on %s%s\n", e.Name, e.Lot, e.Together, e.Unit, e.Expiry, doubts(e.Doubts))
	}
	for _, why := range s.Left {
		fmt.Fprintf(out, "    not told  %s\n", why)
	}
}

func doubts(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return "; " + strings.Join(all, "; ")
}

type replenishmentOrderCommand struct {
	configFlag
	Branch string `arg:"" help:"The branch's code."`
	Rule   int64  `arg:"" help:"The rule's id, as list tells it."`
	Who    string `help:"Who asks; the user of this session when left out."`
}

// Run waits for Odoo's answer.
func (c *replenishmentOrderCommand) Run() error {
	var done room.StockOrder
	if err := c.ask("POST", "/replenishment/order", room.OrderStock{Branch: c.Branch, Rule: c.Rule, Who: whoIs(c.Who)}, &done); err != nil {
		return err
	}
	fmt.Printf("%s: %s.\n", done.Product, done.Words())
	return nil
}
