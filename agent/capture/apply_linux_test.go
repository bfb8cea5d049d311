package capture

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"branchline/agent/outbox"
	"branchline/agent/scan"
	"branchline/internal/fault"
)

// resume runs a capture on an outbox that remembers settings, until the test
// ends or stop is called.
func resume(t *testing.T, store *outbox.Outbox, s Scanner) (c *counter, stop func()) {
	t.Helper()
	c = &counter{store: store, heard: map[string]chan scan.Answer{s.Name: make(chan scan.Answer, 100)}}
	var err error
	c.Capture, err = New(Config{Scanners: []Scanner{s}}, Options{Handler: Direct{store}, Beeper: c, Memory: store,
		Log: slog.New(slog.DiscardHandler), retryMin: 5 * time.Millisecond, retryMax: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Run(ctx) }()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	c.until(t, s.Name, isUp)
	return c, stop
}

// A scanner that sends | for GS: the test shows it and records nothing, the
// setting mends it at once, outlives a restart, and yields to the configuration
// once that was changed.
func TestSettingIsFoundAppliedAndKept(t *testing.T) {
	d := plugIn(t)
	store, err := outbox.Open(outboxConfig(t), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	s := atCounter("front", d.path)
	pack := func(serial int) { fmt.Fprintf(d, "]d2010401234567890110ABC|21X%d\r", serial) }

	c, stop := resume(t, store, s)
	if err := c.Test("front", true); err != nil {
		t.Fatal(err)
	}
	pack(1)
	if a := c.hear(t, "front"); a.Code != "test" || a.Sound != scan.Warn || !strings.Contains(a.Text, "not recorded") {
		t.Errorf("under test: %+v", a)
	}
	report := c.until(t, "front", func(s Status) bool { return s.Test != nil }).Test
	if report.Understood || len(report.Suggestions) == 0 {
		t.Fatalf("%+v", report)
	}
	if n := len(records(t, store)); n != 0 {
		t.Fatalf("a test recorded %d", n)
	}
	g := report.Suggestions[0]
	if err := c.Apply(t.Context(), "front", g.Setting, g.Value); err != nil {
		t.Fatal(err)
	}
	pack(2)
	if a := c.hear(t, "front"); a.Code != "test" || a.Sound != scan.OK {
		t.Errorf("under test, mended: %+v", a)
	}
	if err := c.Test("front", false); err != nil {
		t.Fatal(err)
	}
	pack(3)
	if a := c.hear(t, "front"); a.Sound != scan.OK {
		t.Errorf("mended: %+v", a)
	}
	stop()

	c, stop = resume(t, store, s)
	pack(4)
	if a := c.hear(t, "front"); a.Sound != scan.OK {
		t.Errorf("after a restart: %+v", a)
	}
	stop()
	s.GS1.Substitute = "#"
	c, stop = resume(t, store, s)
	pack(5)
	if a := c.hear(t, "front"); a.Sound != scan.Warn {
		t.Errorf("the configuration was not obeyed: %+v", a)
	}
	stop()
	s.GS1.Substitute = ""
	c, _ = resume(t, store, s)
	pack(6)
	if a := c.hear(t, "front"); a.Sound != scan.Warn {
		t.Errorf("an old setting came back: %+v", a)
	}
}

// Speed and parity need the port opened anew, and that happens by itself.
func TestLineIsOpenedAnew(t *testing.T) {
	d := plugIn(t)
	c := run(t, atCounter("front", d.path))
	before := c.until(t, "front", isUp)
	if err := c.Apply(t.Context(), "front", "line", "7e1"); err != nil {
		t.Fatal(err)
	}
	c.until(t, "front", func(s Status) bool { return s.Up && s.Since.After(before.Since) })
	fmt.Fprint(d, even("04012345678901")+"\r")
	if a := c.hear(t, "front"); a.Sound == scan.Refused {
		t.Errorf("answer %+v", a)
	}
}

func TestWhatCannotBeApplied(t *testing.T) {
	d := plugIn(t)
	c := run(t, atCounter("front", d.path))
	for _, k := range []struct{ scanner, setting, value, code string }{
		{"back", "gs1.pzn", "true", "no_scanner"},
		{"front", "port", "/dev/null", "bad_setting"},
		{"front", "line", "9x9", "bad_setting"},
		{"front", "gs1.substitute", "12", "bad_profile"},
		{"front", "gs1.separators", "maybe", "bad_profile"},
	} {
		if err := c.Apply(t.Context(), k.scanner, k.setting, k.value); fault.CodeOf(err) != k.code {
			t.Errorf("%+v: %v", k, err)
		}
	}
	if err := c.Apply(t.Context(), "front", "terminator", "tab"); err == nil {
		t.Error("a terminator that is none was taken")
	}
	if err := c.Test("back", true); fault.CodeOf(err) != "no_scanner" {
		t.Errorf("testing nothing: %v", err)
	}
	// The scanner of the page is tested in the same way.
	if err := c.Test(TypedName, true); err != nil {
		t.Fatal(err)
	}
	if a := c.Typed(t.Context(), Typed{Text: "04012345678901", Purpose: scan.Dispense, Station: "page"}); a.Code != "test" {
		t.Errorf("typed under test: %+v", a)
	}
	if s := c.Keyboards()[0]; s.Test == nil || !s.Test.Understood || s.Testing.IsZero() {
		t.Errorf("status %+v", s)
	}
	if n := len(records(t, c.store)); n != 0 {
		t.Errorf("%d recorded", n)
	}
}
