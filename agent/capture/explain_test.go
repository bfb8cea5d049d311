package capture

import (
	"strings"
	"testing"
	"time"

	"branchline/agent/scan"
	"branchline/internal/gs1"
)

var noon = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func even(s string) string {
	b := []byte(s)
	for i, c := range b {
		ones := 0
		for x := c; x > 0; x &= x - 1 {
			ones++
		}
		if ones%2 != 0 {
			b[i] |= 0x80
		}
	}
	return string(b)
}

func TestExplain(t *testing.T) {
	const two = "]d2010401234567890110ABC"
	cases := []struct {
		name, raw string
		profile   func(*Scanner)
		shown     string
		understood, why,
		suggestion string // setting=value of the first one that can be applied
	}{
		{"all is well", two + "\x1d21X", nil, two + "␝21X", `GTIN 04012345678901 lot "ABC" serial "X"`, "", ""},
		{"a substitute", two + "|21X", nil, two + "|21X", "", gs1.CodeBadCharacter, "gs1.substitute=|"},
		{"GS as words", two + "{GS}21X", nil, two + "{GS}21X", "", gs1.CodeBadCharacter, "gs1.substitute={GS}"},
		{"GS as its picture", two + "␝21X", nil, two + "␝21X", "", gs1.CodeBadCharacter, "gs1.substitute=␝"},
		{"GS as an escape", two + `\x1d21X`, nil, two + `\x1d21X`, "", gs1.CodeBadCharacter, `gs1.substitute=\x1d`},
		{"GS got lost", two + "21X", nil, two + "21X", "", gs1.CodeMissingSeparator, "gs1.separators=dropped"},
		{"FNC1 was forgotten", "]d1010401234567890110ABC", nil, "]d1010401234567890110ABC", "", gs1.CodeNotGS1, "gs1.plain_is_gs1=true"},
		{"a plain PZN", "03752864", nil, "03752864", "", gs1.CodeCheckDigit, "gs1.pzn=true"},
		{"Caps Lock", "+a123bjc5d6e71g", nil, "+a123bjc5d6e71g", "", gs1.CodeCapsLock, "=Caps Lock"},
		{"a TAB at the end", "4012345678901\t", func(s *Scanner) { s.Terminator = EndCR }, "4012345678901␉", "", gs1.CodeNotGS1, "terminator=idle"},
		{"two codes at once", "4012345678901\r4012345678918", func(s *Scanner) { s.Terminator = EndIdle }, "4012345678901␍4012345678918", "", gs1.CodeNotGS1, "terminator=cr"},
		{"seven bits", even("4012345678901"), nil, "", "", gs1.CodeNotGS1, "line=7e1"},
		{"a wrong digit", "4012345678902", nil, "4012345678902", "", gs1.CodeCheckDigit, ""},
		{"a pallet", "]C100012345678901234560", nil, "]C100012345678901234560", "", gs1.CodeNotTradeItem, ""},
		{"a person", "]C18018123456789012345675", nil, "", "", gs1.CodePersonal, ""},
		{"a command", "BL-UNDO", nil, "BL-UNDO", "the command BL-UNDO", "", ""},
		{"nothing", "", nil, "", "", gs1.CodeTooShort, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := DefaultScanner()
			s.Name, s.Station, s.Port, s.For = "front", "front", "COM3", scan.Receive
			if c.profile != nil {
				c.profile(&s)
			}
			r := explain([]byte(c.raw), &s, whole, noon)
			if r.Understood != (c.understood != "") || r.Words != c.understood || r.Code != c.why || (r.Code != "") != (r.Why != "") || c.shown != "" && r.Raw != c.shown {
				t.Errorf("%+v", r)
			}
			first := ""
			for _, g := range r.Suggestions {
				if g.Setting != "" {
					first = g.Setting + "=" + g.Value
					break
				}
				if c.suggestion == "=Caps Lock" && strings.HasPrefix(g.Why, "Caps Lock") {
					first = c.suggestion
				}
			}
			if first != c.suggestion {
				t.Errorf("suggests %q of %+v", first, r.Suggestions)
			}
			// What is suggested does mend it.
			if g := r.Suggestions; len(g) > 0 && strings.HasPrefix(g[0].Setting, "gs1.") && g[0].Value != "dropped" {
				if err := s.set(g[0].Setting, g[0].Value); err != nil {
					t.Fatal(err)
				}
				if after := explain([]byte(c.raw), &s, whole, noon); !after.Understood {
					t.Errorf("after %v still %+v", g[0], after)
				}
			}
		})
	}
}

func FuzzExplain(f *testing.F) {
	for _, s := range []string{"4012345678901", "]d2010401234567890110ABC|21X", "+/EO5232013", "]C18018123456789012345675", even("40123456")} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := DefaultScanner()
		s.Name, s.Port, s.For = "front", "COM3", scan.Receive
		r := explain(raw, &s, whole, noon)
		if r.Understood == (r.Code != "") || r.Code == gs1.CodePersonal && (r.Raw != "" || len(r.Parts) > 0) {
			t.Fatalf("%q: %+v", raw, r)
		}
	})
}
