package capture

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"branchline/agent/scan"
	"branchline/internal/conf"
	"branchline/internal/fault"
	"branchline/internal/gs1"
)

// TypedName is how the record of a scan names the scanner that types into the
// branch page like a keyboard, and the person who types a code there.
const TypedName = "page"

// Typed is a code that came by the page.
type Typed struct {
	// Text is what the system's keyboard layout made of the keys, Physical what
	// a US layout would have: a scanner that is set to US types wrong letters
	// where the system is not. Both are the same when it makes no difference.
	Text, Physical string
	// ByHand tells that a person typed it: the same code again within a moment
	// is meant.
	ByHand  bool
	Purpose scan.Purpose
	// Station is where the person stands.
	Station string
}

// Keyboard is the profile of scanners that type like a keyboard into the page.
// A browser cannot tell one keyboard from another; a scanner that is set otherwise
// than the rest is told by what it is programmed to send before each code.
type Keyboard struct {
	// Name is how people call it, and StartsWith what it sends before each code,
	// such as "~1". Both are empty for the profile of all others.
	Name       string      `yaml:"name"`
	StartsWith string      `yaml:"starts_with"`
	GS1        gs1.Profile `yaml:"gs1"`
	// Keys says how their keys are to be read: as the system's layout gives
	// them (layout), by their places on a US keyboard (places), or as the one of
	// both that can be read, where only one can (auto).
	Keys string `yaml:"keys"`
	// Repeat and RepeatWithin are as a serial scanner's.
	Repeat       Repeat         `yaml:"repeat"`
	RepeatWithin *time.Duration `yaml:"repeat_within"`
}

// keysForms are what [Keyboard.Keys] can be.
var keysForms = []string{"auto", "layout", "places"}

func (k *Keyboard) fill() {
	d := DefaultScanner()
	k.Keys, k.Repeat, k.RepeatWithin = cmp.Or(k.Keys, "auto"), cmp.Or(k.Repeat, d.Repeat), cmp.Or(k.RepeatWithin, d.RepeatWithin)
}

// startForm is what a scanner may send before each code: it begins with a sign
// that no code begins with, so that no code is taken for another scanner's.
var startForm = regexp.MustCompile("^[~#$%&*=!?@_/\\\\;,.:^`|<>{}][!-~]{0,7}$")

func (k *Keyboard) validate(named bool) error {
	switch {
	case named && !nameForm.MatchString(k.Name):
		return conf.Bad("name", k.Name, "must be a word of letters and digits, 64 at most")
	case named && !startForm.MatchString(k.StartsWith):
		return conf.Bad("starts_with", k.StartsWith, "must be 1 to 8 signs, the first of them none that a code begins with, such as ~1")
	case !named && (k.Name != "" || k.StartsWith != ""):
		return conf.Bad("name", k.Name+k.StartsWith, "is for the list keyboards; this profile is that of all others")
	}
	if !slices.Contains(keysForms, k.Keys) {
		return conf.Bad("keys", k.Keys, "is not one of auto, layout, places")
	}
	s := k.scanner()
	return s.validate()
}

// scanner is the profile as that of a scanner.
func (k *Keyboard) scanner() Scanner {
	s := DefaultScanner()
	s.Name, s.Station, s.Port, s.For = cmp.Or(k.Name, TypedName), TypedName, "keyboard", scan.Receive
	s.GS1, s.Repeat, s.RepeatWithin, s.keys = k.GS1, k.Repeat, k.RepeatWithin, k.Keys
	return s
}

// typist runs what is typed by the scanners of one profile.
type typist struct {
	startsWith string
	r          *runner
}

func newTypist(k Keyboard, o Options, m *metrics) *typist {
	s := k.scanner()
	o.Beeper = nil // the page hears the answer itself
	r := &runner{Options: o, name: s.Name, s: &s, m: m, log: o.Log.With("scanner", s.Name), reading: reading{profile: k.GS1}}
	port := "keyboard"
	if k.StartsWith != "" {
		port += ", its codes begin with " + k.StartsWith
	}
	r.status.s = Status{Name: s.Name, Station: s.Station, Keyboard: true, Up: true, Since: o.Now(), Port: port}
	return &typist{startsWith: k.StartsWith, r: r}
}

