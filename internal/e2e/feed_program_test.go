//go:build linux

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
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
	c := newClass(t, delivered(t))
	c.knows("as delivered")
	c.Hub.Kill()
	c.Agents[0].Kill()
	c.start(c.Agents[0].Process)
	c.knows("killed, the hub away")
	c.start(c.Hub)
}

// What an agent had half of when it was killed it has whole after its next start.
func TestAnAgentThatIsKilledWhileItLearns(t *testing.T) {
	c := newClass(t, programs(t))
	c.knows("at first")
	agent := c.Agents[0]
	for _, step := range []string{"reference.part:1", "reference.part:2", "reference.adopted:1", "reference.adopted:2", "reference.adopted:3", "reference.adopted:4", "reference.adopted:5"} {
		agent.Kill()
		stores, _ := filepath.Glob(filepath.Join(c.Dir, "*", "reference.db"))
		if len(stores) != 1 {
			t.Fatalf("the agent's copy of what Odoo has: %v", stores)
		}
		if err := os.Remove(stores[0]); err != nil {
			t.Fatal(err)
		}
		agent.Env = []string{"BRANCHLINE_KILL_AT=" + step}
		c.start(agent.Process)
		select {
		case <-agent.Done():
		case <-c.ctx.Done():
			t.Fatalf("it never came to %s", step)
		}
		agent.Env = nil
		c.start(agent.Process)
		c.knows("killed at " + step)
	}
}

// class is a hub with one branch that has two orders to expect.
type class struct {
	t   *testing.T
	ctx context.Context
	*rig.Rig
	lesson string // what the agent will know
}

func newClass(t *testing.T, bin string) *class {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
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
	r, err := rig.New(rig.Options{Dir: t.TempDir(), Bin: bin, Odoo: cfg, Chain: chain})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &class{t, ctx, r, fmt.Sprintf("branches 1, catalogue %d, deliveries 2, outcomes 0, stock 0", len(chain.Products))}
}

func (c *class) start(p *rig.Process) {
	c.t.Helper()
	if err := p.Start(c.ctx); err != nil {
		c.t.Fatal(err)
	}
}

// knows waits until the agent knows all.
func (c *class) knows(when string) {
	c.t.Helper()
	page := c.Agents[0].Page
	if err := rig.Until(c.ctx, c.lesson, func() (bool, error) { return known(page) == c.lesson, nil }); err != nil {
		c.t.Fatalf("%s: %v; it knows %s", when, err, known(page))
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
