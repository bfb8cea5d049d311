package scan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/gs1"
	"branchline/internal/hibc"
)

var at = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func hibcCode(s string) string {
	c, ok := hibc.CheckCharacter(s)
	if !ok {
		panic(s)
	}
	return s + string(c)
}

// spelled writes control characters as people name them.
var spelled = strings.NewReplacer("<GS>", "\x1d", "<RS>", "\x1e", "<EOT>", "\x04")

const (
	ppnPack = "[)><RS>06<GS>9N110375286414<GS>1TL1<GS>D280700<GS>SX9<RS><EOT>"
	hibcOne = "+A99912345"
)

// Which standard a code is read by, and what it says. "standard: item" or
// "standard! reason".
func TestRead(t *testing.T) {
	pzn := gs1.Profile{PZN: true}
	bar := gs1.Profile{Substitute: "|"}
	cases := []struct {
		name, code string
		profile    gs1.Profile
		want       string
	}{
		{"GS1", "]d2010401234567890110A<GS>21S", gs1.Profile{}, `GS1: GTIN 04012345678901 lot "A" serial "S"`},
		{"EAN", "4012345678901", gs1.Profile{}, "GS1: GTIN 04012345678901"},
		{"a French CIP is an EAN", "3400930000014", gs1.Profile{}, "GS1: GTIN 03400930000014"},
		{"PPN", ppnPack, gs1.Profile{}, `PPN: PZN 03752864 lot "L1" serial "X9" 2028-07-31`},
		{"PPN behind its identifier", "]d1" + ppnPack, gs1.Profile{}, `PPN: PZN 03752864 lot "L1" serial "X9" 2028-07-31`},
		{"PPN in what must be GS1", "]d2" + ppnPack, gs1.Profile{}, "GS1! unknown_ai"},
		{"PPN with a substitute", strings.ReplaceAll(ppnPack, "<GS>", "|"), bar, `PPN: PZN 03752864 lot "L1" serial "X9" 2028-07-31`},
		{"PPN without control characters", "[)>069N110375286414", gs1.Profile{}, "PPN! missing_separator"},
		{"GS1 in an envelope", "[)><RS>05<GS>0104012345678901" + "10A<GS>21S<RS><EOT>", gs1.Profile{}, `GS1: GTIN 04012345678901 lot "A" serial "S"`},
		{"format 07 in an envelope", "[)><RS>07<GS>X<RS><EOT>", gs1.Profile{}, "PPN! scheme_not_supported"},
		{"PZN", "-03752864", gs1.Profile{}, "PZN: PZN 03752864"},
		{"PZN of seven digits", "]A0-3752864", gs1.Profile{}, "PZN: PZN 03752864"},
		{"PZN in Code 39 with check", "]A1-03752864", gs1.Profile{}, "PZN: PZN 03752864"},
		{"PZN that is wrong", "-03752865", gs1.Profile{}, "PZN! check_digit"},
		{"PZN in an EAN symbol", "]E0-03752864", gs1.Profile{}, "GS1! bad_character"},
		{"a plain PZN where there are some", "03752864", pzn, "PZN: PZN 03752864"},
		{"a plain PZN where there are none", "03752864", gs1.Profile{}, "GS1! check_digit"},
		{"eight digits that are both", "40000091", pzn, "GS1! ambiguous"},
		{"HIBC", hibcCode(hibcOne + "/$$3280715L1"), gs1.Profile{}, `HIBC: HIBC +A99912345 lot "L1" 2028-07-15`},
		{"HIBC of a single unit with quantity", hibcCode("+A99912340/$$8120728L1"), gs1.Profile{}, `HIBC: 12 × HIBC +A99912340 lot "L1" 2028-07-31`},
		{"HIBC of a level with quantity", hibcCode(hibcOne + "/$$8120728L1"), gs1.Profile{}, "HIBC! ambiguous"},
		{"HIBC with quantity zero", hibcCode("+A99912340/$$8000728L1"), gs1.Profile{}, "HIBC! zero_quantity"},
		{"HIBC with one serial for many", hibcCode("+A99912340/Q12/SA"), gs1.Profile{}, "HIBC! serial_with_count"},
		{"HIBC second alone", "+$$52001510X3GD", gs1.Profile{}, "HIBC! not_trade_item"},
		{"HIBC behind Code 39", "]A0+A123BJC5D6E71G", gs1.Profile{}, "HIBC: HIBC +A123BJC5D6E71"},
		{"HIBC in what must be GS1", "]C1+A123BJC5D6E71G", gs1.Profile{}, "GS1! unknown_ai"},
		{"HIBC of a patient", "+/EO5232013", gs1.Profile{}, "HIBC! personal_code"},
		{"nothing", "", gs1.Profile{}, "GS1! too_short"},
		{"too long", "+" + strings.Repeat("A", 600), gs1.Profile{}, "GS1! too_long"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := scan.Scan{Raw: []byte(spelled.Replace(c.code)), At: at}
			s.Read(c.profile)
			if got := say(&s); got != c.want {
				t.Errorf("%q\n got %s\nwant %s (%v)", c.code, got, c.want, s.Err)
			}
		})
	}
}

func say(s *scan.Scan) string {
	it, err := s.Item()
	if err != nil {
		return fmt.Sprintf("%s! %s", s.Standard, fault.CodeOf(err))
	}
	w := fmt.Sprintf("%s: %s", s.Standard, it.Words())
	if s.Goods != nil && !it.Expiry.IsZero() {
		w += " " + it.Expiry.String()
	}
	return w
}

// No code is one of two standards, without a reason to be that one.
func FuzzRead(f *testing.F) {
	for _, s := range []string{ppnPack, "-03752864", "]A0-3752864", "+A123BJC5D6E71G", "4012345678901", "03752864"} {
		f.Add([]byte(spelled.Replace(s)), true)
	}
	f.Fuzz(func(t *testing.T, raw []byte, pzn bool) {
		s := scan.Scan{Raw: raw, At: at}
		s.Read(gs1.Profile{PZN: pzn, Substitute: "|"})
		it, err := s.Item()
		switch {
		case err != nil && (fault.ClassOf(err) != fault.Data || fault.HintOf(err) == ""):
			t.Fatalf("%q helps nobody: %v", raw, err)
		case err == nil && (it.Product.Code == "" || it.Quantity <= 0):
			t.Fatalf("%q was read as %+v", raw, it)
		case s.Err != nil && s.Goods != nil:
			t.Fatalf("%q was refused, and yet read", raw)
		}
		_ = s.Text()
	})
}
