package receive

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"pgregory.net/rapid"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/gs1"
	"branchline/internal/movement"
)

// rig is a desk on a real outbox.
type rig struct {
	t     rapid.TB
	path  string
	store *outbox.Outbox
	desk  *Desk
	ref   Reference
	// singles records what belongs to no session.
	singles Handler
	now     time.Time
}

func open(t rapid.TB, dir string) *rig { return openWith(t, dir, nil) }

// openWith is a branch that knows ref.
func openWith(t rapid.TB, dir string, ref Reference) *rig {
	c := &rig{t: t, ref: ref, path: filepath.Join(dir, "outbox.db"), now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.FixedZone("", 3600))}
	c.start()
	return c
}

func (c *rig) start() {
	c.t.Helper()
	cfg := outbox.DefaultConfig()
	cfg.Path, cfg.Branch = c.path, "BR01"
	log := slog.New(slog.DiscardHandler)
	var err error
	if c.store, err = outbox.Open(cfg, log, nil); err != nil {
		c.t.Fatal(err)
	}
	if c.desk, err = NewDesk(DefaultConfig(), Options{Store: c.store, Past: c.store, Log: log, Reference: c.ref, Single: c.singles, Now: func() time.Time { return c.now }}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *rig) restart() {
	c.store.Close()
	c.start()
}

// scan reads one code as "station:code"; without a station it is "front".
func (c *rig) read(s string) scan.Scan {
	station, raw, ok := strings.Cut(s, ":")
	if !ok {
		station, raw = "front", s
	}
	c.now = c.now.Add(2 * time.Second)
	sc := scan.Scan{Station: station, Scanner: station, Purpose: scan.Receive, Raw: []byte(raw), At: c.now, By: "AB"}
	if strings.HasPrefix(station, "count") {
		sc.Purpose = scan.Count
	}
	sc.Read(gs1.Profile{Separators: gs1.SeparatorsProved})
	return sc
}

func (c *rig) scan(s string) scan.Answer {
	c.t.Helper()
	a, err := c.desk.Scan(context.Background(), c.read(s))
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// recorded lists the live lane as "order/product/lot/serial=quantity" or
// "!code".
func (c *rig) recorded() string {
	c.t.Helper()
	var list []string
	for _, m := range c.movements() {
		s := fmt.Sprintf("%s %s/%s/%s=%s", m.Document.Ref, strings.TrimLeft(m.Product.Code, "0"), m.Lot, m.Serial, m.Quantity)
		if m.Problem != nil {
			s = strings.TrimSpace(m.Document.Ref + " !" + m.Problem.Code)
		}
		list = append(list, s)
	}
	return strings.Join(list, ", ")
}

func (c *rig) movements() []movement.Movement {
	c.t.Helper()
	var list []movement.Movement
	for _, s := range c.store.Streams() {
		if s.Lane != movement.Live || s.Last == 0 {
			continue
		}
		b, err := c.store.Read(s.Epoch, s.Lane, 1, 4000, 1<<20)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, r := range b.Records {
			m, err := movement.Decode(r)
			if err != nil {
				c.t.Fatal(err)
			}
			list = append(list, m)
		}
	}
	return list
}

// shown is all that the desk holds, also behind pointers.
func (c *rig) shown() string {
	c.t.Helper()
	var b strings.Builder
	for _, s := range c.desk.Sessions() {
		lines := []any{s}
		for _, e := range s.Entries {
			lines = append(lines, e)
		}
		for _, v := range lines {
			line, err := json.Marshal(v)
			if err != nil {
				c.t.Fatal(err)
			}
			b.Write(append(line, '\n'))
		}
	}
	return b.String()
}

const (
	plain  = "4012345678901"
	lotted = "]d20104012345678901" + "17280131" + "10ABC"
	later  = "]d20104012345678901" + "17290131" + "10ABC"
	latest = "]d20104012345678901" + "17300131" + "10ABC"
	serial = "]d20104012345678901" + "17280131" + "10ABC\x1d21S1"
	other  = "4012345678918"
	// hibcFirst and hibcSecond are the two HIBC codes of a pack, linked by "G".
	hibcFirst  = "+A123BJC5D6E71G"
	hibcSecond = "+$$52001510X3GD"
	// unreadable has a wrong check digit.
	unreadable = "4012345678902"
)
