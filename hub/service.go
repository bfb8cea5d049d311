package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"branchline/hub/app"
	"branchline/hub/config"
	"branchline/internal/daemon"
	"branchline/internal/logging"
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

// Run reads the configuration and says that it is good.
func (c *checkCommand) Run() error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	fmt.Printf("%s is good: %d branches, Odoo %s\n", c.Config, len(cfg.Branches), cfg.Odoo.URL)
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
