package gs1

import "testing"

// The prefixes whose elements need no separator are fixed by GS1 for ever
// (General Specifications 7.8.5): the table must agree with each of them.
func TestPredefinedLengthsAreThoseOfGS1(t *testing.T) {
	lengths := map[string]int{
		"00": 18, "01": 14, "02": 14, "03": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2,
		"31": 6, "32": 6, "33": 6, "34": 6, "35": 6, "36": 6, "41": 13,
	}
	seen := map[string]bool{}
	for _, p := range byPrefix {
		for _, d := range p.defs {
			if d == nil {
				continue
			}
			want, is := lengths[d.ai[:2]]
			if d.is(predefined) != is {
				t.Errorf("%s: predefined is %v", d.ai, d.is(predefined))
			}
			if is && (d.min != want || d.max != want) {
				t.Errorf("%s: %d to %d characters, want %d", d.ai, d.min, d.max, want)
			}
			if d.min < 1 || d.max > longestVariable || d.title == "" {
				t.Errorf("%s: %d to %d characters, title %q", d.ai, d.min, d.max, d.title)
			}
			seen[d.ai[:2]] = true
		}
	}
	for prefix := range lengths {
		if !seen[prefix] {
			t.Errorf("no identifier starts %s", prefix)
		}
	}
}

func TestTitles(t *testing.T) {
	for ai, want := range map[string]string{
		"10": "BATCH/LOT", "3103": "NET WEIGHT (kg)", "99": "INTERNAL", "7003": "EXPIRY TIME",
		"04": "", "3106": "", "1": "", "101": "", "x0": "", "": "",
	} {
		if got := Title(ai); got != want {
			t.Errorf("%q is %q, want %q", ai, got, want)
		}
	}
}

func TestSetsHaveAsManyCharactersAsTheirNames(t *testing.T) {
	for want, set := range map[int]*[256]bool{10: digits, 82: set82, 39: set39, 65: set64} {
		n := 0
		for _, in := range set {
			if in {
				n++
			}
		}
		if n != want {
			t.Errorf("%d characters, want %d", n, want)
		}
	}
	if len(order82) != 82 || len(alphabet) != 32 {
		t.Errorf("check characters: %d and %d", len(order82), len(alphabet))
	}
}
