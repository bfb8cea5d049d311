package keyboard_test

import (
	"image"
	"image/color"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	"pgregory.net/rapid"

	"branchline/internal/keyboard"
)

func codes(f keyboard.Finding) (list []string) {
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
		if got := keyboard.Mangle(c.typed, "us", c.pc); got != c.shown {
			t.Errorf("%s shows %q as %q, want %q", c.pc, c.typed, got, c.shown)
		}
		if got, ok := keyboard.Undo(c.shown, "us", c.pc); !ok || got != c.typed {
			t.Errorf("%s undoes %q as %q, %v", c.pc, c.shown, got, ok)
		}
	}
}

// What has come without a dead key is undone, whichever the layouts.
func TestUndoIsTheInverse(t *testing.T) {
	for _, pc := range keyboard.Layouts() {
		t.Run(pc, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				text := rapid.StringMatching(`[A-Za-z0-9]{1,20}`).Draw(t, "text")
				shown := keyboard.Mangle(text, "us", pc)
				if got, ok := keyboard.Undo(shown, "us", pc); !ok || got != text {
					t.Fatalf("%q came as %q and is undone as %q, %v", text, shown, got, ok)
				}
			})
		})
	}
}

// For every pair of layouts, Caps Lock and way of sending GS: it is found out,
// and what is to be undone gives the letters back.
func TestCalibration(t *testing.T) {
	for _, pc := range keyboard.Layouts() {
		for _, caps := range []bool{false, true} {
			for sep, want := range map[string]string{"\x1d": "", "": "separator_lost", "029": "separator_alt", "GS": "separator_words",
				"^]": "separator_substitute", "␝": "separator_substitute", `\x1d`: "separator_substitute", "~": "separator_substitute", "|": "separator_substitute"} {
				typed := strings.Replace(keyboard.Text, "\x1d", sep, 1)
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
				f := keyboard.Diagnose(keyboard.Mangle(typed, "us", pc))
				if !f.Recognised || !slices.Equal(codes(f), problems) || f.CapsLock != caps {
					t.Errorf("%s, caps %v, GS as %q: %+v, want %v", pc, caps, sep, f, problems)
					continue
				}
				if want == "separator_substitute" && f.Substitute != sep {
					t.Errorf("%s: substitute %q for %q", pc, f.Substitute, sep)
				}
				if pc != "us" {
					back := strings.Map(func(c rune) rune {
						if to, ok := f.Undo[c]; ok {
							return to
						}
						return c
					}, keyboard.Mangle("Az0y-", "us", pc))
					if f.PC != pc || f.Scanner != "us" || back != "Az0y-" {
						t.Errorf("%s: %s to %s, undone as %q", pc, f.Scanner, f.PC, back)
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
		keyboard.Text[:22]:               "cut_short",
		"AZQWYMazqwym\x1d-/;:'":          "num_lock",
		"]C0" + keyboard.Text + "\r":     "",
		strings.Repeat("0123456789", 50): "not_calibration",
	} {
		got := strings.Join(codes(keyboard.Diagnose(text)), " ")
		if got != want {
			t.Errorf("%q shows %q, want %q", text, got, want)
		}
	}
}

var bars = regexp.MustCompile(`M(\d+) 0h(\d+)v`)

// The printed barcode scans as the text, its separator as FNC1.
func TestCalibrationBarcodeScans(t *testing.T) {
	s, err := keyboard.Draw()
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewGray(image.Rect(0, 0, s.Width*3, 60))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	_, black, _ := strings.Cut(s.Text, `fill="#000"`)
	for _, m := range bars.FindAllStringSubmatch(black, -1) {
		x, _ := strconv.Atoi(m[1])
		w, _ := strconv.Atoi(m[2])
		for i := x * 3; i < (x+w)*3; i++ {
			for y := range 60 {
				img.SetGray(i, y, color.Gray{})
			}
		}
	}
	bmp, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	r, err := oned.NewCode128Reader().Decode(bmp, map[gozxing.DecodeHintType]interface{}{
		gozxing.DecodeHintType_TRY_HARDER: true, gozxing.DecodeHintType_ASSUME_GS1: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimPrefix(r.GetText(), "]C1"); got != keyboard.Text {
		t.Errorf("scans as %q, want %q", got, keyboard.Text)
	}
}

func FuzzDiagnose(f *testing.F) {
	f.Add(keyboard.Text)
	f.Add(keyboard.Mangle(keyboard.Text, "us", "fr"))
	f.Fuzz(func(t *testing.T, text string) {
		if f := keyboard.Diagnose(text); !f.Recognised && len(f.Problems) == 0 {
			t.Fatalf("%q: nothing found and nothing said", text)
		}
	})
}
