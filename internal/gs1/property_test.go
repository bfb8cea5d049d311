package gs1

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var clock = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// chars draws n characters of a set.
func chars(t *rapid.T, set *[256]bool, n int) string {
	var all []byte
	for i := range set {
		if set[i] {
			all = append(all, byte(i))
		}
	}
	return string(rapid.SliceOfN(rapid.SampledFrom(all), n, n).Draw(t, "chars"))
}

// drawValue makes valid data for an identifier, from its definition alone.
func drawValue(t *rapid.T, d *definition) string {
	var b strings.Builder
	for i := range d.components {
		c := &d.components[i]
		if c.optional && rapid.Bool().Draw(t, "left out") {
			break
		}
		n := rapid.IntRange(c.min, c.max).Draw(t, "length")
		b.WriteString(drawPart(t, c, n))
	}
	return b.String()
}

func drawPart(t *rapid.T, c *component, n int) string {
	twoDigits := func(low, high int) string {
		v := rapid.IntRange(low, high).Draw(t, "two digits")
		return string([]byte{byte('0' + v/10), byte('0' + v%10)})
	}
	switch c.check {
	case checkDigit:
		payload := "1" + chars(t, digits, n-2)
		last, _ := CheckDigit(payload)
		return payload + string(last)
	case checkCharacters:
		payload := chars(t, c.set, max(n, 3)-2)
		first, second := checkPair(payload)
		return payload + string([]byte{first, second})
	case checkDate:
		return twoDigits(0, 99) + twoDigits(1, 12) + twoDigits(1, 28)
	case checkDateDay0:
		return twoDigits(0, 99) + twoDigits(1, 12) + twoDigits(0, 28)
	case checkTime:
		return twoDigits(0, 23) + twoDigits(0, 59)
	case checkHour:
		return twoDigits(0, 23)
	case checkMinute:
		return twoDigits(0, 59)
	case checkZero:
		return strings.Repeat("0", n)
	case checkPiece:
		total := rapid.IntRange(1, 99).Draw(t, "total")
		piece := rapid.IntRange(1, total).Draw(t, "piece")
		return string([]byte{byte('0' + piece/10), byte('0' + piece%10), byte('0' + total/10), byte('0' + total%10)})
	case checkHyphen:
		return "-"
	}
	return chars(t, c.set, n)
}

// tradeItem lists all identifiers that are read.
func tradeItem() (all []*definition) {
	for _, p := range byPrefix {
		for _, d := range p.defs {
			if d != nil && !d.is(personal|noItem) {
				all = append(all, d)
			}
		}
	}
	return all
}

// drawElements makes elements that may stand in one code: no identifier twice,
// no barred pair, no two expiry dates.
func drawElements(t *rapid.T, from []*definition, low, high int) (out []Element) {
	var present uint16
	defs := rapid.SliceOfNDistinct(rapid.SampledFrom(from), low, high, func(d *definition) string { return d.ai }).Draw(t, "identifiers")
	for _, d := range defs {
		if present&d.bars != 0 || (d.ai == "17" || d.ai == "7003") && hasAI(out, "17", "7003") {
			continue
		}
		present |= d.bit
		out = append(out, Element{d.ai, drawValue(t, d)})
	}
	return out
}

func hasAI(elements []Element, ais ...string) bool {
	return slices.ContainsFunc(elements, func(e Element) bool { return slices.Contains(ais, e.AI) })
}

func TestWhatIsEncodedIsReadBack(t *testing.T) {
	all := tradeItem()
	rapid.Check(t, func(t *rapid.T) {
		want := drawElements(t, all, 1, 8)
		s := Encode(want...)
		if len(s) > MaxLength {
			t.Skip("longer than any code")
		}
		c, err := Parse("]d2"+s, Profile{Separators: SeparatorsProved}, clock)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if !slices.Equal(c.Elements, want) {
			t.Fatalf("%q became %q", s, c.Elements)
		}
	})
}

func TestEverySubstituteReadsLikeGS(t *testing.T) {
	all := tradeItem()
	rapid.Check(t, func(t *rapid.T) {
		want := drawElements(t, all, 1, 5)
		substitute := rapid.SampledFrom([]string{"|", "^", "~", "{GS}", "\t", `\x1d`}).Draw(t, "substitute")
		s := Encode(want...)
		if len(s) > MaxLength/4 {
			t.Skip("longer than any code")
		}
		c, err := Parse("]d2"+strings.ReplaceAll(s, GS, substitute), Profile{Substitute: substitute, Separators: SeparatorsProved}, clock)
		if err != nil || !slices.Equal(c.Elements, want) {
			t.Fatalf("%q with %q became %q, %v", s, substitute, c.Elements, err)
		}
	})
}

