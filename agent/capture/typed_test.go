package capture

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"branchline/agent/scan"
	"branchline/internal/gs1"
)

// typedDesk remembers what it was given.
type typedDesk struct{ scans []scan.Scan }

func (d *typedDesk) Scan(_ context.Context, s scan.Scan) (scan.Answer, error) {
	d.scans = append(d.scans, s)
	if s.Err != nil && !scan.IsCommand(s.Text()) {
		return scan.Answer{Sound: scan.Warn, Text: s.Err.Error()}, nil
	}
	return scan.Answer{Sound: scan.OK, Text: "counted"}, nil
}

// What is typed into the page is read as what a serial scanner sends; the
// layout of the keyboard is found out where only one can be meant, and not
// guessed where both can.
func TestTyped(t *testing.T) {
	const (
		gs1Code = "]d20104012345678901" + "10A-7\x1d2155"
		german  = "]d20104012345678901" + "10Aß7\x1d2155" // the same keys on a German layout
		swapped = "]d20104012345678901" + "10AZ7"
		placed  = "]d20104012345678901" + "10AY7"
	)
	cases := map[string]struct {
		keys  string
		in    Typed
		sound scan.Sound
		raw   string // what the desk is given; empty for nothing
		says  string
	}{
		"the same both ways":           {"", Typed{Text: gs1Code, Physical: gs1Code}, scan.OK, gs1Code, ""},
		"only the places can be read":  {"", Typed{Text: german, Physical: gs1Code}, scan.OK, gs1Code, ""},
		"only the letters can be read": {"", Typed{Text: gs1Code, Physical: german}, scan.OK, gs1Code, ""},
		"both can be read":             {"", Typed{Text: swapped, Physical: placed}, scan.Refused, "", "finds out the keyboard"},
		"set to the layout":            {"layout", Typed{Text: swapped, Physical: placed}, scan.OK, swapped, ""},
		"set to the places":            {"places", Typed{Text: swapped, Physical: placed}, scan.OK, placed, ""},
		"neither can be read":          {"", Typed{Text: "öäü1", Physical: ";'[1"}, scan.Warn, "öäü1", ""},
		"a command":                    {"", Typed{Text: "BLßUNDO", Physical: "BL-UNDO"}, scan.OK, "BL-UNDO", ""},
		"a number that is too large":   {"", Typed{Text: "BL-QTY-100000"}, scan.Refused, "", "more than the 99999 packs that one scan can stand for: say at most that many"},
		"typed by hand, with spaces":   {"", Typed{Text: " 04012345678901 ", ByHand: true}, scan.OK, "04012345678901", ""},
		"far too long":                 {"", Typed{Text: strings.Repeat("1", 2*maxFrame)}, scan.Warn, strings.Repeat("1", maxFrame), ""},
		"about a person":               {"", Typed{Text: "]d28018123456789012345675", Physical: "]d28018123456789012345675"}, scan.Refused, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := &typedDesk{}
			capture, err := New(Config{Keyboard: Keyboard{Keys: c.keys}}, Options{Handler: d, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			c.in.Purpose, c.in.Station = scan.Receive, "page"
			a := capture.Typed(t.Context(), c.in)
			if a.Sound != c.sound || !strings.Contains(a.Text, c.says) {
				t.Errorf("answered %v %q", a.Sound, a.Text)
			}
			if command := strings.HasPrefix(name, "a command") || strings.HasPrefix(name, "a number"); a.Action != command {
				t.Errorf("it is told as an action: %t", a.Action)
			}
			switch {
			case c.raw == "" && len(d.scans) > 0:
				t.Errorf("the desk was given %q", d.scans[0].Raw)
			case c.raw != "" && (len(d.scans) != 1 || string(d.scans[0].Raw) != c.raw || d.scans[0].Station != "page"):
				t.Errorf("the desk was given %+v", d.scans)
			}
		})
	}
}

func TestTypedAgainWithinAMoment(t *testing.T) {
	d := &typedDesk{}
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	capture, err := New(Config{}, Options{Handler: d, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	in := Typed{Text: "04012345678901", Purpose: scan.Dispense}
	for _, step := range []struct {
		after  time.Duration
		byHand bool
		want   scan.Sound
	}{{0, false, scan.OK}, {300 * time.Millisecond, false, scan.Warn}, {2 * time.Second, false, scan.OK}, {0, true, scan.OK}, {0, true, scan.OK}} {
		now = now.Add(step.after)
		in.ByHand = step.byHand
		if a := capture.Typed(t.Context(), in); a.Sound != step.want {
			t.Errorf("after %s, by hand %t: %v %q", step.after, step.byHand, a.Sound, a.Text)
		}
	}
	if len(d.scans) != 4 {
		t.Errorf("%d scans counted", len(d.scans))
	}
}

// What the calibration shows is offered as a setting, and holds from the next
// code on until it is taken back.
func TestKeysAreSetByAClick(t *testing.T) {
	d := &typedDesk{}
	c, err := New(Config{}, Options{Handler: d, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c.Calibrated(TypedName, "azqwzm", "the scanner types for another keyboard", []Suggestion{{"keys", "places", "as a US keyboard"}})
	if r := c.Keyboards()[0].Test; r == nil || r.Understood || r.Why == "" || len(r.Suggestions) != 1 {
		t.Fatalf("shown: %+v", r)
	}
	both := Typed{Text: "]d2010401234567890110AZ7", Physical: "]d2010401234567890110AY7", Purpose: scan.Receive, Station: "page"}
	for _, step := range []struct{ set, says string }{{"", "refused"}, {"places", "AY7"}, {"layout", "AZ7"}, {"auto", "refused"}} {
		if step.set != "" {
			if err := c.Apply(t.Context(), TypedName, "keys", step.set); err != nil {
				t.Fatal(err)
			}
		}
		d.scans = nil
		a, got := c.Typed(t.Context(), both), "refused"
		if a.Sound == scan.OK {
			got = d.scans[0].Code.Lot()
		}
		if got != step.says || step.set != "" && keysOf(c, both) != step.set {
			t.Errorf("set to %q: %s, want %s; %+v", step.set, got, step.says, a)
		}
	}
	if err := c.Apply(t.Context(), TypedName, "keys", "guess"); err == nil {
		t.Error("any word is taken")
	}
}

func keysOf(c *Capture, t Typed) string {
	_, _, keys := c.Keyboard(t)
	return keys
}

// Two scanners type into one page: one sends its separators as "|" by US places,
// and a sign before each code by which it is known; the other is as all are.
func TestScannersThatTypeHaveProfilesOfTheirOwn(t *testing.T) {
	d := &typedDesk{}
	c, err := New(Config{Keyboards: []Keyboard{{Name: "old one", StartsWith: "~1", Keys: "places", GS1: gs1.Profile{Substitute: "|"}},
		{Name: "third", StartsWith: "~2"}}}, Options{Handler: d, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	const plain = "]d20104012345678901" + "10A7\x1d2155"
	for name, k := range map[string]struct {
		in           Typed
		scanner, lot string
	}{
		"as all are":                          {Typed{Text: plain, Physical: plain}, TypedName, "A7"},
		"by its sign":                         {Typed{Text: "~1]d2010401234567890110A7|2155", Physical: "~1]d2010401234567890110A7|2155"}, "old one", "A7"},
		"by its sign, on another layout":      {Typed{Text: "°1+d2010401234567890110AZ7'2155", Physical: "~1]d2010401234567890110AY7|2155"}, "old one", "AY7"},
		"by another's sign":                   {Typed{Text: "~2" + plain, Physical: "~2" + plain}, "third", "A7"},
		"a sign that nobody has, by a person": {Typed{Text: "04012345678901", ByHand: true}, TypedName, ""},
	} {
		d.scans = nil
		k.in.Purpose, k.in.Station = scan.Receive, "page"
		if a := c.Typed(t.Context(), k.in); a.Sound != scan.OK || len(d.scans) != 1 || d.scans[0].Scanner != k.scanner || d.scans[0].Code.Lot() != k.lot || d.scans[0].Station != "page" {
			t.Errorf("%s: %+v, %+v", name, a, d.scans)
		}
	}
	if err := c.Apply(t.Context(), "old one", "keys", "layout"); err != nil || keysOf(c, Typed{Text: "~1x"}) != "layout" || keysOf(c, Typed{Text: "x"}) != "auto" {
		t.Errorf("a setting of one is that of another: %v", err)
	}
	if len(c.Keyboards()) != 3 || c.Keyboards()[1].Codes != 2 {
		t.Errorf("%+v", c.Keyboards())
	}
}

func TestKeyboardsThatCannotBeToldApart(t *testing.T) {
	for want, keyboards := range map[string][]Keyboard{
		"keyboards[0].name":        {{StartsWith: "~1"}},
		"keyboards[0].starts_with": {{Name: "a", StartsWith: "01"}},
		"keyboards[1].starts_with": {{Name: "a", StartsWith: "~1"}, {Name: "b", StartsWith: "~12"}},
		"keyboards[1].name":        {{Name: "a", StartsWith: "~1"}, {Name: "A", StartsWith: "~2"}},
		"keyboards[0].keys":        {{Name: "a", StartsWith: "~1", Keys: "guess"}},
	} {
		c := Config{Keyboards: keyboards}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s: %v", want, err)
		}
	}
	c := Config{Keyboard: Keyboard{StartsWith: "~1"}}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "keyboard.name") {
		t.Error(err)
	}
	for _, begins := range []string{"]d2", "01", "BL-", "+", "[)>", "-123", "A", "", "~123456789", "~ "} {
		c := Config{Keyboards: []Keyboard{{Name: "a", StartsWith: begins}}}
		if c.Validate() == nil {
			t.Errorf("%q was taken, by which codes begin", begins)
		}
	}
}
