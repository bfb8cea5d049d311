package hibc_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"branchline/internal/fault"
	"branchline/internal/gs1"
	"branchline/internal/hibc"
)

var now = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func words(c hibc.Code) string {
	day := func(d gs1.Date) string {
		if d.Month == 0 {
			return "-"
		}
		return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
	}
	q := "-"
	if c.HasQuantity {
		q = fmt.Sprint(c.Quantity)
	}
	return fmt.Sprintf("%s lot=%s serial=%s expiry=%s made=%s quantity=%s", c.Product(), c.Lot, c.Serial, day(c.Expiry), day(c.Made), q)
}

func checked(s string) string {
	c, ok := hibc.CheckCharacter(s)
	if !ok {
		panic(s)
	}
	return s + string(c)
}

// The codes marked with a figure stand in ANSI/HIBC 2.6 as they are here.
func TestCodes(t *testing.T) {
	const p = "+A99912345"
	cases := []struct{ name, code, want string }{
		{"a primary, figure 1", "+A123BJC5D6E71G", "+A123BJC5D6E71 lot= serial= expiry=- made=- quantity=-"},
		{"a secondary, figure 5", "+$$52001510X3GD", " lot=10X3 serial= expiry=2020-01-15 made=- quantity=-"},
		{"both, 2.2.1.1", "+A99912345/$$52001510X33", p + " lot=10X3 serial= expiry=2020-01-15 made=- quantity=-"},
		{"manufacture and serial", "+A99912345/$$52001510X3/16D20111212/S77DEFG457", p + " lot=10X3 serial=77DEFG45 expiry=2020-01-15 made=2011-12-12 quantity=-"},
		{"as it is printed", "*+A123BJC5D6E71G*", "+A123BJC5D6E71 lot= serial= expiry=- made=- quantity=-"},
		{"month and year", checked(p + "/$$0728L1"), p + " lot=L1 serial= expiry=2028-07-31 made=- quantity=-"},
		{"February of a leap year", checked(p + "/$$0228L1"), p + " lot=L1 serial= expiry=2028-02-29 made=- quantity=-"},
		{"MMDDYY", checked(p + "/$$2071528L1"), p + " lot=L1 serial= expiry=2028-07-15 made=- quantity=-"},
		{"YYMMDD", checked(p + "/$$3280715L1"), p + " lot=L1 serial= expiry=2028-07-15 made=- quantity=-"},
		{"YYMMDDHH", checked(p + "/$$428071523L1"), p + " lot=L1 serial= expiry=2028-07-15 made=- quantity=-"},
		{"YYJJJ", checked(p + "/$$528366L1"), p + " lot=L1 serial= expiry=2028-12-31 made=- quantity=-"},
		{"YYJJJHH", checked(p + "/$$62836600L1"), p + " lot=L1 serial= expiry=2028-12-31 made=- quantity=-"},
		{"YYJJJ without a flag", checked(p + "/28001L1"), p + " lot=L1 serial= expiry=2028-01-01 made=- quantity=-"},
		{"no date", checked(p + "/$$7L1"), p + " lot=L1 serial= expiry=- made=- quantity=-"},
		{"a lot alone", checked(p + "/$L1"), p + " lot=L1 serial= expiry=- made=- quantity=-"},
		{"a serial alone", checked(p + "/$+S1"), p + " lot= serial=S1 expiry=- made=- quantity=-"},
		{"a serial with date", checked(p + "/$$+3280715S1"), p + " lot= serial=S1 expiry=2028-07-15 made=- quantity=-"},
		{"a serial without date", checked(p + "/$$+7S1"), p + " lot= serial=S1 expiry=- made=- quantity=-"},
		{"quantity of two digits", checked(p + "/$$820" + "0728L1"), p + " lot=L1 serial= expiry=2028-07-31 made=- quantity=20"},
		{"quantity of five digits", checked(p + "/$$900100" + "3280715L1"), p + " lot=L1 serial= expiry=2028-07-15 made=- quantity=100"},
		{"quantity alone", checked(p + "/$$820"), p + " lot= serial= expiry=- made=- quantity=20"},
		{"a date without lot", checked(p + "/$$0728"), p + " lot= serial= expiry=2028-07-31 made=- quantity=-"},
		{"fields only", checked(p + "/14D20280715/Q12"), p + " lot= serial= expiry=2028-07-15 made=- quantity=12"},
		{"the same twice", checked(p + "/$$3280715L1/14D20280715"), p + " lot=L1 serial= expiry=2028-07-15 made=- quantity=-"},
		{"variable quantity", checked("+A99912349/$$820"), "+A99912349 lot= serial= expiry=- made=- quantity=20"},

		{"wrong check character", "+A123BJC5D6E71H", gs1.CodeCheckDigit},
		{"a character that got lost", "+A123BJC5D6E1G", gs1.CodeCheckDigit},
		{"small letters", "+a123bjc5d6e71g", gs1.CodeCapsLock},
		{"a character of no code", "+A123BJ_5D6E71G", gs1.CodeBadCharacter},
		{"a provider's code", "+/EO5232013", gs1.CodePersonal},
		{"no product number", checked("+A9991"), gs1.CodeTooShort},
		{"a long product number", checked("+A999" + strings.Repeat("1", 20)), gs1.CodeTooLong},
		{"no unit of measure", checked("+A9991234X"), gs1.CodeBadCharacter},
		{"a labeler with a sign", checked("+A-9912345"), gs1.CodeBadCharacter},
		{"month 13", checked(p + "/$$1328L1"), gs1.CodeImpossibleDate},
		{"day 366 of a short year", checked(p + "/$$527366L1"), gs1.CodeImpossibleDate},
		{"day 000", checked(p + "/$$527000L1"), gs1.CodeImpossibleDate},
		{"30 February", checked(p + "/$$3280230L1"), gs1.CodeImpossibleDate},
		{"hour 24", checked(p + "/$$428071524L1"), gs1.CodeImpossibleDate},
		{"half a date", checked(p + "/$$32807"), gs1.CodeTooShort},
		{"half a quantity", checked(p + "/$$8A"), gs1.CodeTooShort},
		{"a lot with a sign", checked(p + "/$L-1"), gs1.CodeBadCharacter},
		{"a long lot", checked(p + "/$" + strings.Repeat("L", 19)), gs1.CodeTooLong},
		{"two serials", checked(p + "/$+S1/SS2"), gs1.CodeConflict},
		{"two expiries", checked(p + "/$$3280715L1/14D20280716"), gs1.CodeConflict},
		{"two quantities", checked(p + "/$$820/Q21"), gs1.CodeConflict},
		{"a serial for many", checked(p + "/$$+8200728S1"), gs1.CodeConflict},
		{"an unknown field", checked(p + "/X1"), gs1.CodeUnknownAI},
		{"an empty field", checked(p + "/"), gs1.CodeUnknownAI},
		{"an empty serial", checked(p + "/S"), gs1.CodeTooShort},
		{"any number, and not how many", checked("+A99912349"), "quantity_missing"},
		{"nothing", "", gs1.CodeScheme},
		{"a plus", "+", gs1.CodeTooShort},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			code, err := hibc.Parse(c.code, now)
			got := words(code)
			if err != nil {
				got = fault.CodeOf(err)
				if fault.ClassOf(err) != fault.Data || fault.HintOf(err) == "" {
					t.Errorf("helps nobody: %v", err)
				}
			}
			if got != c.want {
				t.Errorf("%q\n got %s\nwant %s (%v)", c.code, got, c.want, err)
			}
		})
	}
	if _, err := hibc.Parse("+/EO5232013", now); strings.Contains(err.Error(), "523") {
		t.Errorf("a person's data in the error: %v", err)
	}
}

