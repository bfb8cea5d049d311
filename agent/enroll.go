package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"branchline/agent/config"
	"branchline/agent/identity"
	"branchline/internal/fault"
	"branchline/internal/trust"
)

type enrollCommand struct {
	configFlag
	Hub  string `help:"The hub's address for branches." required:"" placeholder:"https://HUB:8443"`
	Code string `help:"The one-time code; asked for when left out, so that it stands in no history." placeholder:"CODE"`
}

// enrollTime bounds the whole.
const enrollTime = time.Minute

// Run enrols this PC as the branch that the configuration names. A running agent
// goes over to the new identity by itself.
func (c *enrollCommand) Run(out io.Writer) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	if c.Code == "" {
		fmt.Fprint(out, "Enrolment code: ")
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, 1000)).ReadString('\n')
		if err != nil && line == "" {
			return fault.New(fault.Setup, "bad_configuration", "there is no enrolment code").WithHint("give it with --code")
		}
		c.Code = line
	}
	code, err := trust.ParseCode(c.Code)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return fault.New(fault.Setup, "data_dir", "the folder %s cannot be made: %w", cfg.DataDir, err).WithHint("make it, or change data_dir")
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	id := identity.Open(identity.Options{Dir: config.IdentityFolder(&cfg), Branch: cfg.Branch, Program: version, Log: log})
	ctx, cancel := context.WithTimeout(context.Background(), enrollTime)
	defer cancel()
	if err := id.Enrol(ctx, c.Hub, code); err != nil {
		return err
	}
	fmt.Fprintf(out, "This PC is branch %s. A running agent connects within seconds; otherwise start it.\n", cfg.Branch)
	for _, a := range id.Alarms() {
		fmt.Fprintln(out, a.Text)
	}
	return nil
}
