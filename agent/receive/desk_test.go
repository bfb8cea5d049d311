package receive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/fault"
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
	if c.desk, err = NewDesk(DefaultConfig(), Options{Store: c.store, Log: log, Reference: c.ref, Single: c.singles, Now: func() time.Time { return c.now }}); err != nil {
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

// Every case is also run with the agent ended and started between any two
// scans: it must make no difference.
func TestDesk(t *testing.T) {
	const g = "4012345678901"
	cases := map[string]struct {
		scans    string // code>sound/reason, separated by spaces
		recorded string
		open     int
	}{
		"a delivery":                              {"P00017>ok " + plain + ">ok " + serial + ">ok BL-CONFIRM>ok", "P00017 " + g + "//=1, P00017 " + g + "/ABC/S1=1", 0},
		"not confirmed yet":                       {"P00017>ok " + plain + ">ok", "", 1},
		"with AIM identifiers":                    {"]C0P00017>ok ]E0" + plain + ">ok ]C0BL-CONFIRM>ok", "P00017 " + g + "//=1", 0},
		"a delivery note":                         {"BR01/IN/00042>ok " + plain + ">ok BL-CONFIRM>ok", "BR01/IN/00042 " + g + "//=1", 0},
		"quantity":                                {"P00017>ok " + plain + ">ok BL-QTY-6>ok " + other + ">ok BL-CONFIRM>ok", "P00017 " + g + "//=6, P00017 4012345678918//=1", 0},
		"quantity set anew":                       {"P00017>ok " + plain + ">ok BL-QTY-6>ok BL-QTY-4>ok BL-CONFIRM>ok", "P00017 " + g + "//=4", 0},
		"quantity of a case":                      {"P00017>ok ]C10204012345678901" + "3712>ok BL-QTY-3>ok BL-CONFIRM>ok", "P00017 " + g + "//=36", 0},
		"quantity of a serial":                    {"P00017>ok " + serial + ">ok BL-QTY-2>refused/serial_with_count BL-QTY-1>ok BL-CONFIRM>ok", "P00017 " + g + "/ABC/S1=1", 0},
		"quantity of nothing":                     {"P00017>ok BL-QTY-2>refused/nothing_scanned", "", 1},
		"quantity that is none":                   {"P00017>ok " + plain + ">ok BL-QTY-0>refused/bad_quantity BL-QTY-x>refused/unknown_command BL-QTY-999999>refused/unknown_command", "", 1},
		"undo":                                    {"P00017>ok " + plain + ">ok " + other + ">ok BL-UNDO>ok BL-CONFIRM>ok", "P00017 " + g + "//=1", 0},
		"undo to the start":                       {"P00017>ok " + plain + ">ok BL-UNDO>ok BL-UNDO>refused/nothing_to_undo BL-CONFIRM>refused/nothing_scanned", "", 1},
		"undone serial again":                     {"P00017>ok " + serial + ">ok BL-UNDO>ok " + serial + ">ok BL-CONFIRM>ok", "P00017 " + g + "/ABC/S1=1", 0},
		"serial twice":                            {"P00017>ok " + serial + ">ok " + serial + ">warn/serial_twice BL-CONFIRM>ok", "P00017 " + g + "/ABC/S1=1", 0},
		"lot with two expiries":                   {"P00017>ok " + lotted + ">ok " + later + ">warn/conflicting_expiry BL-CONFIRM>ok", "P00017 !conflicting_expiry, P00017 !conflicting_expiry", 0},
		"two expiries, one undone":                {"P00017>ok " + lotted + ">ok " + lotted + ">ok " + later + ">warn/conflicting_expiry BL-UNDO>ok BL-CONFIRM>ok", "P00017 " + g + "/ABC/=1, P00017 " + g + "/ABC/=1", 0},
		"two expiries, right undone":              {"P00017>ok " + lotted + ">ok b:P00017>ok b:" + later + ">warn/conflicting_expiry " + later + ">warn/conflicting_expiry b:BL-UNDO>ok BL-UNDO>ok BL-CONFIRM>ok", "P00017 " + g + "/ABC/=1", 0},
		"two expiries, counted":                   {"P00017>ok " + lotted + ">ok " + later + ">warn/conflicting_expiry BL-QTY-5>ok BL-CONFIRM>ok", "P00017 !conflicting_expiry, P00017 !conflicting_expiry", 0},
		"three expiries, one undone":              {"P00017>ok " + lotted + ">ok " + later + ">warn/conflicting_expiry " + latest + ">warn/conflicting_expiry BL-UNDO>ok BL-CONFIRM>ok", "P00017 !conflicting_expiry, P00017 !conflicting_expiry", 0},
		"two expiries, other lots":                {"P00017>ok " + lotted + ">ok " + plain + ">ok " + later + ">warn/conflicting_expiry ]d20104012345678918" + "17280131" + "10ABC>ok BL-CONFIRM>ok", "P00017 !conflicting_expiry, P00017 " + g + "//=1, P00017 !conflicting_expiry, P00017 4012345678918/ABC/=1", 0},
		"two expiries in a count":                 {"count:" + lotted + ">ok count:" + later + ">warn/conflicting_expiry count:BL-CONFIRM>ok", "count@20261123T090002.000Z !conflicting_expiry, count@20261123T090002.000Z !conflicting_expiry", 0},
		"expired":                                 {"P00017>ok ]d20104012345678901" + "17250131" + "10OLD>warn/expired BL-CONFIRM>ok", "P00017 " + g + "/OLD/=1", 0},
		"unreadable":                              {"P00017>ok 4012345678902>warn/check_digit " + plain + ">ok BL-CONFIRM>ok", "P00017 !check_digit, P00017 " + g + "//=1", 0},
		"quantity of an unreadable":               {"P00017>ok " + lotted + ">ok " + unreadable + ">warn/check_digit BL-QTY-9>refused/last_scan_missed " + other + ">ok BL-QTY-2>ok BL-CONFIRM>ok", "P00017 !check_digit, P00017 " + g + "/ABC/=1, P00017 4012345678918//=2", 0},
		"undo of an unreadable":                   {"P00017>ok " + lotted + ">ok " + unreadable + ">warn/check_digit BL-UNDO>refused/last_scan_missed BL-CONFIRM>ok", "P00017 !check_digit, P00017 " + g + "/ABC/=1", 0},
		"undo asked twice":                        {"P00017>ok " + lotted + ">ok " + other + ">ok " + unreadable + ">warn/check_digit BL-UNDO>refused/last_scan_missed BL-UNDO>ok BL-QTY-3>ok BL-CONFIRM>ok", "P00017 !check_digit, P00017 " + g + "/ABC/=3", 0},
		"undo, then a quantity":                   {"P00017>ok " + lotted + ">ok " + unreadable + ">warn/check_digit BL-UNDO>refused/last_scan_missed BL-QTY-9>refused/last_scan_missed BL-QTY-9>ok BL-CONFIRM>ok", "P00017 !check_digit, P00017 " + g + "/ABC/=9", 0},
		"quantity of an unreadable, first of all": {"P00017>ok " + unreadable + ">warn/check_digit BL-QTY-9>refused/nothing_scanned", "P00017 !check_digit", 1},
		"another's unreadable":                    {"a:P00017>ok b:P00017>ok a:" + lotted + ">ok b:" + unreadable + ">warn/check_digit a:BL-QTY-9>ok a:BL-CONFIRM>ok", "P00017 !check_digit, P00017 " + g + "/ABC/=9", 0},
		"reason after an unreadable":              {"P00017>ok " + lotted + ">ok " + unreadable + ">warn/check_digit BL-DAMAGED-BROKEN>refused/last_scan_missed", "P00017 !check_digit", 1},
		"quantity after a refused":                {"P00017>ok " + serial + ">ok " + lotted + ">ok " + serial + ">warn/serial_twice BL-QTY-9>refused/last_scan_missed", "", 1},
		"quantity after a patient":                {"P00017>ok " + lotted + ">ok ]C18018123456789012345675>refused/personal_code BL-QTY-9>refused/last_scan_missed", "", 1},
		"two codes of a pack":                     {"P00017>ok " + hibcFirst + ">ok " + hibcSecond + ">warn/expired BL-CONFIRM>ok", "P00017 +A123BJC5D6E71/10X3/=1", 0},
		"a second code twice":                     {"P00017>ok " + hibcFirst + ">ok " + hibcSecond + ">warn/expired " + hibcSecond + ">warn/expired BL-CONFIRM>ok", "P00017 +A123BJC5D6E71/10X3/=1", 0},
		"another pack's second code":              {"P00017>ok " + lotted + ">ok " + hibcSecond + ">warn/not_trade_item BL-CONFIRM>ok", "P00017 !not_trade_item, P00017 " + g + "/ABC/=1", 0},
		"a second code after an unreadable":       {"P00017>ok " + hibcFirst + ">ok " + unreadable + ">warn/check_digit " + hibcSecond + ">warn/not_trade_item", "P00017 !check_digit, P00017 !not_trade_item", 1},
		"a second code that links elsewhere":      {"P00017>ok +A999123457>ok " + hibcSecond + ">warn/not_trade_item", "P00017 !not_trade_item", 1},
		"a second code of another lot":            {"P00017>ok +A123BJC5D6E71/$99XH>ok " + hibcSecond + ">warn/not_trade_item", "P00017 !not_trade_item", 1},
		"a second code first":                     {"P00017>ok " + hibcSecond + ">warn/not_trade_item " + hibcFirst + ">ok", "P00017 !not_trade_item", 1},
		"no session":                              {plain + ">warn/no_open_delivery BL-CONFIRM>refused/no_open_delivery BL-UNDO>refused/no_open_delivery", "!no_open_delivery", 0},
		"confirmed twice":                         {"P00017>ok " + plain + ">ok BL-CONFIRM>ok BL-CONFIRM>refused/no_open_delivery", "P00017 " + g + "//=1", 0},
		"the same order again":                    {"P00017>ok " + plain + ">ok BL-CONFIRM>ok P00017>ok " + plain + ">ok BL-CONFIRM>ok", "P00017 " + g + "//=1, P00017 " + g + "//=1", 0},
		"opened twice":                            {"P00017>ok P00017>ok", "", 1},
		"another while open":                      {"P00017>ok " + plain + ">ok P00018>refused/another_open BL-CONFIRM>ok P00018>ok", "P00017 " + g + "//=1", 1},
		"cancel, nothing in it":                   {"P00017>ok BL-CANCEL>ok", "", 0},
		"two stations, two":                       {"a:P00017>ok b:P00018>ok a:" + plain + ">ok b:" + other + ">ok b:BL-CONFIRM>ok", "P00018 4012345678918//=1", 1},
		"two stations, one":                       {"a:P00017>ok b:P00017>ok a:" + plain + ">ok b:" + other + ">ok a:BL-UNDO>ok b:BL-CONFIRM>ok a:BL-CONFIRM>refused/no_open_delivery", "P00017 4012345678918//=1", 0},
		"unknown command":                         {"P00017>ok BL-DANCE>refused/unknown_command", "", 1},
		"about a person":                          {"P00017>ok ]C18018123456789012345675>refused/personal_code", "", 1},
		"a count":                                 {"count:" + plain + ">ok count:" + other + ">ok count:" + plain + ">ok count:BL-QTY-3>ok count:BL-CONFIRM>ok", "count@20261123T090002.000Z " + g + "//=4, count@20261123T090002.000Z 4012345678918//=1", 0},
	}
	for name, c := range cases {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarts %v", name, restarts), func(t *testing.T) {
				d := open(t, t.TempDir())
				defer func() { d.store.Close() }()
				for _, s := range strings.Fields(c.scans) {
					code, want, _ := strings.Cut(s, ">")
					a := d.scan(code)
					got := a.Sound.String()
					if a.Code != "" {
						got += "/" + a.Code
					}
					if got != want {
						t.Errorf("%q answered %s (%s), want %s", code, got, a.Text, want)
					}
					if restarts {
						d.restart()
					}
				}
				if got := d.recorded(); got != c.recorded {
					t.Errorf("recorded %q, want %q", got, c.recorded)
				}
				if n := len(d.desk.Sessions()); n != c.open {
					t.Errorf("%d sessions are open, want %d", n, c.open)
				}
			})
		}
	}
}

