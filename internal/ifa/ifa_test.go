package ifa_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"branchline/internal/fault"
	"branchline/internal/gs1"
	"branchline/internal/ifa"
)

var now = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// spell writes GS as ~, as tests are read.
func spell(s string) string { return strings.ReplaceAll(s, "~", "\x1d") }

func envelope(data string) string { return "[)>\x1e06\x1d" + spell(data) + "\x1e\x04" }

func read(s string) string {
	e, err := ifa.Open(s)
	if err == nil && e.Format == "06" {
		var c ifa.Code
		if c, err = ifa.Parse(e.Data, now); err == nil {
			return fmt.Sprintf("ppn=%s pzn=%s gtin=%s lot=%s serial=%s expiry=%04d-%02d-%02d others=%d",
				c.PPN, c.PZN(), c.GTIN, c.Lot, c.Serial, c.Expiry.Year, c.Expiry.Month, c.Expiry.Day, len(c.Other))
		}
	}
	if err == nil {
		return "format " + e.Format
	}
	if fault.ClassOf(err) != fault.Data || fault.HintOf(err) == "" {
		return "helps nobody: " + err.Error()
	}
	return fault.CodeOf(err)
}

// 110375286414 is the example of IFA's specification.
func TestEnvelopes(t *testing.T) {
	const ppn = "9N110375286414"
	cases := []struct{ name, code, want string }{
		{"all of a pack", envelope(ppn + "~1T12345ABCDE~D280700~S12345ABCDEF98765"),
			"ppn=110375286414 pzn=03752864 gtin= lot=12345ABCDE serial=12345ABCDEF98765 expiry=2028-07-31 others=0"},
		{"with its GTIN", envelope(ppn + "~8P04150037528643~D280215"), "ppn=110375286414 pzn=03752864 gtin=04150037528643 lot= serial= expiry=2028-02-15 others=0"},
		{"another agency", envelope("9N13ABC12" + "03"), "check_digit"},
		{"a price beside it", envelope(ppn + "~27Q1250~1TL1"), "ppn=110375286414 pzn=03752864 gtin= lot=L1 serial= expiry=0000-00-00 others=1"},
		{"a GTIN alone", envelope("8P04150037528643"), "ppn= pzn= gtin=04150037528643 lot= serial= expiry=0000-00-00 others=0"},
		{"no EOT", strings.TrimSuffix(envelope(ppn), "\x04"), "ppn=110375286414 pzn=03752864 gtin= lot= serial= expiry=0000-00-00 others=0"},
		{"format 05", "[)>\x1e05\x1d0104150037528643\x1e\x04", "format 05"},

		{"cut short", strings.TrimSuffix(envelope(ppn), "\x1e\x04"), gs1.CodeTooShort},
		{"two messages", "[)>\x1e06\x1d" + ppn + "\x1e06\x1d1TA\x1e\x04", gs1.CodeAmbiguous},
		{"no control characters", "[)>06" + ppn + "1TABC", gs1.CodeMissingSeparator},
		{"no GS", "[)>\x1e06" + ppn + "\x1e\x04", gs1.CodeMissingSeparator},
		{"wrong check digits", envelope("9N110375286415"), gs1.CodeCheckDigit},
		{"two digits exchanged", envelope("9N110375826414"), gs1.CodeCheckDigit},
		{"a short PPN", envelope("9N1114"), gs1.CodeWrongLength},
		{"small letters", envelope("9N11abc"), gs1.CodeBadCharacter},
		{"wrong GTIN", envelope(ppn + "~8P04150037528644"), gs1.CodeCheckDigit},
		{"month 13", envelope(ppn + "~D281300"), gs1.CodeImpossibleDate},
		{"30 February", envelope(ppn + "~D280230"), gs1.CodeImpossibleDate},
		{"a date with letters", envelope(ppn + "~D28O230"), gs1.CodeImpossibleDate},
		{"a lot of 21", envelope(ppn + "~1T" + strings.Repeat("1", 21)), gs1.CodeTooLong},
		{"a lot with a space", envelope(ppn + "~1TA B"), gs1.CodeBadCharacter},
		{"an empty lot", envelope(ppn + "~1T~S1"), gs1.CodeTooShort},
		{"two lots", envelope(ppn + "~1TA~1TB"), gs1.CodeConflict},
		{"another lot", envelope(ppn + "~1TA~2TB"), gs1.CodeUnknownAI},
		{"another product", envelope(ppn + "~1PX1"), gs1.CodeUnknownAI},
		{"a quantity", envelope(ppn + "~Q10"), gs1.CodeAmbiguous},
		{"a person", envelope(ppn + "~1HSMITH"), gs1.CodePersonal},
		{"a person behind a wrong lot", envelope(ppn + "~1TA B~1HSMITH"), gs1.CodePersonal},
		{"no identifier", envelope(ppn + "~12345"), gs1.CodeUnknownAI},
		{"no product", envelope("1TA"), gs1.CodeNotTradeItem},
		{"nothing", envelope(""), gs1.CodeTooShort},
		{"no header", "06\x1d" + ppn, gs1.CodeScheme},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := read(c.code); got != c.want {
				t.Errorf("%q\n got %s\nwant %s", c.code, got, c.want)
			}
		})
	}
}

