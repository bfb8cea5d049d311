package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/alecthomas/kong"

	"branchline/agent/app"
	"branchline/agent/config"
	"branchline/agent/dispense"
	"branchline/agent/identity"
	"branchline/internal/conf"
	"branchline/internal/daemon"
	"branchline/internal/disk"
	"branchline/internal/fault"
	"branchline/internal/logging"
	"branchline/internal/ui"
)

type runCommand struct{ configFlag }

// Run starts the agent and stays until it is told to stop.
func (c *runCommand) Run() error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	log, closeLog := logging.New(cfg.Log, cfg.DataDir)
	defer closeLog.Close()
	if why := cfg.Hub.Secret.Exposed(); why != "" {
		log.Warn("others can read the branch's secret", "branch", cfg.Branch, "file", cfg.Hub.Secret.File, "err", why)
	}
	// A branch's PC is small and the agent has time: half of Go's usual slack.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	d := c.daemon()
	d.Log = log
	d.New = func() (daemon.App, error) { return app.New(cfg, version, log) }
	return d.Run()
}

func (c *configFlag) daemon() daemon.Daemon {
	return daemon.Daemon{Name: "branchline-agent", Title: "Branchline agent", Config: c.Config,
		Description: "Carries this branch's stock movements to the hub."}
}

type checkCommand struct{ configFlag }

// Run reads the configuration, looks at who may read the secret and at the
// folders of the exports, and says what it found. Scanners and the hub are not
// tried: they may be elsewhere today.
func (c *checkCommand) Run(out io.Writer) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is good: branch %s, %s, %s, hub %s\n", c.Config, cfg.Branch,
		ui.Many(len(cfg.Capture.Scanners), "scanner", "scanners"), ui.Many(len(cfg.Exports.Exports), "export", "exports"), hubWords(&cfg))
	exposed := cfg.Hub.Secret.Exposed()
	if exposed != "" {
		fmt.Fprintf(out, "hub.secret_file: WRONG: %s\n", exposed)
	}
	there, unwritable := disk.Writable(cfg.DataDir)
	switch {
	case unwritable != nil:
		fmt.Fprintf(out, "data_dir %s: WRONG: %v\n", cfg.DataDir, unwritable)
	case there:
		fmt.Fprintf(out, "data_dir %s: can be written to\n", cfg.DataDir)
	default:
		fmt.Fprintf(out, "data_dir %s: not there yet, it is made at the first start\n", cfg.DataDir)
	}
	wrong := 0
	for _, e := range cfg.Exports.Exports {
		found, err := dispense.Examine(context.Background(), e)
		if err != nil {
			wrong++
			found = "WRONG: " + err.Error()
		}
		fmt.Fprintf(out, "export %s: %s\n", e.Name, found)
	}
	fmt.Fprintln(out, "Not tried: the scanners, the hub"+conf.NotLookedAt+".")
	if exposed != "" {
		return fault.New(fault.Setup, "secret_exposed", "hub.secret_file: %s", exposed)
	}
	if unwritable != nil {
		return fault.New(fault.Setup, "data_dir", "data_dir %s cannot be written to: %w", cfg.DataDir, unwritable).
			WithHint("make it and let the service's user write there, or change data_dir")
	}
	if wrong > 0 {
		return fault.New(fault.Setup, "exports_unreadable", "%d of %d exports cannot be read as they are", wrong, len(cfg.Exports.Exports))
	}
	return nil
}

// hubWords say how the hub is reached.
func hubWords(cfg *config.Config) string {
	id := identity.Open(identity.Options{Dir: config.IdentityFolder(cfg), Branch: cfg.Branch, Log: slog.New(slog.DiscardHandler)})
	server, err := id.Line()
	switch {
	case err != nil:
		return "WRONG: " + err.Error()
	case server != "":
		return server + " (enrolled)"
	case cfg.Hub.Server != "":
		return cfg.Hub.Server
	}
	return "not known: this PC is not enrolled yet"
}

type controlCommand struct{ configFlag }

// Run does to the installed service what the command is called.
func (c *controlCommand) Run(ctx *kong.Context) error {
	if ctx.Selected().Name == "install" {
		if _, err := config.Load(c.Config); err != nil {
			return err
		}
	}
	return c.daemon().Control(ctx.Selected().Name, os.Stdout)
}
