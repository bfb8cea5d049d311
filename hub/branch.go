package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"branchline/hub/app"
	"branchline/hub/config"
	"branchline/hub/fleet"
	"branchline/internal/fault"
)

type branchCommands struct {
	Add    branchAddCommand    `cmd:"" help:"Make a one-time code by which a PC becomes the branch's; it is shown once."`
	List   branchListCommand   `cmd:"" help:"List how the branches' PCs stand."`
	Revoke branchRevokeCommand `cmd:"" help:"Keep the branch's PC out from now on; its open connection is cut."`
}

type branchAddCommand struct {
	configFlag
	Branches []string `arg:"" optional:"" help:"The branches' codes."`
	File     string   `help:"A file with a branch's code at the beginning of each line; - for standard input." placeholder:"FILE"`
	All      bool     `help:"All branches that have neither a PC nor an open code."`
	CSV      bool     `name:"csv" help:"Print lines of branch, code and end."`
}

// Run makes the codes and prints them: one in words, several as CSV.
func (c *branchAddCommand) Run() error {
	if c.File != "" {
		listed, err := branchesIn(c.File)
		if err != nil {
			return err
		}
		c.Branches = append(c.Branches, listed...)
	}
	if (len(c.Branches) > 0) == c.All {
		return fault.New(fault.Setup, "bad_configuration", "name branches, or a file, or give --all")
	}
	cfg, err := config.Read(c.Config)
	if err != nil {
		return err
	}
	var made []fleet.Issued
	if err := c.ask("POST", "/branch/add", app.Enrolment{Branches: c.Branches, All: c.All, Who: onConsole()}, &made); err != nil {
		return err
	}
	if len(made) == 1 && !c.CSV {
		m := made[0]
		fmt.Printf("%s\nuntil %s, once. On the branch's PC:\n  branchline-agent enroll --hub %s --code %s\n",
			m.Text, m.Ends.Local().Format("2 January 15:04"), cfg.Fleet.Door(), m.Text)
		return nil
	}
	w := csv.NewWriter(os.Stdout)
	_ = w.Write([]string{"branch", "code", "ends"})
	for _, m := range made {
		_ = w.Write([]string{m.Branch, m.Text, m.Ends.UTC().Format(time.RFC3339)})
	}
	w.Flush()
	return w.Error()
}

// maxList bounds a list of branches, in bytes.
const maxList = 1 << 20

// branchesIn reads the first column of a CSV file; a heading is left out.
func branchesIn(path string) ([]string, error) {
	in := io.Reader(os.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fault.New(fault.Setup, "bad_configuration", "the list of branches: %w", err)
		}
		defer f.Close()
		in = f
	}
	r := csv.NewReader(io.LimitReader(in, maxList))
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	var all []string
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fault.New(fault.Data, "bad_request", "the list of branches: %w", err)
		}
		code := strings.TrimSpace(strings.TrimPrefix(row[0], "\ufeff"))
		if code == "" || len(all) == 0 && (strings.EqualFold(code, "branch") || strings.EqualFold(code, "code")) {
			continue
		}
		all = append(all, code)
	}
}

type branchListCommand struct{ configFlag }

// Run lists them, with what a person must look at below.
func (c *branchListCommand) Run() error {
	var all []fleet.Member
	if err := c.ask("GET", "/branch", nil, &all); err != nil {
		return err
	}
	for i := range all {
		m := &all[i]
		fmt.Printf("%s  %s\n", m.Branch, memberWords(m))
		for _, s := range m.Said {
			fmt.Println("    " + s)
		}
		for _, p := range m.Past {
			fmt.Printf("    before: %s, %s on %s by %s\n", nameOr(p.Host), p.Ended, p.At.Local().Format("2 January 2006 15:04"), p.By)
		}
	}
	return nil
}

func nameOr(host string) string {
	if host == "" {
		return "a PC"
	}
	return host
}

func memberWords(m *fleet.Member) string {
	words := "not enrolled"
	if !m.Since.IsZero() {
		words = fmt.Sprintf("%s at %s since %s; certificate until %s", nameOr(m.Host), m.Address, m.Since.Local().Format("2 January 2006 15:04"),
			m.Ends.Local().Format("2 January 2006"))
		if m.Seen.IsZero() {
			words += ", not used yet"
		}
	}
	if !m.Code.IsZero() {
		words += "; a code until " + m.Code.Local().Format("2 January 15:04")
	}
	return words
}

type branchRevokeCommand struct {
	configFlag
	whoFlag
	Branch string `arg:"" help:"The branch's code."`
}

// Run revokes.
func (c *branchRevokeCommand) Run() error {
	err := c.ask("POST", "/branch/revoke", app.Enrolment{Branches: []string{c.Branch}, Who: c.who(), Why: c.Why}, nil)
	if err == nil {
		fmt.Printf("The PC of branch %s is kept out from now on. What it records it keeps. To let a PC in again: branchline-hub branch add %[1]s\n", c.Branch)
	}
	return err
}
