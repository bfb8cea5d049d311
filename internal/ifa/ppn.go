package ifa

import (
	"fmt"
	"strings"
	"time"

	"branchline/internal/fault"
	"branchline/internal/gs1"
)

// Code is a code of format 06 that was read with certainty.
type Code struct {
	// PPN is the whole number of DI 9N, with agency and check digits; empty
	// when there is none.
	PPN string
	// GTIN has 14 digits (DI 8P); empty when there is none.
	GTIN        string
	Lot, Serial string
	// Expiry is absent when its Month is 0.
	Expiry gs1.Date
	// Other are the identifiers that say nothing of what is recorded, with
	// their data, such as 27Q.
	Other []gs1.Element
}

// AgencyIFA is the PRA code of the German PZN.
const AgencyIFA = "11"

// Agency gives the PRA code, the first two characters of the PPN.
func (c *Code) Agency() string {
	if c.PPN == "" {
		return ""
	}
	return c.PPN[:2]
}

// PZN gives the eight digits inside a PPN of IFA, or "".
func (c *Code) PZN() string {
	if c.Agency() != AgencyIFA {
		return ""
	}
	return c.PPN[2 : len(c.PPN)-2]
}

// CheckPPN tells whether s is a PPN: two characters of the agency, 1 to 18 of
// the product, and two check digits, which are the sum of the characters'
// ASCII values, weighed 2, 3, 4… from the left, modulo 97 (Technical
// Specifications, 12).
func CheckPPN(s string) error {
	switch {
	case len(s) < 5 || len(s) > 22:
		return refuse(gs1.CodeWrongLength, "the PPN %.40q has %d characters, not 5 to 22", s, len(s))
	case !within(s, upper) || !digits(s[len(s)-2:]):
		return refuse(gs1.CodeBadCharacter, "the PPN %.40q holds a character it may not hold", s)
	}
	body := s[:len(s)-2]
	if fmt.Sprintf("%02d", ppnSum(body)) != s[len(s)-2:] {
		return refuse(gs1.CodeCheckDigit, "the check digits of the PPN %s are wrong", s)
	}
	if s[:2] == AgencyIFA {
		if len(body) != 10 {
			return refuse(gs1.CodeWrongLength, "the PPN %s holds no PZN of 8 digits", s)
		}
		_, err := NormalizePZN(body[2:])
		return err
	}
	return nil
}

func ppnSum(body string) int {
	sum := 0
	for i := range len(body) {
		sum += int(body[i]) * (i + 2)
	}
	return sum % 97
}

// Parse reads the data of an envelope of format 06: data identifiers of up to
// three digits and a letter, each with its data, parted by GS. Category H is of persons. now gives
// the century of two-digit years, as GS1's rule has it.
func Parse(data string, now time.Time) (Code, error) {
	var c Code
	seen := map[string]bool{}
	if data = strings.TrimSuffix(data, gs); data == "" {
		return Code{}, refuse(gs1.CodeTooShort, "the code is empty")
	}
	for field := range strings.SplitSeq(data, gs) { // first, as other faults quote what they are about
		if di, _ := cutIdentifier(field); strings.HasSuffix(di, "H") {
			return Code{}, fault.New(fault.Data, gs1.CodePersonal, "the code is about a person").
				WithHint("scan the code of the product; this scan is not kept")
		}
	}
	for field := range strings.SplitSeq(data, gs) {
		di, v := cutIdentifier(field)
		switch {
		case di == "":
			return Code{}, refuse(gs1.CodeUnknownAI, "%.40q begins with no data identifier", field)
		case v == "":
			return Code{}, refuse(gs1.CodeTooShort, "the data identifier %s holds no data", di)
		case seen[di]:
			return Code{}, refuse(gs1.CodeConflict, "the data identifier %s comes twice", di)
		}
		seen[di] = true
		if err := c.take(di, v, now); err != nil {
			return Code{}, err
		}
	}
	if c.PPN == "" && c.GTIN == "" {
		return Code{}, fault.New(fault.Data, gs1.CodeNotTradeItem, "the code names no product: it has neither PPN (9N) nor GTIN (8P)").
			WithHint("scan the code of the product")
	}
	return c, nil
}

