//go:build linux

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
	"branchline/internal/rig"
)

// TestTheProgramsTellAndKnow: hub and agents as they are delivered, with nothing
// configured for it; and what an agent knows outlasts its process.
func TestTheProgramsTellAndKnow(t *testing.T) {
	dir := t.TempDir()
	for name, pkg := range map[string]string{"branchline-agent": "../../agent", "branchline-hub": "../../hub"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg).CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", name, err, out)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	sim, url := odootest.Start(t, odootest.Options{Version: 19})
	o := sim.Options()
	cfg := odoo.Config{URL: url, DB: o.DB, User: o.User, Key: odoo.Key(o.Key)}
	chain, err := rig.NewChain(ctx, odooClient(t, cfg), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := chain.Order(ctx, chain.Branches[0], rig.OrderLine{Product: chain.Products[0], Quantity: 3}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := rig.New(rig.Options{Dir: dir, Bin: dir, Odoo: cfg, Chain: chain})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	}()
	knows := func(want string) {
		t.Helper()
		err := rig.Until(ctx, want, func() (bool, error) { return known(r.Agents[0].Page) == want, nil })
		if err != nil {
			t.Fatalf("%v; it knows %s", err, known(r.Agents[0].Page))
		}
	}
	want := fmt.Sprintf("catalogue %d, deliveries 2, stock 0", len(chain.Products))
	knows(want)
	r.Hub.Kill()
	r.Agents[0].Kill()
	if err := r.Agents[0].Start(ctx); err != nil {
		t.Fatal(err)
	}
	knows(want)
	if err := r.Hub.Start(ctx); err != nil {
		t.Fatal(err)
	}
}

var rowsMetric = regexp.MustCompile(`(?m)^branchline_agent_reference_rows\{document="([a-z]+)"\} (\d+)$`)

// known is how many rows an agent has of each document; what it has never had is
// left out.
func known(page string) (all string) {
	res, err := http.Get(page + "/metrics")
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return ""
	}
	for _, m := range rowsMetric.FindAllStringSubmatch(string(body), -1) {
		if all != "" {
			all += ", "
		}
		all += m[1] + " " + m[2]
	}
	return all
}
