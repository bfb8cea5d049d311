package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
)

// auditCommands read and prove the audit trail.
type auditCommands struct {
	Verify auditVerifyCommand `cmd:"" help:"Go through the whole audit trail and say which row was altered, put in or taken out."`
	List   auditListCommand   `cmd:"" help:"List the audit trail, the newest first."`
}

type auditVerifyCommand struct{ configFlag }

// Run ends with the code for damage when a row does not hold.
func (c *auditVerifyCommand) Run() error {
	return c.withLedger(func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
		rows, err := l.VerifyAudit(ctx)
		if err == nil {
			fmt.Fprintf(out, "%d rows of the audit trail: the chain is whole.\n", rows)
		}
		return err
	})
}

type auditListCommand struct {
	configFlag
	Who    string `help:"Only of this person, or part of the hub."`
	Action string `help:"Only this action, such as discard or alias."`
	Text   string `help:"Only with these words in subject or detail."`
	From   string `help:"From this day on." placeholder:"2026-11-23"`
	To     string `help:"Up to this day." placeholder:"2026-11-23"`
	JSON   bool   `help:"One JSON object a line." name:"json"`
}

// Run lists the entries.
func (c *auditListCommand) Run() error {
	f := ledger.AuditFilter{Who: c.Who, Action: c.Action, Text: c.Text, Limit: 1000}
	var err error
	if f.From, err = dayOf(c.From, 0); err == nil {
		f.To, err = dayOf(c.To, 1)
	}
	if err != nil {
		return err
	}
	return c.withLedger(func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
		for {
			page, next, err := l.AuditEntries(ctx, f)
			if err != nil {
				return err
			}
			for _, e := range page {
				if err := c.line(out, &e); err != nil {
					return err
				}
			}
			if f.Before = next; next == 0 {
				return nil
			}
		}
	})
}

func (c *auditListCommand) line(out io.Writer, e *ledger.Entry) (err error) {
	if c.JSON {
		return json.NewEncoder(out).Encode(map[string]any{"id": e.ID, "at": e.At, "who": e.Who, "action": e.Action,
			"subject": e.Subject, "detail": e.Detail, "hash": e.Hash.String()})
	}
	_, err = fmt.Fprintf(out, "%d  %s  %s  %s  %s\n", e.ID, e.At.Local().Format(time.DateTime), e.Who, e.Action, e.Subject)
	if err == nil && e.Detail != "" {
		_, err = fmt.Fprintf(out, "    %s\n", e.Detail)
	}
	return err
}

// dayOf is the beginning of a day, some days later; zero for none.
func dayOf(s string, later int) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, s, time.Local)
	if err != nil {
		return t, fault.New(fault.Data, "bad_date", "%q is no date", s).WithHint("write it as 2026-11-23")
	}
	return t.AddDate(0, 0, later), nil
}
