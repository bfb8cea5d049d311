//go:build linux

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"branchline/internal/odoo"
	"branchline/internal/odoo/odootest"
	"branchline/internal/rig"
)

// The steps at which a process kills itself, by the program that has them.
var (
	agentSteps = []string{"outbox.append.before-commit", "outbox.append.committed", "uplink.published", "uplink.acked",
		"capture.file.read", "capture.file.recorded"}
	hubSteps = []string{"ingest.before-commit", "ingest.committed", "ingest.answered", "projection.before-commit",
		"projection.committed", "plan.before-commit", "plan.committed", "post.created", "post.moves-written",
		"post.receipt-written", "post.validated", "post.before-record", "post.recorded"}
)

// TestKills ends agents, hub and broker at random moments and at each named
// step, while people scan, files come, and Odoo answers late, twice or not at
// all. In the end Odoo's quantities equal what the branches recorded, and what
// was dropped as files is there exactly once.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	bin := programs(t)
	rounds := 210
	if s := os.Getenv("BRANCHLINE_KILL_ROUNDS"); s != "" {
		rounds, _ = strconv.Atoi(s)
	}
	// Beside each other, since most of a round is waiting.
	t.Run("embedded broker", func(t *testing.T) {
		t.Parallel()
		killRounds(t, bin, nil, rounds*2/3)
	})
	t.Run("mosquitto", func(t *testing.T) {
		t.Parallel()
		killRounds(t, bin, newMosquitto(t, mosquittoBinary(t)), rounds-rounds*2/3)
	})
}

func killRounds(t *testing.T, bin string, m *mosquitto, rounds int) {
	sim := odootest.New(odootest.Options{Version: 17 + rounds%3})
	url, err := sim.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Down)
	cfg := odoo.Config{URL: url, DB: odootest.DefaultDB, User: odootest.DefaultUser, Key: odootest.DefaultKey}
	client, err := odoo.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	chain, err := rig.NewChain(ctx, client, "001", 2)
	if err != nil {
		t.Fatal(err)
	}
	o := rig.Options{Dir: t.TempDir(), Bin: bin, Odoo: cfg, Chain: chain, DispensingEvery: 300 * time.Millisecond,
		OdooTimeout: time.Second}
	if m != nil {
		o.External = fmt.Sprintf("mqtt://127.0.0.1:%d", m.port)
	}
	r, err := rig.New(o)
	if err != nil {
		t.Fatal(err)
	}
	k := &killer{t: t, r: r, m: m, fired: map[string]int{}, dice: rand.New(rand.NewPCG(1, uint64(rounds)))}
	defer func() {
		if err := r.Stop(); err != nil && !t.Failed() {
			t.Error(err)
		}
		if t.Failed() {
			k.logs()
		}
	}()
	if err := r.Start(ctx); err != nil {
		t.Fatal(err)
	}
	work := newWorkload(t, r)
	work.begin(ctx)
	for i, kind := range []odootest.Kind{odootest.Slow, odootest.Late, odootest.Lost, odootest.HangAfter, odootest.Gateway,
		odootest.GatewayAfter, odootest.Serialization} {
		sim.Cause(odootest.Mischief{Kind: kind, Chance: 0.01, Seed: uint64(i), Delay: 1500 * time.Millisecond})
	}
	steps := k.steps()
	for i := range rounds {
		if i%2 == 0 {
			k.atStep(ctx, steps[i/2%len(steps)])
		} else {
			k.atRandom(ctx)
		}
		if t.Failed() {
			return
		}
	}
	work.end()
	sim.Behave()
	t.Logf("%d rounds; died at steps: %v; Odoo's mischief: %v; %s", rounds, k.fired, sim.Hits(), work)
	work.verify(ctx, bin)
	if rounds >= 2*len(steps) {
		for _, s := range steps {
			if k.fired[s.name] == 0 {
				t.Errorf("no process ever died at %s", s.name)
			}
		}
	}
}

// killer ends processes.
type killer struct {
	t     *testing.T
	r     *rig.Rig
	m     *mosquitto
	dice  *rand.Rand
	fired map[string]int
}

type step struct {
	name string
	hub  bool
}

func (k *killer) steps() (all []step) {
	for _, s := range hubSteps {
		all = append(all, step{s, true})
	}
	for _, s := range agentSteps {
		all = append(all, step{s, false})
	}
	return all
}

// atStep starts a process so that it dies at the step, waits for that, and
// starts it again.
func (k *killer) atStep(ctx context.Context, s step) {
	p := k.r.Hub
	if !s.hub {
		p = k.r.Agents[k.dice.IntN(len(k.r.Agents))].Process
	}
	p.Kill()
	p.Env = []string{fmt.Sprintf("BRANCHLINE_KILL_AT=%s:%d", s.name, 1+k.dice.IntN(3))}
	k.start(ctx, p)
	select {
	case <-p.Done():
		k.fired[s.name]++
	case <-time.After(5 * time.Second):
		p.Kill()
	}
	p.Env = nil
	k.start(ctx, p)
}

// atRandom ends any process, the broker included, after a moment.
func (k *killer) atRandom(ctx context.Context) {
	select {
	case <-time.After(time.Duration(k.dice.IntN(400)) * time.Millisecond):
	case <-ctx.Done():
	}
	all := []*rig.Process{k.r.Hub, k.r.Agents[0].Process, k.r.Agents[1].Process}
	n := len(all)
	if k.m != nil {
		n++
	}
	i := k.dice.IntN(n)
	if i == len(all) {
		k.m.kill()
		k.m.start()
		return
	}
	all[i].Kill()
	k.start(ctx, all[i])
}

func (k *killer) start(ctx context.Context, p *rig.Process) {
	if err := p.Start(ctx); err != nil {
		k.t.Errorf("%s does not start again: %v", p.Name, err)
	}
}

// logs shows the end of what every process said.
func (k *killer) logs() {
	files, _ := filepath.Glob(filepath.Join(k.r.Dir, "*.log"))
	for _, f := range files {
		b, _ := os.ReadFile(f)
		k.t.Logf("%s:\n%s", filepath.Base(f), b[max(0, len(b)-4000):])
	}
}
