package keyboard

import (
	"fmt"
	"testing"
)

// A scanner is set to one layout and the PC to another; the page gives what the
// PC makes of the keys, and what a US keyboard would.
func TestCalibrate(t *testing.T) {
	of := func(scanner, pc string) (text, physical string) {
		return mangle(Text, scanner, pc), mangle(Text, scanner, "us")
	}
	cases := map[string]struct {
		scanner, pc, keys string
		problem           string // the first
		mend              string
	}{
		"both are US":                      {"us", "us", "auto", "", "[]"},
		"both are German":                  {"de", "de", "auto", "", "[]"},
		"a US scanner at a German PC":      {"us", "de", "auto", "layout", "[keys=places]"},
		"a US scanner at a French PC":      {"us", "fr", "layout", "layout", "[keys=places]"},
		"the same, mended":                 {"us", "de", "places", "", "[]"},
		"both are German, read by places":  {"de", "de", "places", "layout", "[keys=layout]"},
		"both are US, read by places":      {"us", "us", "places", "", "[keys=auto]"},
		"a German scanner at a US PC":      {"de", "us", "auto", "layout", "[]"},
		"a German scanner at a French one": {"de", "fr", "auto", "layout", "[]"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text, physical := of(c.scanner, c.pc)
			f, mend := Calibrate(text, physical, c.keys)
			problem, list := "", []string{}
			if len(f.Problems) > 0 {
				problem = f.Problems[0].Code
			}
			for _, m := range mend {
				list = append(list, m.Name+"="+m.Value)
			}
			if !f.Recognised || problem != c.problem || fmt.Sprint(list) != c.mend {
				t.Errorf("%+v, mend %v; want %q and %s", f, list, c.problem, c.mend)
			}
		})
	}
	if f, mend := Calibrate("]d20104012345678901", "]d20104012345678901", "auto"); f.Recognised || mend != nil {
		t.Errorf("a product is taken for it: %+v %v", f, mend)
	}
	sub := Text[:len(digits+letters)] + "|" + Text[len(digits+letters)+1:]
	if f, mend := Calibrate(sub, sub, "auto"); !f.Has("separator_substitute") || len(mend) != 1 || mend[0] != (Setting{"gs1.substitute", "|", mend[0].Why}) {
		t.Errorf("%+v %v", f, mend)
	}
}
