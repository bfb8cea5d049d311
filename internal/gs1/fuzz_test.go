package gs1

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/internal/fault"
)

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("../../testdata/scans/*.txt")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if scan, ok := strings.CutPrefix(line, "scan: "); ok {
				scan = strings.NewReplacer("<GS>", GS, "<TAB>", "\t", "\n", "").Replace(scan)
				f.Add(scan, "", uint8(0), 2026)
				f.Add(scan, "|", uint8(1), 1999)
				f.Add(scan, "#", uint8(2+4+8), 2051)
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw, substitute string, setting uint8, year int) {
		if year < 0 || year > 9999 {
			return
		}
		p := Profile{
			Substitute: substitute, Separators: Separators(setting & 3),
			PlainIsGS1: setting&4 != 0, PZN: setting&8 != 0, SubstituteInData: setting&16 != 0,
		}
		now := time.Date(year, 6, 15, 0, 0, 0, 0, time.UTC)
		c, err := Parse(raw, p, now)
		if err != nil {
			f, ok := err.(*fault.Error)
			if !ok || f.Code == "" || f.Message == "" || f.Hint == "" && f.Class == fault.Data {
				t.Fatalf("an error that helps nobody: %#v", err)
			}
			if c.Raw != "" || c.Elements != nil {
				t.Fatalf("refused, and yet read as %+v", c)
			}
			return
		}
		checkAccepted(t, c, raw, now)
	})
}

func checkAccepted(t *testing.T, c Code, raw string, now time.Time) {
	if len(raw) > MaxLength || c.Raw != raw {
		t.Fatalf("%q became %q", raw, c.Raw)
	}
	if c.Form == FormNumber {
		if g, err := NormalizeGTIN(c.GTIN()); err != nil || g != c.GTIN() || len(c.Elements) != 0 {
			t.Fatalf("%q: number %q, %v", raw, c.GTIN(), err)
		}
		return
	}
	if len(c.Elements) == 0 {
		t.Fatalf("%q was read as nothing", raw)
	}
	for i, e := range c.Elements {
		d := lookup(e.AI)
		if d == nil || d.ai != e.AI {
			t.Fatalf("%q: no identifier %q", raw, e.AI)
		}
		if flaw := d.flaw(e.Value, now.Year()); flaw != "" {
			t.Fatalf("%q: %s holds %q: %s", raw, e.AI, e.Value, flaw)
		}
		for j := range e.Value {
			if !set82[e.Value[j]] && !set39[e.Value[j]] {
				t.Fatalf("%q: %s holds %q", raw, e.AI, e.Value)
			}
		}
		for _, other := range c.Elements[:i] {
			if other.AI == e.AI {
				t.Fatalf("%q: %s twice", raw, e.AI)
			}
		}
	}
	again, err := Parse("]d2"+Encode(c.Elements...), Profile{Separators: SeparatorsProved}, now)
	if err != nil || !slices.Equal(again.Elements, c.Elements) {
		t.Fatalf("%q read as %q, which reads as %q, %v", raw, c.Elements, again.Elements, err)
	}
	if d, ok := c.Expiry(); ok {
		if o, _ := again.Expiry(); o != d || d.Day < 1 || d.Day > daysIn(d.Year, d.Month) || len(d.Raw) != 6 {
			t.Fatalf("%q: expiry %+v, then %+v", raw, d, o)
		}
	}
}
