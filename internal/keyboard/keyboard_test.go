package keyboard

import (
	"slices"
	"strings"
	"testing"

	"branchline/internal/symbol/symboltest"
)

func codes(f Finding) (list []string) {
	for _, p := range f.Problems {
		list = append(list, p.Code)
	}
	return list
}

// Well-known pairs, as German, French, Spanish and Italian PCs show what a
// scanner set to US types.
func TestLayouts(t *testing.T) {
	cases := []struct{ pc, typed, shown string }{
		{"de", "yz-/;'YZ_", "zy\u00df-öäZY?"},
		{"ch", "yz-/;'", "zy'-öä"},
		{"fr", "aqzwm;12", "qawz,m&é"},
		{"es", "-/;+", "'-ñ¿"},
		{"it", "-/;'[", "'-òàè"},
		{"uk", `@"#\`, `"@£#`},
		{"us", "aqzw-/", "aqzw-/"},
	}
	for _, c := range cases {
		if got := mangle(c.typed, "us", c.pc); got != c.shown {
			t.Errorf("%s shows %q as %q, want %q", c.pc, c.typed, got, c.shown)
		}
	}
}

// For every pair of layouts, Caps Lock and way of sending GS: it is found out,
// and said with what it is about.
func TestCalibration(t *testing.T) {
	for _, pc := range layouts() {
		for _, caps := range []bool{false, true} {
			for sep, want := range map[string]string{"\x1d": "", "": "separator_lost", "029": "separator_alt", "GS": "separator_words",
				"^]": "separator_substitute", "␝": "separator_substitute", `\x1d`: "separator_substitute", "~": "separator_substitute", "|": "separator_substitute"} {
				typed := strings.Replace(Text, "\x1d", sep, 1)
				var problems []string
				if caps {
					typed = strings.Map(func(c rune) rune {
						switch {
						case c >= 'a' && c <= 'z':
							return c - 32
						case c >= 'A' && c <= 'Z':
							return c + 32
						}
						return c
					}, typed)
					problems = append(problems, "caps_lock")
				}
				if pc != "us" {
					problems = append(problems, "layout")
				}
				if want != "" {
					problems = append(problems, want)
				}
				f := Diagnose(mangle(typed, "us", pc))
				if !f.Recognised || !slices.Equal(codes(f), problems) {
					t.Errorf("%s, caps %v, GS as %q: %+v, want %v", pc, caps, sep, f, problems)
					continue
				}
				for _, p := range f.Problems {
					about := map[string]string{"layout": "for a US keyboard and this PC has a " + words[pc] + " one", "separator_substitute": "comes as " + sep + ":"}[p.Code]
					if !strings.Contains(p.Text, about) {
						t.Errorf("%s, GS as %q: %q does not say %q", pc, sep, p.Text, about)
					}
				}
			}
		}
	}
}

func TestWhatIsNoCalibration(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "not_calibration",
		"4012345678901":                  "not_calibration",
		Text[:22]:                        "cut_short",
		"AZQWYMazqwym\x1d-/;:'":          "num_lock",
		"]C0" + Text + "\r":              "",
		strings.Repeat("0123456789", 50): "not_calibration",
	} {
		got := strings.Join(codes(Diagnose(text)), " ")
		if got != want {
			t.Errorf("%q shows %q, want %q", text, got, want)
		}
	}
}

// The printed barcode scans as the text, its separator as FNC1.
func TestCalibrationBarcodeScans(t *testing.T) {
	s, err := Draw()
	if err != nil {
		t.Fatal(err)
	}
	if got := symboltest.ScanFNC1(t, s); got != Text {
		t.Errorf("scans as %q, want %q", got, Text)
	}
}

func FuzzDiagnose(f *testing.F) {
	f.Add(Text)
	f.Add(mangle(Text, "us", "fr"))
	f.Fuzz(func(t *testing.T, text string) {
		if f := Diagnose(text); !f.Recognised && len(f.Problems) == 0 {
			t.Fatalf("%q: nothing found and nothing said", text)
		}
	})
}
