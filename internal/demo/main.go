// Command demo is "make run": it starts an Odoo (simulated, or the real one
// that the environment names), a hub and two branches as processes of their
// own, plays sample scans and exports through them, and prints each movement's
// way to its document in Odoo. With -check it verifies every quantity and
// ends with 0 or 1; otherwise it stays up.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
	"branchline/internal/rig"
)

func main() {
	bin := flag.String("bin", "bin", "folder of branchline-hub and branchline-agent")
	check := flag.Bool("check", false, "verify every quantity, then end")
	only := flag.String("odoo", "", "only a simulated Odoo, listening on this address")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *only != "" {
		if err := serveOdoo(ctx, *only); err != nil {
			fmt.Fprintln(os.Stderr, "make odoo:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(ctx, *bin, *check); err != nil {
		fmt.Fprintln(os.Stderr, "make run:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin string, check bool) (err error) {
	dir, err := os.MkdirTemp("", "branchline-")
	if err != nil {
		return err
	}
	bin, err = filepath.Abs(bin)
	if err != nil {
		return err
	}
	server, err := findOdoo()
	if err != nil {
		return err
	}
	defer server.down()
	say("Odoo: %s", server.what)
	client, err := odoo.New(server.config)
	if err != nil {
		return err
	}
	defer client.Close()
	run, err := rig.FreeRun(ctx, client)
	if err != nil {
		return err
	}
	chain, err := rig.NewChain(ctx, client, run, 2)
	if err != nil {
		return err
	}
	r, err := rig.New(rig.Options{Dir: dir, Bin: bin, Odoo: server.config, Chain: chain,
		Pages: []int{8770, 8781, 8782}, DispensingEvery: time.Second})
	if err != nil {
		return err
	}
	if err := r.Start(ctx); err != nil {
		return err
	}
	defer func() {
		if e := r.Stop(); err == nil {
			err = e
		}
		if err == nil {
			err = os.RemoveAll(dir)
		} else {
			say("What all of them wrote is in %s", dir)
		}
	}()
	p := &player{rig: r, chain: chain, book: rig.NewBook(), dir: dir}
	if err := p.play(ctx); err != nil {
		return err
	}
	say("\nPages to open:")
	say("  control room  %s", r.HubPage)
	if first, err := r.FirstPassword(); err == nil {
		say("                sign in as %s with the one-time password %s", rig.Admin, first)
	}
	for _, a := range r.Agents {
		say("  branch %-6s %s", a.Branch.Code, a.Page)
	}
	if check {
		return p.check(ctx)
	}
	say("\nAll stays up until you press Ctrl-C. To see an export go to Odoo:")
	for _, a := range r.Agents {
		sample := filepath.Join(dir, a.Branch.Code+"-afternoon.csv")
		if err := os.WriteFile(sample, []byte(strings.ReplaceAll(p.export(a, []row{{gtin: chain.Products[0].GTIN, qty: "1", lot: "A77B12"}}), "R-"+a.Branch.Code, "R-PM-"+a.Branch.Code)), 0o600); err != nil {
			return err
		}
		say("  cp %s %s/", sample, a.Exports)
	}
	say("To ask the hub: %s exceptions --config %s", filepath.Join(bin, "branchline-hub"), filepath.Join(dir, "hub.yaml"))
	<-ctx.Done()
	return nil
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// server is the Odoo of this run.
type server struct {
	what   string
	config odoo.Config
	down   func()
}

func findOdoo() (*server, error) {
	if url := os.Getenv("ODOO_URL"); url != "" {
		return &server{what: url + ", database " + os.Getenv("ODOO_DB"),
			down: func() {},
			config: odoo.Config{URL: url, DB: os.Getenv("ODOO_DB"), User: os.Getenv("ODOO_USER"),
				Key: odoo.Key(os.Getenv("ODOO_KEY"))}}, nil
	}
	sim := odootest.New(odootest.Options{})
	url, err := sim.Listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &server{what: "simulated, " + url, down: sim.Down,
		config: odoo.Config{URL: url, DB: odootest.DefaultDB, User: odootest.DefaultUser, Key: odootest.DefaultKey}}, nil
}
