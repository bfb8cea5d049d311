package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/agent/outbox"
	"branchline/agent/uplink"
	"branchline/hub/ledger"
	"branchline/internal/conf"
	"branchline/internal/movement"
)

// dispensing is a movement as an export of a dispensing system gives it: lots,
// serials, products and times vary as they do at a counter.
func dispensing(r *rand.Rand, i int) *movement.Movement {
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.FixedZone("", 3600)).Add(time.Duration(i) * 37 * time.Second)
	product := r.IntN(2500)
	rx := fmt.Sprintf("RX%07d", 4_000_000+i/2)
	m := &movement.Movement{
		Kind:     movement.Dispense,
		Product:  movement.Product{Scheme: movement.GTIN, Code: fmt.Sprintf("0401234%07d", product*7919%10_000_000)},
		Lot:      fmt.Sprintf("%c%06d", 'A'+rune(r.IntN(26)), r.IntN(1_000_000)),
		Expiry:   movement.DateOf(at.AddDate(0, 6+r.IntN(30), r.IntN(28))),
		Quantity: movement.Units(int64(1 + r.IntN(3))),

		OccurredAt: at, RecordedAt: at.Add(time.Duration(r.IntN(60_000)) * time.Millisecond),
		Document:   movement.Document{Type: "dispensing", Ref: rx},
		NaturalKey: fmt.Sprintf("pms:%s:%d", rx, 1+i%2),
		Source:     movement.Source{Adapter: "pms", File: "dispensed-2026-03-02.csv", Line: int64(i + 2)},
		By:         []string{"AK", "JM", "SO", "TB"}[r.IntN(4)],
	}
	if r.IntN(3) == 0 {
		m.Serial = fmt.Sprintf("%012X", r.Uint64()>>16)
	}
	return m
}

// BenchmarkBacklog: a branch comes back after a long outage with 100,000
// movements, through real outbox, embedded broker and ledger, until all are
// committed in the hub and acknowledged.
func BenchmarkBacklog(b *testing.B) {
	const n = 100_000
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		store := fillOutbox(b, dir, n)
		l, err := ledger.Open(b.Context(), ledger.Config{Path: filepath.Join(dir, "ledger.db")}, quiet())
		if err != nil {
			b.Fatal(err)
		}
		hub := startEmbedded(b, l)
		cfg := uplink.DefaultConfig()
		cfg.Branch, cfg.Server, cfg.Secret = "BR01", "mqtt://"+hub.Addr().String(), conf.NewSecret(secret)
		reg := prometheus.NewRegistry()
		u, err := uplink.New(cfg, store, quiet(), reg)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		start := time.Now()
		stop := run(b, u.Run)
		changed, unwatch := l.Watch(ledger.BatchCommitted)
		epoch := store.Streams()[0].Epoch
		for {
			c, err := l.Cursor(b.Context(), ledger.Stream{Branch: "BR01", Epoch: epoch, Lane: movement.Bulk})
			if err != nil {
				b.Fatal(err)
			}
			if c.Through == n {
				break
			}
			<-changed
		}
		b.ReportMetric(n/time.Since(start).Seconds(), "movements/s")
		b.StopTimer()
		unwatch()
		stop()
		b.ReportMetric(gathered(b, reg, "branchline_agent_uplink_bytes_total")/n, "wire_bytes/movement")
		b.ReportMetric(gathered(b, reg, "branchline_agent_uplink_records_total")/n, "sent/movement")
		if err := store.Close(); err != nil {
			b.Error(err)
		}
		b.StartTimer()
	}
}

func fillOutbox(t testing.TB, dir string, n int) *outbox.Outbox {
	t.Helper()
	cfg := outbox.DefaultConfig()
	cfg.Path, cfg.Branch = filepath.Join(dir, "outbox.db"), "BR01"
	store, err := outbox.Open(cfg, quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < n; i += 2500 {
		w := outbox.Write{Lane: movement.Bulk}
		for j := range min(2500, n-i) {
			w.Movements = append(w.Movements, dispensing(r, i+j))
		}
		if _, err := store.Append(context.Background(), w); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func gathered(t testing.TB, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range all {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
