package capture

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/movement"
)

// device is a pseudo-terminal that plays a scanner.
type device struct {
	*os.File
	path string
}

func plugIn(t *testing.T) *device {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	path := slave.Name()
	slave.Close()
	t.Cleanup(func() { master.Close() })
	return &device{master, path}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	os.Remove(name)
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// counter is a running capture on a real outbox.
type counter struct {
	*Capture
	store *outbox.Outbox
	heard map[string]chan scan.Answer
}

func (c *counter) Beep(scanner string, a scan.Answer) { c.heard[scanner] <- a }

func run(t *testing.T, scanners ...Scanner) *counter {
	t.Helper()
	store, err := outbox.Open(outboxConfig(t), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{store: store, heard: map[string]chan scan.Answer{}}
	for _, s := range scanners {
		c.heard[s.Name] = make(chan scan.Answer, 100)
	}
	c.Capture, err = New(Config{Scanners: scanners}, Options{Handler: Direct{store}, Beeper: c,
		Log: slog.New(slog.DiscardHandler), retryMin: 5 * time.Millisecond, retryMax: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		store.Close()
	})
	return c
}

func outboxConfig(t *testing.T) outbox.Config {
	cfg := outbox.DefaultConfig()
	cfg.Path, cfg.Branch = filepath.Join(t.TempDir(), "outbox.db"), "BR01"
	return cfg
}

// hear waits for the next answer to a scanner.
func (c *counter) hear(t *testing.T, scanner string) scan.Answer {
	t.Helper()
	select {
	case a := <-c.heard[scanner]:
		return a
	case <-time.After(20 * time.Second):
		t.Fatalf("scanner %s is silent: %+v", scanner, c.Status())
		return scan.Answer{}
	}
}

// until waits for a state of a scanner.
func (c *counter) until(t *testing.T, scanner string, want func(Status) bool) Status {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(20 * time.Second); ; {
		for _, s := range c.Status() {
			if s.Name == scanner && want(s) {
				return s
			}
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("scanner %s never came to that state: %+v", scanner, c.Status())
		}
	}
}

func isUp(s Status) bool   { return s.Up }
func isDown(s Status) bool { return !s.Up && s.Code != "scanner_starting" }

// records reads the whole live lane.
func records(t *testing.T, store *outbox.Outbox) []movement.Movement {
	t.Helper()
	var list []movement.Movement
	for _, s := range store.Streams() {
		if s.Lane != movement.Live || s.Last == 0 {
			continue
		}
		b, err := store.Read(s.Epoch, s.Lane, 1, 1000, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Records {
			m, err := movement.Decode(r)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, m)
		}
	}
	return list
}

func atCounter(name, port string) Scanner {
	return Scanner{Name: name, Port: port, For: scan.Dispense, IdleGap: 100 * time.Millisecond}
}

func TestScanIsRecordedBeforeItBeeps(t *testing.T) {
	d := plugIn(t)
	s := atCounter("front", d.path)
	s.Sounds = Sounds{OK: `\a`, Warn: `\a\a\x21`}
	c := run(t, s)
	c.until(t, "front", isUp)

	fmt.Fprint(d, "]d2010401234567890117280131"+"10ABC\x1d21XYZ\r")
	if a := c.hear(t, "front"); a.Sound != scan.OK {
		t.Fatalf("answer %+v", a)
	}
	got := records(t, c.store)
	if len(got) != 1 || got[0].Product.Code != "04012345678901" || got[0].Lot != "ABC" || got[0].Serial != "XYZ" ||
		got[0].Expiry.String() != "2028-01-31" || got[0].ExpiryRaw != "280131" || got[0].Quantity != movement.Units(1) || got[0].Problem != nil {
		t.Errorf("recorded %+v", got)
	}
	buf := make([]byte, 1)
	if _, err := d.Read(buf); err != nil || buf[0] != '\a' {
		t.Errorf("the scanner was sent %q, %v", buf, err)
	}
}

func TestScannerComesBack(t *testing.T) {
	for name, again := range map[string]string{"under the same name": "usb-0", "under another name": "usb-1"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			d := plugIn(t)
			link(t, d.path, filepath.Join(dir, "usb-0"))
			c := run(t, atCounter("front", filepath.Join(dir, "usb-*")))
			c.until(t, "front", isUp)
			fmt.Fprint(d, "04012345678901\r")
			c.hear(t, "front")

			fmt.Fprint(d, "0401234") // half a code when the cable is pulled
			os.Remove(filepath.Join(dir, "usb-0"))
			d.Close()
			if s := c.until(t, "front", isDown); s.Reason == "" {
				t.Errorf("down without a reason: %+v", s)
			}
			d = plugIn(t)
			link(t, d.path, filepath.Join(dir, again))
			s := c.until(t, "front", func(s Status) bool { return s.Up && filepath.Base(s.Port) == again })
			if s.Reason != "" {
				t.Errorf("up with reason %q", s.Reason)
			}
			fmt.Fprint(d, "04012345678918\r")
			var last scan.Answer
			for last.Sound != scan.OK {
				last = c.hear(t, "front")
			}
			got := records(t, c.store)
			if n := len(got); got[0].Product.Code != "04012345678901" || got[n-1].Product.Code != "04012345678918" {
				t.Errorf("recorded %+v", got)
			}
			for _, m := range got[1 : len(got)-1] {
				if m.Problem == nil || m.Problem.Code != "half_code" {
					t.Errorf("half a code became %+v", m)
				}
			}
		})
	}
}

