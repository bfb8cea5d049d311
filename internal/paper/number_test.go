package paper_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"branchline/internal/fault"
	"branchline/internal/paper"
)

func anyNumber(t *rapid.T) paper.Number {
	return paper.NewNumber(rapid.SampledFrom(paper.Kinds).Draw(t, "kind"))
}

// A number is read back however it comes: printed, scanned, typed in haste.
func TestANumberIsReadAsItIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNumber(t)
		for _, text := range []string{string(n), n.String(), n.Barcode(), strings.ToLower(n.String()), " " + strings.ReplaceAll(n.String(), "-", " ") + "\n",
			strings.NewReplacer("0", "O", "1", "l").Replace(string(n)), strings.NewReplacer("1", "I", "2", "Z", "V", "u").Replace(string(n))} {
			if got, err := paper.Parse(text); err != nil || got != n {
				t.Fatalf("%q is %q, %v; not %q", text, got, err, n)
			}
		}
	})
}

// One wrong character, or two neighbours exchanged, is always told.
func TestAMistypedNumberIsTold(t *testing.T) {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXY"
	rapid.Check(t, func(t *rapid.T) {
		n := anyNumber(t)
		b := []byte(n)
		at := rapid.IntRange(0, len(b)-2).Draw(t, "at")
		if rapid.Bool().Draw(t, "exchanged") {
			b[at], b[at+1] = b[at+1], b[at]
		} else {
			b[at] = letters[rapid.IntRange(0, len(letters)-1).Draw(t, "letter")]
		}
		if string(b) == string(n) {
			return
		}
		if got, err := paper.Parse(string(b)); fault.CodeOf(err) != "bad_form_number" {
			t.Fatalf("%s typed as %s is read as %s, %v", n, b, got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("D7K2-M9Q4-X3")
	f.Add("BL-FORM-R000000000")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := paper.Parse(text)
		if (err == nil) != (n.Kind() != "") {
			t.Fatalf("%q: %q, %v", text, n, err)
		}
		if again, no := paper.Parse(n.String()); err == nil && (no != nil || again != n) {
			t.Fatalf("%q is %q, then %q, %v", text, n, again, no)
		}
	})
}
