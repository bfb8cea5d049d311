package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"branchline/hub/app"
	"branchline/hub/config"
	"branchline/internal/daemon"
	"branchline/internal/disk"
	"branchline/internal/fault"
	"branchline/internal/logging"
	"branchline/internal/odoo"
	"branchline/internal/ui"
)

type runCommand struct{ configFlag }

// Run starts the hub and stays until it is told to stop.
func (c *runCommand) Run() error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	log, closeLog := logging.New(cfg.Log, cfg.DataDir)
	defer closeLog.Close()
	// Half of Go's usual slack: a hub of thousands of branches keeps what Odoo has in
	// memory, and would otherwise take twice of that.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	d := c.daemon()
	d.Log = log
	d.New = func() (daemon.App, error) { return app.New(cfg, version, log) }
	return d.Run()
}

func (c *configFlag) daemon() daemon.Daemon {
	return daemon.Daemon{Name: "branchline-hub", Title: "Branchline hub", Config: c.Config,
		Description: "Collects all branches and posts their movements to Odoo."}
}

type checkCommand struct{ configFlag }

// Run reads the configuration, logs in to Odoo, looks for each branch's
// warehouse there, and says what it found.
func (c *checkCommand) Run() error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	fmt.Printf("%s is good: %s, Odoo %s, key from %s\n", c.Config, ui.Many(len(cfg.Branches), "branch", "branches"), cfg.Odoo.URL, cfg.Odoo.KeyFile.File)
	if err := writable(cfg.DataDir); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return c.odoo(ctx, &cfg)
}

// writable tries whether the hub can keep its ledger there.
func writable(dir string) error {
	there, err := disk.Writable(dir)
	switch {
	case err != nil:
		return fault.New(fault.Setup, "data_dir", "data_dir %s cannot be written to: %w", dir, err).WithHint("make it, or change data_dir")
	case there:
		fmt.Printf("data_dir %s: can be written to\n", dir)
	default:
		fmt.Printf("data_dir %s: not there yet, it is made at the first start\n", dir)
	}
	return nil
}

func (c *checkCommand) odoo(ctx context.Context, cfg *config.Config) error {
	client, err := odoo.New(cfg.Odoo.Client())
	if err != nil {
		return err
	}
	defer client.Close()
	all, err := client.Warehouses(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("Odoo: logged in as %s, %s\n", cfg.Odoo.User, ui.Many(len(all), "warehouse", "warehouses"))
	wrong := 0
	for _, b := range cfg.Branches {
		code := cmp.Or(b.Warehouse, b.Code)
		i := slices.IndexFunc(all, func(w odoo.Warehouse) bool { return w.Code == code })
		if i < 0 {
			wrong++
			fmt.Printf("branch %s: WRONG: Odoo has no warehouse with the code %q that its user can see\n", b.Code, code)
			continue
		}
		fmt.Printf("branch %s: warehouse %s\n", b.Code, all[i].Name)
	}
	if wrong > 0 {
		return fault.New(fault.Setup, "no_warehouse", "%d of %s without a warehouse in Odoo", wrong, ui.Many(len(cfg.Branches), "branch", "branches")).
			WithHint("make it there, or name the branch's warehouse in " + c.Config)
	}
	return nil
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
