package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"

	"github.com/alecthomas/kong"

	"branchline/hub/config"
	"branchline/hub/ledger"
	"branchline/hub/projection"
	"branchline/hub/room"
	"branchline/internal/control"
	"branchline/internal/fault"
)

// ask has the running hub do something.
func (f *configFlag) ask(method, path string, in, out any) error {
	cfg, err := config.Read(f.Config)
	if err != nil {
		return err
	}
	err = control.Call(context.Background(), cfg.DataDir, method, path, in, out)
	if errors.Is(err, control.ErrNotRunning) {
		return fault.New(fault.Setup, "not_running", "the hub does not run").WithHint("start it, then try again")
	}
	return err
}

// whoFlag names the person who decides, for the audit trail.
type whoFlag struct {
	Who string `help:"Who decides; the user of this session when left out."`
	Why string `help:"A word why, for the audit trail; required." required:"" placeholder:"WORD"`
}

func (f *whoFlag) who() string { return whoIs(f.Who) }

// whoIs is who was named, or else the user of this session.
func whoIs(named string) string {
	if named != "" {
		return named
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

type decideCommand struct {
	configFlag
	whoFlag
	Movements []string `arg:"" help:"The movements, as the list of exceptions names them."`
}

// said is what became of an exception, by the command that did it.
var said = map[string]string{"retry": "tried again", "release": "released", "discard": "discarded"}

// Run retries, releases or discards, as the command is called. What was no
// exception any more is told, and ends with a failure.
func (c *decideCommand) Run(ctx *kong.Context) error {
	name := ctx.Selected().Name
	var decided room.Decided
	if err := c.ask("POST", "/decide", room.Decision{Choice: name, Movements: c.Movements, Who: c.who(), Why: c.Why}, &decided); err != nil {
		return err
	}
	if decided.Proposal > 0 {
		fmt.Printf("Proposal %d: nothing is done before a second approver has confirmed it in the control room.\n", decided.Proposal)
		return nil
	}
	done := decided.Done
	fmt.Printf("%d %s\n", done, said[name])
	if name == "release" && done > 0 {
		fmt.Println("They are still checked against Odoo: what fails another check comes back in branchline-hub exceptions, under that reason.")
	}
	if left := len(c.Movements) - done; left > 0 {
		return fault.New(fault.Data, "no_exception", "%d of the %d named wait for nobody", left, len(c.Movements)).
			WithHint("see branchline-hub exceptions for what does, and branchline-hub movements for what became of these")
	}
	return nil
}

type settleCommand struct {
	configFlag
	whoFlag
	Document string `arg:"" help:"The document's name, as branchline-hub branches tells it, or its id in Odoo."`
}

// Run settles a document that could not be adopted.
func (c *settleCommand) Run() error {
	var branch string
	err := c.ask("POST", "/settle", room.Settlement{Document: c.Document, Who: c.who(), Why: c.Why}, &branch)
	if err == nil {
		fmt.Printf("%s is settled; branch %s is posted again within a minute or two, unless another document keeps it.\n", c.Document, branch)
	}
	return err
}

type rebuildCommand struct{ configFlag }

// Run works while the hub does not run.
func (c *rebuildCommand) Run() error {
	cfg, err := config.Read(c.Config)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := control.Call(ctx, cfg.DataDir, "GET", "/alive", nil, nil); !errors.Is(err, control.ErrNotRunning) {
		return fault.New(fault.Setup, "running", "the hub runs").WithHint("stop it first: branchline-hub stop")
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	l, err := ledger.Open(ctx, cfg.Ledger, log)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := projection.New(l, log, nil).Rebuild(ctx); err != nil {
		return err
	}
	fmt.Println("All is made anew from the batches.")
	return nil
}

type backupCommand struct {
	configFlag
	File string `arg:"" help:"A file that does not exist yet." type:"path"`
}

// Run has the running hub write the copy.
func (c *backupCommand) Run() error {
	path, err := filepath.Abs(c.File)
	if err != nil {
		return err
	}
	if err := c.ask("POST", "/backup", path, nil); err != nil {
		return err
	}
	fmt.Println("The ledger is copied to", path)
	return nil
}

type secretCommand struct{}

// Run prints a secret for the agent and its sum for the hub.
func (secretCommand) Run() error {
	secret := rand.Text()
	sum := sha256.Sum256([]byte(secret))
	fmt.Printf("For the agent, alone in the file that hub.secret_file names:\n  %s\nFor the branch in hub.yaml:\n  secret_sha256: %s\n",
		secret, hex.EncodeToString(sum[:]))
	return nil
}