func (c *Code) take(di, v string, now time.Time) error {
	switch di {
	case "9N":
		c.PPN = v
		return CheckPPN(v)
	case "8P":
		if len(v) != 14 {
			return refuse(gs1.CodeWrongLength, "the GTIN (8P) %.40q has %d characters, not 14", v, len(v))
		}
		g, err := gs1.NormalizeGTIN(v)
		c.GTIN = g
		return err
	case "1T":
		c.Lot = v
		return text("lot (1T)", v)
	case "S":
		c.Serial = v
		return text("serial (S)", v)
	case "D":
		d, ok := expiry(v, now)
		if !ok {
			return refuse(gs1.CodeImpossibleDate, "the expiry (D) %.40q is no date that exists", v).
				WithHint("read the date from the pack and enter it by hand")
		}
		c.Expiry = d
		return nil
	}
	switch kind := di[len(di)-1]; {
	case counts[di]:
		return refuse(gs1.CodeAmbiguous, "the code states a quantity (%s), and only who printed it knows of what", di).
			WithHint("count the packs and enter them by hand")
	case (kind == 'T' || kind == 'S' || kind == 'P' || kind == 'N'):
		return refuse(gs1.CodeUnknownAI, "the data identifier %s may name another product, lot or serial, and is not read", di)
	}
	if !within(v, visible) {
		return refuse(gs1.CodeBadCharacter, "the data of %s hold a character they may not hold: %.40q", di, v)
	}
	c.Other = append(c.Other, gs1.Element{AI: di, Value: v})
	return nil
}

// counts are the identifiers of category Q (ANSI MH10.8.2) for numbers of
// pieces, whose unit trading partners agree on.
var counts = map[string]bool{"Q": true, "1Q": true, "2Q": true, "7Q": true, "13Q": true, "14Q": true, "20Q": true}

func cutIdentifier(field string) (di, data string) {
	n := 0
	for n < len(field) && n < 3 && field[n] >= '0' && field[n] <= '9' {
		n++
	}
	if n == len(field) || field[n] < 'A' || field[n] > 'Z' {
		return "", ""
	}
	return field[:n+1], field[n+1:]
}

// text checks a lot or serial: 1 to 20 letters, digits and the characters that
// IFA's specification advises against but allows ("-" and "_" are common).
func text(name, v string) error {
	switch {
	case len(v) > 20:
		return refuse(gs1.CodeTooLong, "the %s is longer than 20 characters: %.40q", name, v)
	case !within(v, lots):
		return refuse(gs1.CodeBadCharacter, "the %s holds a character it may not hold: %.40q", name, v)
	}
	return nil
}

func upper(c byte) bool   { return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' }
func visible(c byte) bool { return c > ' ' && c < 0x7f }
func lots(c byte) bool {
	return upper(c) || c >= 'a' && c <= 'z' || strings.IndexByte(`-_./+:,()*%&'"!;<=>?`, c) >= 0
}

func within(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

// expiry reads YYMMDD; day 00 is the month's last.
func expiry(v string, now time.Time) (gs1.Date, bool) {
	if len(v) != 6 || !digits(v) {
		return gs1.Date{}, false
	}
	n := func(i int) int { return int(v[i]-'0')*10 + int(v[i+1]-'0') }
	first := now.Year() - 49
	d := gs1.Date{Year: first + ((n(0)-first)%100+100)%100, Month: n(2), Day: n(4), Raw: v, DayGiven: true}
	if d.Month < 1 || d.Month > 12 {
		return gs1.Date{}, false
	}
	last := time.Date(d.Year, time.Month(d.Month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if d.Day == 0 {
		d.Day, d.DayGiven = last, false
	}
	return d, d.Year > 0 && d.Day <= last
}