func TestWaiting(t *testing.T) {
	c := open(t, t.TempDir())
	defer func() { c.store.Close() }()
	if w := c.desk.Waiting(); w != (Waiting{}) {
		t.Errorf("nothing is open, got %+v", w)
	}
	for _, s := range []string{"P00017", lotted, "BL-QTY-7", plain, "b:P00018", "count:" + plain} {
		c.scan(s)
	}
	want := Waiting{Deliveries: 2, Counts: 1, Lines: 3, Oldest: c.desk.Sessions()[0].Opened}
	if _, _, err := c.desk.Open(t.Context(), scan.Dispense, movement.Document{}, "front"); err != nil {
		t.Fatal(err)
	}
	want.Others = 1
	for range 2 {
		stored, err := CountWaiting(c.store)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.desk.Waiting(); !got.same(want) || !stored.same(want) {
			t.Errorf("the desk says %+v, the outbox %+v, want %+v", got, stored, want)
		}
		c.restart()
	}
}

func (w Waiting) same(o Waiting) bool {
	return w.Deliveries == o.Deliveries && w.Counts == o.Counts && w.Others == o.Others && w.Lines == o.Lines && w.Oldest.Equal(o.Oldest)
}

func TestCancelIsAskedTwice(t *testing.T) {
	c := open(t, t.TempDir())
	defer c.store.Close()
	c.scan("P00017")
	c.scan(plain)
	if a := c.scan("BL-CANCEL"); a.Code != "cancel_again" {
		t.Fatalf("answered %+v", a)
	}
	c.now = c.now.Add(cancelWithin)
	if a := c.scan("BL-CANCEL"); a.Code != "cancel_again" {
		t.Fatalf("too late, answered %+v", a)
	}
	if a := c.scan("BL-CANCEL"); a.Sound != scan.OK || len(c.desk.Sessions()) != 0 {
		t.Fatalf("answered %+v", a)
	}
	c.restart()
	if got := c.movements(); len(c.desk.Sessions()) != 0 || len(got) != 1 || !got[0].Settles.Dismissed {
		t.Error("what was cancelled came back", got)
	}
}

