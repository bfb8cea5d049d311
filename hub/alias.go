package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/ui"
)

type aliasCommands struct {
	Set    aliasSetCommand    `cmd:"" help:"Say which product of Odoo a code means; what waited for it goes on."`
	List   aliasListCommand   `cmd:"" help:"List what was said, by whom and why."`
	Remove aliasRemoveCommand `cmd:"" help:"Take it back; what is posted by it stays."`

	Confirm aliasConfirmCommand `cmd:"" help:"Say that all aliases still hold which are held since the ledger was put back from a backup."`
}

type aliasSetCommand struct {
	configFlag
	whoFlag
	Scheme  string `arg:"" help:"gtin, ndc, pzn, hibc or sku, as the exceptions show it."`
	Code    string `arg:"" help:"The code, as the exceptions show it."`
	Product string `arg:"" help:"The product's internal reference or barcode in Odoo."`
	Ahead   bool   `help:"The code has not come yet, and the alias is made ahead of it."`

	Overrule bool `help:"Odoo itself knows a product by the code, and the alias is to count all the same."`
}

// Run makes the alias and names the product, so that a wrong one is seen.
func (c *aliasSetCommand) Run() error {
	var done room.AliasMade
	err := c.ask("POST", "/alias", room.Alias{Scheme: c.Scheme, Code: c.Code, Product: c.Product, Ahead: c.Ahead, Overrule: c.Overrule, Who: c.who(), Why: c.Why}, &done)
	if err == nil && done.Overruled != "" {
		fmt.Printf("In Odoo, %s %s is %s; that counts no longer.\n", done.Scheme, done.Code, done.Overruled)
	}
	if err == nil {
		fmt.Printf("%s %s means %s; %d exceptions go on. If that is not the product: branchline-hub alias remove %s %s --why ...\n",
			done.Scheme, done.Code, done.Product, done.Released, done.Scheme, done.Code)
	}
	return err
}

type aliasRemoveCommand struct {
	configFlag
	whoFlag
	Scheme string `arg:"" help:"As alias list shows it."`
	Code   string `arg:"" help:"As alias list shows it."`
}

// Run takes the alias back.
func (c *aliasRemoveCommand) Run() error {
	var done room.AliasMade
	err := c.ask("POST", "/alias/remove", room.Alias{Scheme: c.Scheme, Code: c.Code, Who: c.who(), Why: c.Why}, &done)
	if err == nil {
		fmt.Printf("%s %s means nothing of its own any more; %d movements are looked at again. What is posted stays.\n", done.Scheme, done.Code, done.Released)
	}
	return err
}

type aliasConfirmCommand struct {
	configFlag
	whoFlag
}

// Run lets the held aliases hold again.
func (c *aliasConfirmCommand) Run() error {
	var done room.AliasMade
	err := c.ask("POST", "/alias/confirm", room.Alias{Who: c.who(), Why: c.Why}, &done)
	if err == nil {
		fmt.Printf("%s again; what waited for it goes on.\n", ui.Many(done.Released, "alias holds", "aliases hold"))
	}
	return err
}

type aliasListCommand struct{ configFlag }

// Run lists all aliases.
func (c *aliasListCommand) Run() error {
	return c.withLedger(func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
		all, err := l.Aliases(ctx)
		for _, a := range all {
			fmt.Fprintf(out, "%s %s  means %s (product %d in Odoo), said by %s %s ago: %s\n", a.Product.Scheme, a.Product.Code,
				a.ProductName, a.ProductID, a.Who, ui.Ago(time.Since(a.At)), a.Why)
			if a.Held {
				fmt.Fprintln(out, "    held since the ledger was put back: it may have been changed or taken back after the backup; alias remove, or alias confirm")
			}
		}
		if err == nil && len(all) == 0 {
			fmt.Fprintln(out, "No alias was made.")
		}
		return err
	})
}