// One wrong character is always noticed.
func TestOneWrongCharacterIsNoticed(t *testing.T) {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
	rapid.Check(t, func(t *rapid.T) {
		code := checked("+" + rapid.StringMatching(`[A-Z][A-Z0-9]{3}[A-Z0-9]{1,18}[0-8]`).Draw(t, "primary") +
			"/$$3" + rapid.StringMatching(`2[0-9](0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[A-Z0-9]{0,18}`).Draw(t, "secondary"))
		c, err := hibc.Parse(code, now)
		if err != nil || !strings.HasPrefix(code, c.Product()+"/$$3"+c.Expiry.Raw+c.Lot) {
			t.Fatalf("%s: %+v, %v", code, c, err)
		}
		i := rapid.IntRange(1, len(code)-1).Draw(t, "at")
		b := []byte(code)
		b[i] = alphabet[rapid.IntRange(0, 42).Draw(t, "to")]
		if got, err := hibc.Parse(string(b), now); string(b) != code && err == nil {
			t.Fatalf("%s was read as %+v", b, got)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"+A123BJC5D6E71G", "+$$52001510X3GD", "+A99912345/$$52001510X3/16D20111212/S77DEFG457", "+/EO5232013", "*+*", "+$$", "+0"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, repair bool) {
		if c, ok := hibc.CheckCharacter(s); ok && repair {
			s += string(c)
		}
		c, err := hibc.Parse(s, now)
		if err != nil {
			if fault.ClassOf(err) != fault.Data || fault.HintOf(err) == "" {
				t.Fatalf("helps nobody: %v", err)
			}
			if c != (hibc.Code{}) {
				t.Fatalf("refused, and yet %+v", c)
			}
			return
		}
		if len(c.Lot) > 18 || len(c.Serial) > 18 || c.Product() == "" && c.Link == 0 || c.Quantity > 99999 {
			t.Fatalf("%q was read as %+v", s, c)
		}
	})
}
