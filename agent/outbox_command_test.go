package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"branchline/agent/app"
	"branchline/agent/outbox"
	"branchline/agent/receive"
	"branchline/agent/scan"
	"branchline/internal/gs1"
	"branchline/internal/movement"
)

// Somebody reads this to learn whether the branch's PC may be taken away.
func TestInspectTellsWhatTheHubDoesNotHaveYet(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	cfg := outbox.DefaultConfig()
	cfg.Path, cfg.Branch = filepath.Join(t.TempDir(), "outbox.db"), "BR01"
	running, err := outbox.Open(cfg, slog.New(slog.DiscardHandler), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	desk, err := receive.NewDesk(receive.DefaultConfig(), receive.Options{Store: running, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	scanned := func(p scan.Purpose, codes ...string) {
		for _, code := range codes {
			sc := scan.Scan{Station: string(p), Scanner: "desk", Purpose: p, Raw: []byte(code), At: now}
			sc.Code, sc.Err = gs1.Parse(code, gs1.Profile{Separators: gs1.SeparatorsProved}, now)
			if answer, err := desk.Scan(t.Context(), sc); err != nil || answer.Sound == scan.Refused {
				t.Fatal(answer, err)
			}
		}
	}
	appended := func(lane movement.Lane, keys ...string) {
		for _, key := range keys {
			m := &movement.Movement{Kind: movement.Dispense, Product: movement.Product{Scheme: movement.SKU, Code: "A1"},
				Quantity: movement.Units(1), OccurredAt: now, NaturalKey: key}
			if _, err := running.Append(t.Context(), outbox.Write{Lane: lane, Movements: []*movement.Movement{m}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	confirm := func(last uint64) {
		s := running.Streams()[0]
		if err := running.Ack(s.Epoch, s.Lane, last); err != nil {
			t.Fatal(err)
		}
	}
	steps := []struct {
		name string
		do   func()
		want []string
	}{
		{"nothing yet", func() {}, []string{", 0 natural keys remembered", "every record is confirmed", "no delivery or count is open"}},
		{"two records, one of them with a key", func() { appended(movement.Live, "rx-1", "") },
			[]string{", 1 natural key remembered", "2 records not yet confirmed by the hub"}},
		{"one confirmed", func() { confirm(1) }, []string{"1 record not yet confirmed by the hub"}},
		{"a quarter of an hour later", func() { now = now.Add(15 * time.Minute) }, []string{"the last recorded 15 min ago"}},
		{"both confirmed", func() { confirm(2) }, []string{"every record is confirmed"}},
		{"a delivery of three packs", func() { scanned(scan.Receive, "P00017", "4012345678901", "4012345678901", "4012345678901") },
			[]string{"1 delivery open, 3 lines not yet confirmed by a person: not among the records above"}},
		{"a count besides", func() { scanned(scan.Count, "4012345678901") },
			[]string{"1 delivery and 1 count open, 4 lines not yet confirmed by a person"}},
	}
	look := func(src outbox.Source, want []string) {
		t.Helper()
		v, err := app.Inspect(src)
		if err != nil {
			t.Fatal(err)
		}
		text := glance(v, now)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%q is not said in\n%s", w, text)
			}
		}
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			s.do()
			look(running, s.want)
		})
	}
	if err := running.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := outbox.OpenFile(cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	look(f, []string{", 1 natural key remembered", "every record is confirmed", "1 delivery and 1 count open, 4 lines"})
}