// A confirmed session is one group, whose movements say where they come from.
func TestConfirmedGroup(t *testing.T) {
	c := open(t, t.TempDir())
	defer c.store.Close()
	for _, s := range []string{"P00017", lotted, "BL-QTY-2", plain, "BL-CONFIRM"} {
		c.scan(s)
	}
	got := c.movements()
	if len(got) != 2 {
		t.Fatalf("recorded %+v", got)
	}
	for _, m := range got {
		if m.Kind != movement.Receipt || m.Group != got[0].Group || m.Group.Size != 2 || m.Document != (movement.Document{Type: "order", Ref: "P00017"}) || m.By != "AB" || m.Source.Adapter != "front" {
			t.Errorf("recorded %+v", m)
		}
	}
	if got[0].Source.Raw != lotted || got[0].ExpiryRaw != "280131" || got[0].NaturalKey == got[1].NaturalKey {
		t.Errorf("recorded %+v", got[0])
	}
}

// flaky fails on demand, before or after the commit.
type flaky struct {
	Store
	before, after error
}

func (f *flaky) Append(ctx context.Context, w outbox.Write) ([]outbox.Place, error) {
	if f.before != nil {
		return nil, f.before
	}
	p, err := f.Store.Append(ctx, w)
	if err == nil && f.after != nil {
		return nil, f.after
	}
	return p, err
}