func TestVanishedPathIsSeenThoughTheLineStaysOpen(t *testing.T) {
	dir := t.TempDir()
	first, second := plugIn(t), plugIn(t)
	port := filepath.Join(dir, "by-id")
	link(t, first.path, port)
	c := run(t, atCounter("front", port))
	c.until(t, "front", isUp)
	link(t, second.path, port)
	c.until(t, "front", isDown)
	c.until(t, "front", isUp)
	fmt.Fprint(second, "04012345678901\r")
	if a := c.hear(t, "front"); a.Sound != scan.OK {
		t.Errorf("answer %+v", a)
	}
}

func TestPortTakenByAnotherProgram(t *testing.T) {
	d := plugIn(t)
	other, err := os.OpenFile(d.path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := unix.Flock(int(other.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	c := run(t, atCounter("front", d.path))
	if s := c.until(t, "front", isDown); s.Code != "scanner_port_taken" {
		t.Errorf("state %+v", s)
	}
	other.Close()
	c.until(t, "front", isUp)
	if f, err := os.OpenFile(d.path, os.O_RDWR|unix.O_NOCTTY, 0); err == nil {
		defer f.Close()
		if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			t.Error("another program could take the port from us")
		}
	}
}

func TestTwoScannersWithDifferentSettings(t *testing.T) {
	one, two := plugIn(t), plugIn(t)
	pipe := atCounter("pipe", two.path)
	pipe.GS1.Substitute = "|"
	pipe.Terminator = EndIdle
	c := run(t, atCounter("plain", one.path), pipe)
	c.until(t, "plain", isUp)
	c.until(t, "pipe", isUp)
	fmt.Fprint(one, "]d20104012345678901"+"10ABC\x1d21S1\r")
	fmt.Fprint(two, "]d20104012345678901"+"10ABC|21S2")
	for _, name := range []string{"plain", "pipe"} {
		if a := c.hear(t, name); a.Sound != scan.OK {
			t.Errorf("%s: %+v", name, a)
		}
	}
	for _, m := range records(t, c.store) {
		want := map[string]string{"plain": "S1", "pipe": "S2"}[m.Source.Adapter]
		if m.Lot != "ABC" || m.Serial != want {
			t.Errorf("%s: lot %q serial %q", m.Source.Adapter, m.Lot, m.Serial)
		}
	}
}

// Garbage, an endless stream, an unplugged neighbour: the other scanner and
// the agent go on.
func TestTroubleOfOneScannerIsItsOwn(t *testing.T) {
	bad, good, gone := plugIn(t), plugIn(t), plugIn(t)
	patient := atCounter("bad", bad.path)
	patient.IdleGap = time.Second // a slow machine must not look like silence
	c := run(t, patient, atCounter("good", good.path), atCounter("gone", gone.path))
	for _, name := range []string{"bad", "good", "gone"} {
		c.until(t, name, isUp)
	}
	gone.Close()
	go func() { // half a megabyte without an end, then what a wrong speed makes
		noise := make([]byte, 4096)
		for i := range noise {
			noise[i] = byte('A' + i%26)
		}
		for range 128 {
			bad.Write(noise)
		}
		fmt.Fprint(bad, "\r\xf8\x00\xfe\xff\x80\rhalf")
	}()
	fmt.Fprint(good, "04012345678901\r")
	if a := c.hear(t, "good"); a.Sound != scan.OK {
		t.Errorf("answer %+v", a)
	}
	var codes []string
	for range 3 {
		codes = append(codes, c.hear(t, "bad").Code)
	}
	if fmt.Sprint(codes) != "[endless_code not_gs1 half_code]" {
		t.Errorf("answers %v", codes)
	}
	c.until(t, "gone", isDown)
	fmt.Fprint(bad, "04012345678918\r")
	if a := c.hear(t, "bad"); a.Sound != scan.OK {
		t.Errorf("after the noise: %+v", a)
	}
	for _, m := range records(t, c.store) {
		if m.Problem != nil && m.Source.Raw == "" && m.Source.RawHex == "" {
			t.Errorf("%+v: nothing of what was read is kept", m)
		}
	}
}
