package receive

import (
	"context"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/movement"
)

// memory is a store without a disk, for many runs.
type memory struct {
	notes map[string][]byte
	list  []*movement.Movement
	keys  map[string]bool
}

func (m *memory) Append(_ context.Context, w outbox.Write) ([]outbox.Place, error) {
	for _, n := range w.Notes {
		if n.Value == nil {
			delete(m.notes, n.Space+"/"+n.Key)
		} else {
			m.notes[n.Space+"/"+n.Key] = n.Value
		}
	}
	places := make([]outbox.Place, len(w.Movements))
	for i, v := range w.Movements {
		if places[i].Known = v.NaturalKey != "" && m.keys[v.NaturalKey]; !places[i].Known {
			m.keys[v.NaturalKey] = true
			m.list = append(m.list, v)
		}
	}
	return places, nil
}

func (m *memory) Known(keys ...string) ([]outbox.Place, error) {
	places := make([]outbox.Place, len(keys))
	for i, key := range keys {
		if places[i].Known = m.keys[key]; places[i].Known {
			at := slices.IndexFunc(m.list, func(v *movement.Movement) bool { return v.NaturalKey == key })
			places[i].Print = m.list[at].Print()
		}
	}
	return places, nil
}

func (m *memory) Note(space, key string) ([]byte, error) { return m.notes[space+"/"+key], nil }

func (m *memory) Notes(space, _ string) iter.Seq2[outbox.Note, error] {
	return func(yield func(outbox.Note, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(m.notes)) {
			if own, ok := strings.CutPrefix(key, space+"/"); ok && !yield(outbox.Note{Space: space, Key: own, Value: m.notes[key]}, nil) {
				return
			}
		}
	}
}

// Whatever is scanned, the desk after a restart is the desk before it, and
// every pack that was answered with "ok" is open, confirmed or taken back:
// none is lost, none is there twice.
func TestAnyScansSurviveARestart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := &memory{notes: map[string][]byte{}, keys: map[string]bool{}}
		log := slog.New(slog.DiscardHandler)
		c := &rig{t: t, now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.FixedZone("", 3600))}
		start := func() {
			var err error
			if c.desk, err = NewDesk(DefaultConfig(), Options{Store: store, Log: log}); err != nil {
				t.Fatal(err)
			}
		}
		start()
		packs := 0
		entries := func() (n int) {
			for _, s := range c.desk.Sessions() {
				n += len(s.Entries)
			}
			return n
		}
		for range rapid.IntRange(1, 40).Draw(t, "scans") {
			s := rapid.SampledFrom([]string{"P00017", "P00018", "a:P00017", plain, "a:" + plain, other, serial, lotted, later,
				"BL-UNDO", "a:BL-UNDO", "BL-QTY-7", "BL-CONFIRM", "a:BL-CONFIRM", "BL-CANCEL", "4012345678902"}).Draw(t, "scan")
			before := entries()
			a := c.scan(s)
			switch _, code, station := strings.Cut(s, ":"); {
			case s == "BL-CANCEL" && a.Sound == scan.OK:
				packs -= before - entries()
			case strings.HasSuffix(s, "BL-UNDO") && a.Sound == scan.OK:
				packs--
			case (s == plain || s == other || s == serial || s == lotted || s == later || station && code == plain) && a.Code != "serial_twice":
				packs++ // without an open delivery, as a problem
			}
			if rapid.Bool().Draw(t, "restart") {
				shown := c.shown()
				start()
				if again := c.shown(); again != shown {
					t.Fatalf("before %s\nafter  %s", shown, again)
				}
			}
		}
		sizes := map[movement.Group]int{}
		kept := 0
		for _, m := range store.list {
			if _, gone := m.ThrownAway(); !gone && (m.Problem == nil || m.Problem.Code != "check_digit") {
				kept++
			}
			if m.Group.ID != "" {
				sizes[m.Group]++
			}
		}
		if kept+entries() != packs {
			t.Fatalf("%d recorded and %d open of %d packs", kept, entries(), packs)
		}
		for g, n := range sizes {
			if g.Size != n {
				t.Fatalf("group %+v has %d movements", g, n)
			}
		}
	})
}