func TestPZN(t *testing.T) {
	cases := []struct{ name, code, want string }{
		{"eight digits", "-03752864", "03752864"},
		{"seven digits", "-3752864", "03752864"},
		{"wrong", "-03752865", gs1.CodeCheckDigit},
		{"exchanged", "-03758264", gs1.CodeCheckDigit},
		{"nine digits", "-037528641", gs1.CodeWrongLength},
		{"six digits", "-375286", gs1.CodeWrongLength},
		{"a letter", "-0375286A", gs1.CodeBadCharacter},
		{"no minus", "03752864", gs1.CodeScheme},
		{"zeros", "-00000000", gs1.CodeImpossibleValue},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := ifa.ParseCode39(c.code)
			if err != nil {
				got = fault.CodeOf(err)
			}
			if got != c.want {
				t.Errorf("%s gives %s, want %s", c.code, got, c.want)
			}
		})
	}
}

// A wrong digit, or two that changed places, is always noticed.
func TestOneWrongDigitIsNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(rapid.StringMatching(`[0-9]{7}`).Draw(t, "number"))
		sum := 0
		for i, c := range b {
			sum += int(c-'0') * (i + 1)
		}
		if sum%11 == 10 || sum == 0 {
			t.Skip("not given out")
		}
		pzn := string(append(b, byte('0'+sum%11)))
		if got, err := ifa.NormalizePZN(pzn); err != nil || got != pzn {
			t.Fatalf("%s: %s, %v", pzn, got, err)
		}
		wrong := []byte(pzn)
		i := rapid.IntRange(0, 7).Draw(t, "at")
		if i < 7 && rapid.Bool().Draw(t, "exchange") {
			wrong[i], wrong[i+1] = wrong[i+1], wrong[i]
		} else {
			wrong[i] = byte('0' + rapid.IntRange(0, 9).Draw(t, "to"))
		}
		if _, err := ifa.NormalizePZN(string(wrong)); err == nil && string(wrong) != pzn {
			t.Fatalf("%s for %s was not noticed", wrong, pzn)
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add(envelope("9N110375286414~1T12345ABCDE~D280700~S12345ABCDEF98765"))
	f.Add(envelope("9N110375286414~Q1~27Q12"))
	f.Add("[)>\x1e05\x1d01\x1e\x04")
	f.Add("-3752864")
	f.Fuzz(func(t *testing.T, s string) {
		_, _ = ifa.ParseCode39(s)
		if got := read(s); strings.HasPrefix(got, "helps nobody") {
			t.Fatal(got)
		}
		if e, err := ifa.Open(s); err == nil {
			if c, err := ifa.Parse(e.Data, now); err == nil && (c.PPN == "" && c.GTIN == "" || len(c.Lot) > 20 || len(c.Serial) > 20) {
				t.Fatalf("%q was read as %+v", s, c)
			}
		}
	})
}
