package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"branchline/hub/config"
	"branchline/hub/ledger"
	"branchline/internal/movement"
	"branchline/internal/ui"
)

// withLedger works on the ledger for reading, whether the hub runs or not.
func (f *configFlag) withLedger(work func(ctx context.Context, l *ledger.Ledger, out io.Writer) error) (err error) {
	cfg, err := config.Read(f.Config)
	if err != nil {
		return err
	}
	ctx := context.Background()
	l, err := ledger.OpenReadOnly(ctx, cfg.Ledger, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer l.Close()
	out := bufio.NewWriter(os.Stdout)
	if err := work(ctx, l, out); err != nil {
		return err
	}
	return out.Flush()
}

type exceptionsCommand struct {
	configFlag
	Branch string `help:"Only of this branch."`
	Reason string `help:"Only for this reason."`
	All    bool   `help:"List each of them, not only the oldest ones."`
	JSON   bool   `help:"Each of them, one JSON object a line." name:"json"`
}

// oldestShown is how many exceptions are listed where there are more.
const oldestShown = 20

// summary says how many wait for which reason, and for which codes.
func (c *exceptionsCommand) summary(ctx context.Context, l *ledger.Ledger, out io.Writer) (total int64, err error) {
	f := ledger.ExceptionFilter{Branch: c.Branch, Reason: c.Reason}
	groups, err := l.ExceptionGroups(ctx, f)
	if err != nil {
		return 0, err
	}
	codes, err := l.ExceptionCodes(ctx, f, oldestShown)
	if err != nil {
		return 0, err
	}
	for _, g := range groups {
		total += g.Count
	}
	if total <= oldestShown {
		return total, nil
	}
	for _, g := range groups {
		fmt.Fprintf(out, "%6d  %s, at %s, the oldest %s ago\n", g.Count, g.Reason, ui.Many(g.Branches, "branch", "branches"), ui.Ago(time.Since(g.Oldest)))
		if words, ok := ledger.WordsOfReason(g.Reason); ok {
			fmt.Fprintf(out, "        %s\n", words.Next)
		}
		if g.Reason != ledger.ReasonUnknownProduct {
			continue
		}
		for _, code := range codes {
			fmt.Fprintf(out, "        %6d by: branchline-hub alias set %s %q REFERENCE --why ...\n", code.Count, code.Product.Scheme, code.Product.Code)
		}
	}
	fmt.Fprintln(out)
	return total, nil
}

// exceptionLine is one exception as JSON.
type exceptionLine struct {
	ID       string    `json:"id"`
	Branch   string    `json:"branch"`
	Since    time.Time `json:"since"`
	Reason   string    `json:"reason"`
	Field    string    `json:"field,omitempty"`
	Text     string    `json:"text"`
	Hint     string    `json:"hint,omitempty"`
	Scheme   string    `json:"scheme,omitempty"`
	Code     string    `json:"code,omitempty"`
	Lot      string    `json:"lot,omitempty"`
	Quantity string    `json:"quantity,omitempty"`
	Source   string    `json:"source,omitempty"`
	Raw      string    `json:"raw,omitempty"`
	RawHex   string    `json:"raw_hex,omitempty"`
}

// Run lists the oldest first.
func (c *exceptionsCommand) Run() error {
	return c.withLedger(func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
		if err := cmp.Or(l.CheckBranch(ctx, c.Branch), l.CheckReason(ctx, c.Reason)); err != nil {
			return err
		}
		enc := json.NewEncoder(out)
		filter := ledger.ExceptionFilter{Branch: c.Branch, Reason: c.Reason, Limit: 1000}
		var total int64
		if !c.JSON {
			var err error
			if total, err = c.summary(ctx, l, out); err != nil {
				return err
			}
			if !c.All {
				filter.Limit = oldestShown
			}
		}
		for {
			page, err := l.Exceptions(ctx, filter)
			if err != nil {
				return err
			}
			for i := range page {
				e := &page[i]
				v := exceptionLine{ID: e.Identity.String(), Branch: e.Identity.Branch, Since: e.Since, Reason: e.Reason,
					Field: e.Field, Text: e.Text, Hint: e.Hint, Scheme: string(e.Product.Scheme), Code: e.Product.Code, Lot: e.Lot, Quantity: e.Quantity.String(),
					Source: ledger.SourceWords(&e.Source), Raw: e.Source.Raw, RawHex: e.Source.RawHex}
				if c.JSON {
					if err := enc.Encode(v); err != nil {
						return err
					}
					continue
				}
				fmt.Fprintf(out, "%s  %s, %s ago, %s\n    %s\n", v.ID, v.Reason, ui.Ago(time.Since(v.Since)), v.Source, v.Text)
				if words, ok := ledger.WordsOfReason(v.Reason); v.Hint == "" && ok {
					v.Hint = words.Next
				}
				if v.Hint != "" {
					fmt.Fprintf(out, "    to do: %s\n", v.Hint)
				}
				if raw := v.Raw + v.RawHex; raw != "" {
					fmt.Fprintf(out, "    read:  %s\n", strconv.Quote(raw))
				} else if e.Source.File != "" {
					fmt.Fprintf(out, "    file:  %s\n", fileWords(&e.Source))
				}
				fmt.Fprintf(out, "    by:    %s\n", strings.Join(commandsFor(e), "\n           "))
			}
			if len(page) < filter.Limit || filter.Limit == oldestShown {
				break
			}
			filter.After = &page[len(page)-1]
		}
		if !c.JSON {
			more := ""
			if total > oldestShown && !c.All {
				more = fmt.Sprintf(" These are the oldest %d; --all lists each, --reason and --branch some.", oldestShown)
			}
			fmt.Fprintf(out, "%d %s for a person.%s\n", total, map[bool]string{true: "waits", false: "wait"}[total == 1], more)
		}
		return nil
	})
}

