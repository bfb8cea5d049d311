package outbox_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"branchline/agent/outbox"
	"branchline/internal/movement"
	"branchline/internal/wire"
)

// start is when the tests' clocks begin.
var start = time.Date(2026, 3, 2, 9, 30, 0, 0, time.FixedZone("", 3600))

func config(t testing.TB) outbox.Config {
	c := outbox.DefaultConfig()
	c.Path, c.Branch = filepath.Join(t.TempDir(), "outbox.db"), "BR01"
	return c
}

func open(t testing.TB, c outbox.Config) *outbox.Outbox {
	t.Helper()
	o, err := outbox.Open(c, slog.New(slog.DiscardHandler), func() time.Time { return start })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

func dispensed(n int) *movement.Movement {
	return &movement.Movement{
		Kind:       movement.Dispense,
		Product:    movement.Product{Scheme: movement.GTIN, Code: "04012345678901"},
		Lot:        "L2201",
		Quantity:   movement.Units(1),
		OccurredAt: start.Add(time.Duration(n) * time.Second),
		Document:   movement.Document{Type: "dispensing", Ref: fmt.Sprintf("RX-%06d", n)},
		Source:     movement.Source{Adapter: "pms", File: "day.csv", Line: int64(n)},
	}
}

// large is a movement that is a block of its own, and never in the tail.
func large(n int) *movement.Movement {
	m := dispensed(n)
	m.Source.Raw = strings.Repeat("x", 1024)
	m.Reason = strings.Repeat("y", 500)
	return m
}

func keyed(n int, key string) *movement.Movement {
	m := dispensed(n)
	m.NaturalKey = key
	return m
}

func TestWhatIsAppendedIsReadBackAfterReopening(t *testing.T) {
	c := config(t)
	o := open(t, c)
	var places []outbox.Place
	for i := range 30 {
		lane := movement.Lanes[i%2]
		p, err := o.Append(t.Context(), outbox.Write{Lane: lane, Movements: []*movement.Movement{dispensed(i), dispensed(100 + i)}})
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, p...)
	}
	before := drain(t, o)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = open(t, c)
	after := drain(t, o)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("reopening changed the records:\n%s", diff)
	}
	if len(after) != 60 || len(places) != 60 {
		t.Fatalf("%d records at %d places, want 60", len(after), len(places))
	}
}

// drain reads every stream from its start, through the form in which it
// travels, and checks that the chains hold.
func drain(t testing.TB, o *outbox.Outbox) []string {
	t.Helper()
	var all []string
	packer := wire.NewPacker()
	for _, s := range o.Streams() {
		head := movement.Genesis("BR01", s.Epoch, s.Lane)
		for from := uint64(1); ; {
			b, err := o.Read(s.Epoch, s.Lane, from, 7, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			if b.First == from && b.Prev != head {
				t.Fatalf("%s/%s: the chain is broken before %d", s.Epoch, s.Lane, b.First)
			}
			payload, err := packer.Pack(nil, b)
			if err != nil {
				t.Fatal(err)
			}
			got, err := wire.Open(payload)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range got.Records {
				all = append(all, fmt.Sprintf("%s/%d %s", s.Lane, got.First+uint64(i), r))
			}
			from, head = got.Through()+1, got.Last
		}
	}
	return all
}

// watch is a clock that tests set.
type watch struct {
	mu sync.Mutex
	t  time.Time
}

func (w *watch) now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.t }
func (w *watch) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t = w.t.Add(d)
}

func openAt(t testing.TB, c outbox.Config, w *watch) *outbox.Outbox {
	t.Helper()
	o, err := outbox.Open(c, slog.New(slog.DiscardHandler), w.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}
