package trust_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"branchline/internal/fault"
	"branchline/internal/trust"
)

const pin = trust.Pin("0123456789ABCDEFGHJKMNPQRS")

// A code survives every way in which people write it down.
func TestACodeIsReadAsPeopleTypeIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := trust.NewCode(pin)
		var b strings.Builder
		for _, r := range c.Reveal() {
			switch rapid.IntRange(0, 6).Draw(t, "how") {
			case 0:
				r = []rune(strings.ToLower(string(r)))[0]
			case 1:
				b.WriteString(rapid.SampledFrom([]string{" ", "-", "\t", "\n", " - "}).Draw(t, "between"))
			case 2:
				if i := strings.IndexRune("01", r); i >= 0 {
					r = []rune{rapid.SampledFrom([]rune("oO")).Draw(t, "zero"), rapid.SampledFrom([]rune("iIlL")).Draw(t, "one")}[i]
				}
			}
			b.WriteRune(r)
		}
		got, err := trust.ParseCode(b.String())
		if err != nil || got != c {
			t.Fatalf("%q: %v", b.String(), err)
		}
	})
}

// One wrong character, or two neighbours swapped, always shows.
func TestAMistypedCodeIsRefused(t *testing.T) {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(strings.ReplaceAll(trust.NewCode(pin).Reveal(), "-", ""))
		right := string(text)
		i := rapid.IntRange(2, len(text)-2).Draw(t, "place")
		if rapid.Bool().Draw(t, "swap") {
			text[i], text[i+1] = text[i+1], text[i]
		} else {
			text[i] = rapid.SampledFrom([]byte(alphabet)).Draw(t, "character")
		}
		if string(text) == right {
			return
		}
		// Twenty bits of check: one in a million of all mistakes passes.
		if _, err := trust.ParseCode(string(text)); fault.CodeOf(err) != "bad_code" {
			t.Fatalf("%s is taken for %s: %v", text, right, err)
		}
	})
}

func TestACodeDoesNotPrint(t *testing.T) {
	c := trust.NewCode(pin)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "code", c, "secret", c.Secret)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(text) + fmt.Sprintf("%v %+v %#v %s %v %#v", c, c, c, c, c.Secret, c.Secret)
	if strings.Contains(all, c.Secret.Reveal()) || len(c.Secret.Reveal()) != 20 {
		t.Errorf("the secret stands in %s", all)
	}
}

func TestCodesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		seen[trust.NewCode(pin).Secret.Reveal()] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d of 1000 secrets differ", len(seen))
	}
}

func FuzzParseCode(f *testing.F) {
	f.Add(trust.NewCode(pin).Reveal())
	for _, s := range []string{"", "BL", "bl-00000", strings.Repeat("B1", 200), "ß" + strings.Repeat("0", 52), "BL" + strings.Repeat("\xff", 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := trust.ParseCode(s)
		if err != nil {
			if fault.CodeOf(err) != "bad_code" || len(err.Error()) > 300 {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := trust.ParseCode(c.Reveal())
		if err != nil || again != c {
			t.Fatalf("%q reads as %s, which does not read as itself: %v", s, c.Reveal(), err)
		}
	})
}
