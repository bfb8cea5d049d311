package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"branchline/hub/config"
	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/control"
	"branchline/internal/ui"
)

type branchesCommand struct{ configFlag }

// Run lists all branches: those of the configuration, whether they ever sent
// something or not, and those that did and are no longer in it. What keeps a
// branch from being posted, and that the ledger was put back, comes after them.
func (c *branchesCommand) Run() error {
	cfg, err := config.Read(c.Config)
	if err != nil {
		return err
	}
	var lines []room.Line
	asked := control.Call(context.Background(), cfg.DataDir, "GET", "/lines", nil, &lines)
	if asked != nil && !errors.Is(asked, control.ErrNotRunning) {
		return asked
	}
	return c.withLedger(func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
		come, err := l.Overview(ctx)
		if err != nil {
			return err
		}
		var codes []string
		for _, b := range cfg.Branches {
			codes = append(codes, b.Code)
		}
		for _, b := range come {
			if !slices.Contains(codes, b.Branch) {
				codes = append(codes, b.Branch)
			}
		}
		slices.Sort(codes)
		for _, code := range codes {
			i := slices.IndexFunc(come, func(b ledger.BranchOverview) bool { return b.Branch == code })
			o := ledger.BranchOverview{Branch: code}
			if i >= 0 {
				o = come[i]
			}
			fmt.Fprintf(out, "%s  %s; %s\n", code, lineWords(code, cfg.Branches, lines, asked == nil), comeWords(&o))
			for _, l := range lines {
				for _, said := range l.Said {
					if l.Code == code {
						fmt.Fprintf(out, "    %s\n", said)
					}
				}
			}
		}
		if asked != nil {
			fmt.Fprintln(out, "The hub does not run, so no branch is connected.")
		}
		return notices(ctx, l, out)
	})
}

// lineWords tell whether a branch is connected.
func lineWords(code string, configured []config.Branch, lines []room.Line, running bool) string {
	i := slices.IndexFunc(lines, func(l room.Line) bool { return l.Code == code })
	switch {
	case !slices.ContainsFunc(configured, func(b config.Branch) bool { return b.Code == code }):
		return "not in the hub's configuration"
	case !running:
		return "configured"
	case i < 0:
		return "put into the configuration after the hub was started"
	case lines[i].Connected:
		return "connected since " + ui.Ago(time.Since(lines[i].Since))
	case lines[i].Since.IsZero():
		return "not connected since the hub was started"
	}
	return "not connected since " + ui.Ago(time.Since(lines[i].Since))
}

// comeWords tell what came of a branch and where it waits.
func comeWords(o *ledger.BranchOverview) string {
	var b strings.Builder
	if o.LastReceived.IsZero() {
		b.WriteString("nothing received yet")
	} else {
		fmt.Fprintf(&b, "%d received, the last %s ago", o.Received, ui.Ago(time.Since(o.LastReceived)))
	}
	if o.Received > 0 || o.Pending+o.Open+o.Exceptions > 0 {
		fmt.Fprintf(&b, "; %s for the planner, %s for Odoo, %d for a person", ui.Many(o.Pending, "waits", "wait"), ui.Many(o.Open, "document", "documents"), o.Exceptions)
	}
	return b.String()
}

// notices tell what a person must look at, of the ledger as a whole.
func notices(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
	kept, err := l.Unadopted(ctx)
	if err != nil {
		return err
	}
	for i := range kept {
		fmt.Fprintln(out, kept[i].Words())
	}
	restored, err := l.Restores(ctx, time.Now().Add(-ledger.RestoreShown))
	for _, r := range restored {
		fmt.Fprintln(out, r.Words())
	}
	return err
}
