package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"branchline/agent/uplink"
	"branchline/hub/broker"
	"branchline/hub/ingest"
	"branchline/internal/conf"
	"branchline/internal/movement"
)

const secret = "correct horse battery staple"

func secrets(branch string) ([sha256.Size]byte, bool) {
	return sha256.Sum256([]byte(secret)), branch == "BR01" || branch == "BR02"
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// startEmbedded runs a hub: embedded broker and ingest over the ledger.
func startEmbedded(t testing.TB, ledger ingest.Ledger) *broker.Embedded {
	t.Helper()
	reg := prometheus.NewRegistry()
	cfg := broker.DefaultEmbeddedConfig()
	cfg.Listen = "127.0.0.1:0"
	b, err := broker.NewEmbedded(cfg, secrets, ingest.New(ledger, quiet(), reg), quiet(), reg)
	if err != nil {
		t.Fatal(err)
	}
	run(t, b.Run)
	return b
}

// run runs fn until the test ends, or the returned function is called.
func run(t testing.TB, fn func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Error("does not stop")
		}
	}
	t.Cleanup(stop)
	return stop
}

func uplinkConfig(branch, addr string) uplink.Config {
	cfg := uplink.DefaultConfig()
	cfg.Branch, cfg.Server, cfg.Secret = branch, "mqtt://"+addr, conf.NewSecret(secret)
	cfg.MinBackoff, cfg.MaxBackoff = 20*time.Millisecond, 200*time.Millisecond
	cfg.AckTimeout, cfg.IOTimeout = 2*time.Second, 2*time.Second
	return cfg
}

func startAgent(t testing.TB, cfg uplink.Config, store uplink.Store) (*uplink.Uplink, func()) {
	t.Helper()
	u, err := uplink.New(cfg, store, quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return u, run(t, u.Run)
}

func record(n int) []byte {
	m := movement.Movement{Kind: movement.Dispense, Product: movement.Product{Scheme: movement.SKU, Code: fmt.Sprint("P", n)},
		Quantity: movement.Units(1), OccurredAt: time.Unix(1_700_000_000+int64(n), 0).UTC(), RecordedAt: time.Unix(1_700_000_000, 0).UTC()}
	return m.AppendJSON(nil)
}

// fill records n different movements, alternating between the lanes.
func fill(o *memOutbox, from, to int) {
	for i := from; i < to; i++ {
		o.append(movement.Lanes[i%2], record(i))
	}
}

// until asks again and again, for half a minute at most.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not in time: %s", what)
		}
	}
}

func awaitRecords(t testing.TB, l *memLedger, n int) {
	t.Helper()
	until(t, fmt.Sprintf("%d records are in the ledger", n), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		have := 0
		for _, r := range l.streams {
			for _, b := range r.rows {
				have += int(b.Last - b.First + 1)
			}
		}
		return have >= n
	})
}

// drained waits until everything in the outboxes is acknowledged.
func drained(t testing.TB, outboxes ...*memOutbox) {
	t.Helper()
	late := time.After(30 * time.Second)
	for _, o := range outboxes {
		for {
			left, changed := o.unsent()
			if left == 0 {
				break
			}
			select {
			case <-changed:
			case <-late:
				t.Fatalf("%d records are still not acknowledged", left)
			}
		}
	}
}

func exactlyOnce(t testing.TB, l *memLedger, n int) {
	t.Helper()
	counts, err := l.count()
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if c := counts[string(record(i))]; c != 1 {
			t.Fatalf("record %d is %d times in the ledger", i, c)
		}
	}
	if len(counts) != n {
		t.Errorf("%d different records, want %d", len(counts), n)
	}
}