func TestNothingIsClaimedThatIsNotOnDisk(t *testing.T) {
	c := open(t, t.TempDir())
	defer c.store.Close()
	store := &flaky{Store: c.store}
	c.desk.Store = store
	c.scan("P00017")
	c.scan(plain)
	full := fault.New(fault.Transient, "outbox_full", "full")
	store.before = full
	for _, s := range []string{plain, "BL-UNDO", "BL-QTY-3", "BL-CONFIRM", "4012345678902"} {
		if a, err := c.desk.Scan(t.Context(), c.read(s)); !errors.Is(err, full) || a.Sound != scan.Refused {
			t.Errorf("%s: %+v, %v", s, a, err)
		}
	}
	store.before = nil
	if s := c.desk.Sessions(); len(s) != 1 || len(s[0].Entries) != 1 || s[0].Entries[0].Quantity != movement.Units(1) {
		t.Errorf("sessions %+v", s)
	}
	// The commit is done but its answer is lost: confirming again doubles
	// nothing.
	store.after = full
	if _, err := c.desk.Scan(t.Context(), c.read("BL-CONFIRM")); !errors.Is(err, full) {
		t.Error(err)
	}
	store.after = nil
	if a := c.scan("BL-CONFIRM"); a.Sound != scan.OK {
		t.Errorf("answered %+v", a)
	}
	if got := c.recorded(); got != "P00017 4012345678901//=1" {
		t.Errorf("recorded %q", got)
	}
}

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

func TestPatterns(t *testing.T) {
	cases := map[string]struct {
		p    Pattern
		want string
	}{
		"good":             {Pattern{`PO-(\d+)`, "order"}, ""},
		"no expression":    {Pattern{`P(`, "order"}, `documents[0].match: "P(" is not a regular expression`},
		"empty":            {Pattern{``, "order"}, `is not a regular expression`},
		"matches products": {Pattern{`\d+`, "order"}, `also matches codes of products`},
		"matches commands": {Pattern{`[A-Z-]+`, "order"}, `also matches codes of products or commands`},
		"unknown type":     {Pattern{`P\d+`, "invoice"}, `documents[0].type: "invoice"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := (&Config{Documents: []Pattern{c.p}}).Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	def := DefaultConfig()
	if err := def.Validate(); err != nil {
		t.Error(err)
	}
	docs, err := (&Config{Documents: []Pattern{{`PO-(\d+)`, "order"}}}).compile()
	if err != nil {
		t.Fatal(err)
	}
	if doc, ok := docs.find("PO-77"); !ok || doc.Ref != "77" {
		t.Errorf("found %+v", doc)
	}
	if doc, ok := docs.find("xPO-77"); ok {
		t.Errorf("found %+v", doc)
	}
}