// Typed does with a code from the page what is done with one from a serial
// scanner, one code at a time. An answer comes after the commit.
func (c *Capture) Typed(ctx context.Context, t Typed) scan.Answer {
	c.typing.Lock()
	defer c.typing.Unlock()
	typist, t := c.typistOf(t)
	return typist.take(ctx, t)
}

// typistOf tells whose code it is, and what is left of it.
func (c *Capture) typistOf(t Typed) (*typist, Typed) {
	if t.ByHand {
		return c.typists[0], t
	}
	for _, k := range c.typists[1:] {
		asTyped, asPlaced := strings.HasPrefix(t.Text, k.startsWith), strings.HasPrefix(t.Physical, k.startsWith)
		if !asTyped && !asPlaced {
			continue
		}
		// Both forms are of the same keys, so the same number of them goes.
		n := utf8.RuneCountInString(k.startsWith)
		t.Text, t.Physical = cutRunes(t.Text, n), cutRunes(t.Physical, n)
		return k, t
	}
	return c.typists[0], t
}

func cutRunes(s string, n int) string {
	for ; n > 0 && s != ""; n-- {
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
	}
	return s
}

// Keyboard tells which profile a typed code belongs to, what is left of the code,
// and how that profile's keys are read.
func (c *Capture) Keyboard(t Typed) (name string, rest Typed, keys string) {
	k, rest := c.typistOf(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	return k.r.name, rest, c.profiles[k.r.name].keys
}

// Calibrated shows what the barcode that finds out the keyboard has shown, with
// the settings that would mend it, where a test scan of that profile is shown.
func (c *Capture) Calibrated(name, text, why string, mend []Suggestion) {
	r := c.runner(name)
	if r == nil {
		return
	}
	report := Report{At: r.Now(), Raw: visible([]byte(text)), Bytes: len(text), Symbology: "the barcode that finds out the keyboard", Standard: "calibration",
		Understood: why == "", Words: "layout, Caps Lock and separators come as the scanner sends them", Why: why, Suggestions: mend}
	r.status.set(func(s *Status) { s.Test = &report })
}

func (t *typist) take(ctx context.Context, in Typed) scan.Answer {
	r := t.r
	r.adopt()
	r.s.For, r.s.Station = in.Purpose, in.Station
	text, err := t.choose(in, r.Now())
	if err != nil {
		return scan.Refuse(err)
	}
	kind := whole
	if len(text) > maxFrame {
		text, kind = text[:maxFrame], endless
	}
	if in.ByHand {
		if text = strings.TrimSpace(text); wordsByHand(text) {
			return scan.Refuse(fault.New(fault.Data, "no_code", "this is no code, and is not kept").
				WithHint("type the number below the bars, or the product's own number"))
		}
		r.reading.last = nil
	}
	return r.frame(ctx, frame{data: []byte(text), kind: kind}, nil)
}

// wordsByHand tells words from a code: what somebody types who is in the wrong field
// can be a patient's name, and is kept nowhere. Of codes that people have made
// themselves (ins-gla) a name is told by how it is written.
func wordsByHand(text string) bool {
	return !strings.ContainsFunc(text, unicode.IsDigit) && handWords.MatchString(text)
}

var handWords = regexp.MustCompile(`\pL[\s,;^]+\S*\pL|^\p{Lu}\p{Ll}+([-'’]\p{Lu}\p{Ll}+)*$`)

// choose tells which of the two texts was meant. Where both can be read and
// say different things, nobody can tell.
func (t *typist) choose(in Typed, now time.Time) (string, error) {
	if in.Physical == "" || in.Physical == in.Text || in.ByHand || t.r.s.keys == "layout" {
		return in.Text, nil
	}
	if t.r.s.keys == "places" {
		return in.Physical, nil
	}
	reads := func(text string) bool {
		s := scan.Scan{Raw: []byte(text), At: now}
		s.Read(t.r.reading.profile)
		return s.Err == nil || scan.IsCommand(text)
	}
	asTyped, asPlaced := reads(in.Text), reads(in.Physical)
	switch {
	case asTyped && asPlaced:
		return "", fault.New(fault.Data, "keyboard_layout", "the keyboard's layout gives %.60q, a US layout %.60q, and both could be meant", in.Text, in.Physical).
			WithHint("scan the barcode that finds out the keyboard (On its way, Command barcodes), and set under Test a scanner what it says")
	case asPlaced:
		return in.Physical, nil
	}
	return in.Text, nil
}