// fileWords name the file and the line that a movement was read from.
func fileWords(s *movement.Source) string {
	if s.Line > 0 {
		return fmt.Sprintf("%s, line %d", s.File, s.Line)
	}
	return s.File
}

// commandsFor are the commands that can settle an exception, the likeliest
// first, to be completed with a word why.
func commandsFor(e *ledger.Exception) []string {
	command := func(what, about string) string { return "branchline-hub " + what + " " + about + " --why ..." }
	id := e.Identity.String()
	var all []string
	for _, r := range e.Remedies() {
		switch r {
		case ledger.RemedyMap:
			all = append(all, command("alias set", string(e.Product.Scheme)+" "+strconv.Quote(e.Product.Code)+" REFERENCE"))
		case ledger.RemedyCorrect: // at the page only
		case ledger.RemedyRetry, ledger.RemedyRelease, ledger.RemedyDiscard:
			all = append(all, command(string(r), id))
		}
	}
	return all
}

type movementsCommand struct {
	configFlag
	Branch string `help:"Only of this branch."`
	JSON   bool   `help:"One JSON object a line." name:"json"`
}

// movementLine is one movement with its way, as JSON.
type movementLine struct {
	ID         string    `json:"id"`
	Branch     string    `json:"branch"`
	Kind       string    `json:"kind"`
	Scheme     string    `json:"scheme,omitempty"`
	Code       string    `json:"code,omitempty"`
	Lot        string    `json:"lot,omitempty"`
	Expiry     string    `json:"expiry,omitempty"`
	Serial     string    `json:"serial,omitempty"`
	Quantity   string    `json:"quantity"`
	Unit       string    `json:"unit,omitempty"`
	OccurredAt time.Time `json:"occurred_at"`
	Source     string    `json:"source,omitempty"`
	State      string    `json:"state"`
	Posting    string    `json:"posting,omitempty"`
	Odoo       string    `json:"odoo,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	Text       string    `json:"text,omitempty"`
	Settles    string    `json:"settles,omitempty"`
	Said       string    `json:"said,omitempty"`
}

// Run lists movements stream by stream.
func (c *movementsCommand) Run() error {
	return c.withLedger(func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
		if err := l.CheckBranch(ctx, c.Branch); err != nil {
			return err
		}
		enc := json.NewEncoder(out)
		filter := ledger.MovementFilter{Branch: c.Branch, Limit: 500}
		for {
			page, err := l.Movements(ctx, filter)
			if err != nil {
				return err
			}
			ways, err := l.Ways(ctx, page)
			if err != nil {
				return err
			}
			for i := range ways {
				v := lineOf(&ways[i])
				if c.JSON {
					err = enc.Encode(v)
				} else {
					_, err = fmt.Fprintln(out, v.words())
				}
				if err != nil {
					return err
				}
			}
			if len(page) < filter.Limit {
				return nil
			}
			filter.After = page[len(page)-1].ID
		}
	})
}

// words tell a movement in one line; what is not known of it is left out.
func (v *movementLine) words() string {
	var b strings.Builder
	b.WriteString(v.ID + "  " + v.Kind)
	switch {
	case v.Code != "":
		fmt.Fprintf(&b, " %s of %s %s", strings.TrimSpace(v.Quantity+" "+v.Unit), v.Scheme, v.Code)
	case v.Settles != "":
		b.WriteString("dismissal of " + v.Settles)
	default:
		b.WriteString(" that could not be read")
	}
	if v.Lot != "" {
		b.WriteString(", lot " + v.Lot)
	}
	if v.Serial != "" {
		b.WriteString(", serial " + v.Serial)
	}
	if v.Source != "" {
		b.WriteString(", from " + v.Source)
	}
	b.WriteString(": " + v.State)
	if v.Odoo != "" {
		b.WriteString(" as " + v.Odoo)
	}
	if v.Text != "" {
		b.WriteString(", " + v.Text)
	}
	if v.Said != "" {
		b.WriteString(", " + v.Said)
	}
	return b.String()
}

func lineOf(m *ledger.Way) movementLine {
	return movementLine{ID: m.Identity.String(), Branch: m.Identity.Branch, Kind: string(m.Kind), Scheme: string(m.Product.Scheme),
		Code: m.Product.Code, Lot: m.Lot, Expiry: m.Expiry.String(), Serial: m.Serial, Quantity: m.Quantity.String(),
		Unit: m.Unit, OccurredAt: m.OccurredAt, Source: ledger.SourceWords(&m.Source), State: m.State.String(),
		Posting: m.Posting, Odoo: m.Odoo.Name, Reason: m.ExceptionReason, Text: m.ExceptionText,
		Settles: m.Settles, Said: m.Said}
}

type postingsCommand struct {
	configFlag
	Branch string `help:"Only of this branch."`
	State  string `help:"Only in this state: planned, posting, posted, split, withdrawn or refused."`
}

// Run lists the newest first.
func (c *postingsCommand) Run() error {
	return c.withLedger(func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
		if err := cmp.Or(l.CheckBranch(ctx, c.Branch), ledger.CheckPostingState(ledger.PostingState(c.State))); err != nil {
			return err
		}
		all, err := l.Postings(ctx, ledger.PostingFilter{Branch: c.Branch, State: ledger.PostingState(c.State), Limit: 1000})
		for _, p := range all {
			fmt.Fprintf(out, "%s  %s, %s, %s", p.Name, p.Kind, ui.Many(p.Movements, "movement", "movements"), p.State)
			if p.Odoo.Name != "" {
				fmt.Fprintf(out, ", in Odoo %s", p.Odoo.Name)
			}
			if p.Fault.Text != "" {
				fmt.Fprintf(out, "\n    tried %s: %s", ui.Many(p.Attempts, "time", "times"), p.Fault.Text)
			}
			fmt.Fprintln(out)
		}
		return err
	})
}

type verifyCommand struct{ configFlag }

// Run checks the audit trail, the database and every batch.
func (c *verifyCommand) Run() error {
	return c.withLedger(func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
		rows, err := l.VerifyAudit(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s of the audit trail: the chain is whole.\n", ui.Many(rows, "row", "rows"))
		batches, err := l.Check(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: every branch's chain is whole.\n", ui.Many(batches, "batch", "batches"))
		return nil
	})
}
