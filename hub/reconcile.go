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

// reconcileCommands compare the branches with Odoo.
type reconcileCommands struct {
	List   reconcileListCommand   `cmd:"" help:"Say how the branches compared with Odoo when they last were."`
	Show   reconcileShowCommand   `cmd:"" help:"Say what is otherwise at a branch, in its records and its stock."`
	Now    reconcileNowCommand    `cmd:"" help:"Have a branch, or all of them, compared by the running hub."`
	Accept reconcileAcceptCommand `cmd:"" help:"Say that a document that somebody changed, cancelled or deleted in Odoo is right as it is there."`
	Start  reconcileStartCommand  `cmd:"" help:"Say that Odoo's stock of a branch is right, as after a stock-take there: it is gone on from that."`
}

type reconcileListCommand struct{ configFlag }

// Run lists the branches that were compared.
func (c *reconcileListCommand) Run() error {
	return c.withLedger(func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
		all, err := l.Reconciliations(ctx)
		for i := range all {
			reconciledLine(out, &all[i], time.Now())
		}
		if err == nil && len(all) == 0 {
			fmt.Fprintln(out, "No branch was compared yet.")
		}
		queue, err2 := l.ReconcileQueue(ctx)
		if len(queue) > 0 {
			fmt.Fprintf(out, "%s to be compared.\n", ui.Many(len(queue), "branch is", "branches are"))
		}
		if err == nil {
			err = err2
		}
		return err
	})
}

func reconciledLine(out io.Writer, c *ledger.Reconciled, now time.Time) {
	state := "equal"
	if c.Differences > 0 {
		state = fmt.Sprintf("%s for %s", ui.Many(c.Differences, "difference", "differences"), ui.Ago(now.Sub(c.Since)))
	}
	b := &c.Summary.All
	fmt.Fprintf(out, "%s  %s, compared %s ago\n    captured %d, received %d, posted %d, found in Odoo %d; on the way %d, for a person %d, taken out %d, repeated %d, lost %d",
		c.Branch, state, ui.Ago(now.Sub(c.At)), b.Captured, b.Received, b.Posted, b.Found, b.Waiting, b.Person, b.Discarded, b.Repeated, b.Lost)
	if c.Summary.Unsent > 0 {
		fmt.Fprintf(out, "; %d not sent yet", c.Summary.Unsent)
	}
	fmt.Fprintln(out)
}

type reconcileShowCommand struct {
	configFlag
	Branch string `arg:"" help:"The branch's code."`
}

// Run shows a branch.
func (c *reconcileShowCommand) Run() error {
	return c.withLedger(func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
		if err := l.CheckBranch(ctx, c.Branch); err != nil {
			return err
		}
		found, known, err := l.Reconciliation(ctx, c.Branch)
		if err != nil {
			return err
		}
		if !known {
			fmt.Fprintf(out, "%s was never compared; branchline-hub reconcile now --branch %s\n", c.Branch, c.Branch)
			return nil
		}
		showReconciled(out, &found, time.Now())
		return nil
	})
}

func showReconciled(out io.Writer, c *ledger.Reconciled, now time.Time) {
	reconciledLine(out, c, now)
	for _, d := range c.Result.Records {
		fmt.Fprintf(out, "%s  %s, movements: %d\n    %s\n", d.Day, d.What.Words(), d.Count, d.Text)
		if d.OdooName != "" {
			fmt.Fprintf(out, "    in Odoo:   %s (id %d)\n", d.OdooName, d.OdooID)
		}
		if d.Posting != "" && d.Posting != d.OdooName {
			fmt.Fprintf(out, "    posting:   %s\n", d.Posting)
		}
		if d.Movements != "" {
			fmt.Fprintf(out, "    movements: %s\n", d.Movements)
		}
	}
	for _, d := range c.Result.Accepted {
		fmt.Fprintf(out, "%s  %s, accepted by %s: %s\n    %s\n    in Odoo:   %s (id %d)\n", d.Day, d.What.Words(), d.Who, d.Why, d.Text, d.OdooName, d.OdooID)
	}
	if n := c.Result.RecordsLeft; n > 0 {
		fmt.Fprintf(out, "and %d more.\n", n)
	}
	s := &c.Result.Stock
	if s.Why != "" {
		fmt.Fprintf(out, "The stock was not compared: %s.\n", s.Why)
		return
	}
	fmt.Fprintf(out, "Stock: %d products and lots compared, from what Odoo had on %s.\n", s.Compared, s.Start.Local().Format("2006-01-02 15:04"))
	for i := range s.Differences {
		d := &s.Differences[i]
		of := d.Name
		if d.Lot != "" {
			of += ", lot " + d.Lot
		}
		fmt.Fprintf(out, "%s: should be %s, Odoo has %s (%s)\n", of, d.Expected, d.Odoo, off(d))
		for _, m := range d.Moves {
			fmt.Fprintf(out, "    %s by %s, %s, %s\n", m.Quantity, m.Who, m.At.Local().Format("2006-01-02 15:04"), m.Document)
		}
	}
	if s.More > 0 {
		fmt.Fprintf(out, "and %d more.\n", s.More)
	}
}

func off(d *ledger.StockDifference) string {
	q := d.Off()
	if q > 0 {
		return q.String() + " too many"
	}
	return (-q).String() + " too few"
}

type reconcileNowCommand struct {
	configFlag
	Branch string `help:"Only this branch."`
	Who    string `help:"Who asks; the user of this session when left out."`
}

// Run asks the running hub, and does not wait for it.
func (c *reconcileNowCommand) Run() error {
	var n int
	if err := c.ask("POST", "/reconcile", room.CheckNow{Branch: c.Branch, Who: whoIs(c.Who)}, &n); err != nil {
		return err
	}
	fmt.Printf("%s compared; branchline-hub reconcile list tells when that is done.\n", ui.Many(n, "branch is being", "branches are being"))
	return nil
}

type reconcileAcceptCommand struct {
	configFlag
	whoFlag
	Branch  string `arg:"" help:"The branch's code."`
	Posting string `arg:"" help:"The name of the posting, as reconcile show tells it."`
}

// Run has a document taken as it is in Odoo.
func (c *reconcileAcceptCommand) Run() error {
	err := c.ask("POST", "/accept", room.AcceptDifference{Branch: c.Branch, Posting: c.Posting, Who: c.who(), Why: c.Why}, nil)
	if err == nil {
		fmt.Printf("%s is taken as it is in Odoo, and %s is being compared anew.\n", c.Posting, c.Branch)
	}
	return err
}

type reconcileStartCommand struct {
	configFlag
	whoFlag
	Branch string `arg:"" help:"The branch's code."`
}

// Run has Odoo's stock taken as it is.
func (c *reconcileStartCommand) Run() error {
	err := c.ask("POST", "/reconcile", room.CheckNow{Branch: c.Branch, Who: c.who(), StartWhy: c.Why}, nil)
	if err == nil {
		fmt.Printf("%s is being compared; what Odoo has there is taken as it is from then on. Nothing is changed in Odoo or in the ledger's movements.\n", c.Branch)
	}
	return err
}