func TestOrderOfElementsDoesNotMatter(t *testing.T) {
	var fixed []*definition
	for _, d := range tradeItem() {
		if d.is(predefined) {
			fixed = append(fixed, d)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		elements := drawElements(t, fixed, 2, 8)
		shuffled := rapid.Permutation(elements).Draw(t, "order")
		a, errA := Parse("]C1"+Encode(elements...), Profile{}, clock)
		b, errB := Parse("]C1"+Encode(shuffled...), Profile{}, clock)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		for _, e := range a.Elements {
			if v, ok := b.Element(e.AI); !ok || v != e.Value {
				t.Fatalf("%s is %q in one order and %q in the other", e.AI, e.Value, v)
			}
		}
		if len(a.Elements) != len(b.Elements) {
			t.Fatalf("%q and %q", a.Elements, b.Elements)
		}
	})
}

// A lost separator must never give a code that differs from the one printed.
func TestLostSeparatorIsNeverReadWrong(t *testing.T) {
	var health []*definition
	for _, d := range tradeItem() {
		switch d.ai {
		case "01", "10", "17", "21", "11", "30", "240", "710", "7003":
			health = append(health, d)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		elements := drawElements(t, health, 2, 5)
		s := Encode(elements...)
		if !strings.Contains(s, GS) {
			t.Skip("no separator to lose")
		}
		s = strings.ReplaceAll(s, GS, "")
		for _, separators := range []Separators{SeparatorsUnproved, SeparatorsDropped} {
			if c, err := Parse("]d2"+s, Profile{Separators: separators}, clock); err == nil && !slices.Equal(c.Elements, elements) {
				t.Fatalf("%q of %q was read as %q", s, elements, c.Elements)
			}
		}
	})
}

// On a scanner that drops separators no pair of elements of the whole table
// may melt into one.
func TestDroppedSeparatorOfAnyPair(t *testing.T) {
	all := tradeItem()
	rapid.Check(t, func(t *rapid.T) {
		elements := drawElements(t, all, 2, 2)
		s := Encode(elements...)
		if !strings.Contains(s, GS) {
			t.Skip("no separator to lose")
		}
		s = strings.ReplaceAll(s, GS, "")
		if c, err := Parse("]d2"+s, Profile{Separators: SeparatorsDropped}, clock); err == nil {
			t.Fatalf("%q of %q was read as %q", s, elements, c.Elements)
		}
	})
}

func TestCheckDigitFindsEveryWrongDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := chars(t, digits, rapid.SampledFrom([]int{7, 11, 12, 13, 17}).Draw(t, "length"))
		last, ok := CheckDigit(payload)
		if !ok {
			t.Fatal(payload)
		}
		s := []byte(payload + string(last))
		if !ValidCheckDigit(string(s)) {
			t.Fatalf("%s is refused", s)
		}
		at := rapid.IntRange(0, len(s)-1).Draw(t, "position")
		s[at] = '0' + (s[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "error")))%10
		if ValidCheckDigit(string(s)) {
			t.Fatalf("%s with a wrong digit at %d is accepted", s, at)
		}
	})
}

func TestGTINIsTheSameWithOrWithoutItsZeros(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := "1" + chars(t, digits, 6)
		last, _ := CheckDigit(payload)
		short := payload + string(last)
		want, err := NormalizeGTIN(short)
		if err != nil || len(want) != 14 {
			t.Fatal(want, err)
		}
		for _, n := range []int{12, 13, 14} {
			got, err := NormalizeGTIN(strings.Repeat("0", n-8) + short)
			if err != nil || got != want {
				t.Fatalf("%s with %d digits is %s, %v; want %s", short, n, got, err, want)
			}
		}
	})
}

func TestYearsStayInTheirWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := rapid.IntRange(1950, 2250).Draw(t, "now")
		yy := rapid.IntRange(0, 99).Draw(t, "yy")
		y := fullYear(yy, now)
		if y%100 != yy || y > now+50 || y < now-49 {
			t.Fatalf("%02d in %d is %d", yy, now, y)
		}
	})
}
