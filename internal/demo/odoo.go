package main

import (
	"context"
	"os"
	"path/filepath"

	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
	"branchline/internal/rig"
)

// serveOdoo is "make odoo": a simulated Odoo alone, with some products, two
// branches and an open order, for trying a configuration of one's own.
func serveOdoo(ctx context.Context, address string) error {
	sim := odootest.New(odootest.Options{})
	url, err := sim.Listen(address)
	if err != nil {
		return err
	}
	defer sim.Down()
	client, err := odoo.New(odoo.Config{URL: url, DB: odootest.DefaultDB, User: odootest.DefaultUser, Key: odootest.DefaultKey})
	if err != nil {
		return err
	}
	defer client.Close()
	chain, err := rig.NewChain(ctx, client, "", 2)
	if err != nil {
		return err
	}
	key := filepath.Join(os.TempDir(), "branchline-simulated-odoo.key")
	if err := os.WriteFile(key, []byte(odootest.DefaultKey), 0o600); err != nil {
		return err
	}
	say("A SIMULATED Odoo answers at %s. It keeps nothing when it ends.", url)
	say("\nFor hub.yaml:\n\nodoo:\n  url: %s\n  db: %s\n  user: %s\n  key_file: %s", url, odootest.DefaultDB, odootest.DefaultUser, key)
	for _, b := range chain.Branches {
		order, err := chain.Order(ctx, b, rig.OrderLine{Product: chain.Products[0], Quantity: 10}, rig.OrderLine{Product: chain.Products[3], Quantity: 20})
		if err != nil {
			return err
		}
		say("\nBranch %s: a warehouse of this code, with the open order %s", b.Code, order)
	}
	say("\nProducts:")
	for _, p := range chain.Products {
		say("  %s  %s (tracked by %s)", p.GTIN, p.Name, p.Tracking)
	}
	say("\nPress Ctrl-C to end it.")
	<-ctx.Done()
	return nil
}
