package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"branchline/agent/app"
	"branchline/agent/config"
	"branchline/agent/outbox"
	"branchline/agent/receive"
	"branchline/internal/control"
	"branchline/internal/fault"
	"branchline/internal/ui"
)

type outboxCommands struct {
	Inspect inspectCommand `cmd:"" help:"Say what is in the outbox: streams, what waits for the hub, what is open, alarms."`
	Verify  verifyCommand  `cmd:"" help:"Walk every chain and say which record is altered, missing or inserted."`
	Export  exportCommand  `cmd:"" help:"Write every record that is kept as one JSON object a line."`
}

type outboxFlags struct {
	configFlag
	File string `help:"An outbox file that no agent uses, such as one that was set aside, in place of the configured one." type:"path"`
}

// ask gives the running agent's answer, or works on the file of an agent
// that does not run.
func (f *outboxFlags) ask(path string, out any, onFile func(outbox.Source) error) error {
	file := f.File
	if file == "" {
		cfg, err := config.Load(f.Config)
		if err != nil {
			return err
		}
		err = control.Call(context.Background(), cfg.DataDir, "GET", path, nil, out)
		if !errors.Is(err, control.ErrNotRunning) {
			return err
		}
		file = cfg.Outbox.Path
	}
	src, err := outbox.OpenFile(file)
	if err != nil {
		return err
	}
	defer src.Close()
	return onFile(src)
}

type inspectCommand struct {
	outboxFlags
	JSON bool `help:"Print it as JSON." name:"json"`
}

// Run prints the outbox at a glance.
func (c *inspectCommand) Run() error {
	var v app.Overview
	err := c.ask("/outbox", &v, func(src outbox.Source) (err error) {
		v, err = app.Inspect(src)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(v)
	}
	_, err = io.WriteString(os.Stdout, glance(v, time.Now()))
	return err
}

// glance says an overview in people's words, as of now.
func glance(v app.Overview, now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "branch %s, made %s, %d KiB used of a file of %d KiB, %s remembered\n", v.Branch,
		v.Created.Format(time.DateTime), v.Used>>10, v.Size>>10, ui.Many(v.Keys, "natural key", "natural keys"))
	unsent := uint64(0)
	for _, s := range v.Streams {
		fmt.Fprintf(&b, "  %s/%s: %s, %d to %d, confirmed by the hub through %d", s.Epoch, s.Lane,
			ui.Many(s.Records, "record", "records"), s.First, s.Last, s.Acked)
		if !s.To.IsZero() {
			fmt.Fprintf(&b, ", the last recorded %s ago", ui.Ago(now.Sub(s.To)))
		}
		last := s.Last
		if s.ForkedInto != "" {
			fmt.Fprintf(&b, ", forked after %d into %s", s.ForkedAfter, s.ForkedInto)
			last = min(last, s.ForkedAfter)
		}
		b.WriteByte('\n')
		if last > s.Acked {
			unsent += min(last-s.Acked, s.Records)
		}
	}
	if unsent > 0 {
		fmt.Fprintf(&b, "  %s not yet confirmed by the hub\n", ui.Many(unsent, "record", "records"))
	} else if len(v.Damage) == 0 {
		b.WriteString("  every record is confirmed by the hub\n")
	}
	switch w := v.Open; {
	case w != (receive.Waiting{}):
		var open []string
		if w.Deliveries > 0 {
			open = append(open, ui.Many(w.Deliveries, "delivery", "deliveries"))
		}
		if w.Counts > 0 {
			open = append(open, ui.Many(w.Counts, "count", "counts"))
		}
		if w.Others > 0 {
			open = append(open, ui.Many(w.Others, "other session", "other sessions"))
		}
		if len(open) == 0 {
			open = append(open, "something that cannot be read")
		}
		fmt.Fprintf(&b, "  %s open, %s not yet confirmed by a person: not among the records above until then\n",
			strings.Join(open, " and "), ui.Many(w.Lines, "line", "lines"))
	case len(v.Damage) == 0:
		b.WriteString("  no delivery or count is open\n")
	}
	for _, a := range v.Alarms {
		fmt.Fprintf(&b, "  alarm %s: %s: %s\n", a.At.Format(time.DateTime), a.Code, a.Text)
	}
	for _, d := range v.Damage {
		fmt.Fprintln(&b, "  damage:", d)
	}
	return b.String()
}

type verifyCommand struct{ outboxFlags }

// Run checks all chains; what is not sound ends with its own exit code.
func (c *verifyCommand) Run() error {
	var r outbox.VerifyReport
	err := c.ask("/outbox/verify", &r, func(src outbox.Source) (err error) {
		r, err = outbox.Verify(context.Background(), src)
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range r.Findings {
		fmt.Printf("%s/%s %d to %d %s: %s\n", f.Epoch, f.Lane, f.First, f.Last, f.What, f.Text)
	}
	for _, d := range r.Damage {
		fmt.Println("damage:", d)
	}
	if !r.Sound() {
		return fault.New(fault.Data, "outbox_damaged", "%s checked, %s", ui.Many(r.Records, "record", "records"), ui.Many(len(r.Findings)+len(r.Damage), "finding", "findings")).
			WithHint("keep the file as evidence; the agent sets it aside at its next start and carries over what can be read")
	}
	fmt.Printf("%s in %s: every chain is whole.\n", ui.Many(r.Records, "record", "records"), ui.Many(r.Streams, "stream", "streams"))
	return nil
}

type exportCommand struct{ outboxFlags }

// Run writes the records to standard output.
func (c *exportCommand) Run() error {
	out := bufio.NewWriter(os.Stdout)
	err := c.ask("/outbox/export", io.Writer(out), func(src outbox.Source) error {
		_, err := outbox.Export(context.Background(), src, out)
		return err
	})
	return errors.Join(err, out.Flush())
}
