// Package hibc reads barcodes of the Health Industry Bar Code Supplier
// Labeling Standard (ANSI/HIBC 2.6). It says what a code means only where that
// is certain; everything else is an error of class fault.Data. It is pure,
// safe for concurrent use, and never panics.
//
// # Words
//
//   - primary: "+", labeler (LIC), the labeler's product number (PCN), unit of
//     measure, check character (standard 2.2).
//   - secondary: quantity, expiry, lot or serial. Alone it begins with "+$" or
//     "+" and a digit, and ends with the check character of its primary (the
//     link character) and its own check character (2.3).
//   - concatenated: primary without its check character, "/", secondary
//     without link character, further fields (S, 14D, 16D, Q) each behind "/",
//     and one check character over all (2.4).
//
// A secondary alone names no product, and its link character, one of 43, is no
// proof of which primary it belongs to: [Code.Product] is empty then.
//
// Codes of the Provider Applications Standard ("+/") are about patients, staff
// and places: they are refused with gs1.CodePersonal, and the error holds
// nothing of them.
package hibc

import (
	"strings"
	"time"

	"branchline/internal/fault"
	"branchline/internal/gs1"
)

// MaxLength bounds a code, in bytes: all fields at their longest stay below.
const MaxLength = 128

// Code is a code that was read with certainty.
type Code struct {
	// Labeler, Number and Unit are empty in a secondary alone. Unit is "0" for
	// a single unit, "1" to "8" for packaging levels above it, "9" for
	// containers of variable quantity.
	Labeler, Number, Unit string
	// Link is the check character of the primary that a secondary alone
	// belongs to; 0 otherwise.
	Link byte
	// Check is the code's own check character.
	Check byte

	Lot, Serial string
	// Expiry and Made are absent when their Month is 0. Raw holds the digits
	// of the code.
	Expiry, Made gs1.Date
	// Quantity is what the code says, HasQuantity tells whether it does. Of
	// which packaging level it counts is certain only for the units 0 and 9.
	Quantity    int
	HasQuantity bool
}

// Product is "+", labeler, product number and unit of measure, without the
// check character, by which products are compared; "" for a secondary alone.
func (c *Code) Product() string {
	if c.Labeler == "" {
		return ""
	}
	return "+" + c.Labeler + c.Number + c.Unit
}

// alphabet gives the characters their values for the check character (2.5).
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"

// CheckCharacter is the sum of all characters' values, modulo 43. ok is false
// for a character that has no value.
func CheckCharacter(s string) (c byte, ok bool) {
	sum := 0
	for i := range len(s) {
		v := strings.IndexByte(alphabet, s[i])
		if v < 0 {
			return 0, false
		}
		sum += v
	}
	return alphabet[sum%43], true
}

// Parse reads a code without symbology identifier and line end. Asterisks
// around it, which people see in print, are tolerated. now gives the century of
// two-digit years as for GS1: at most 50 ahead, at most 49 behind.
func Parse(raw string, now time.Time) (Code, error) {
	s := raw
	if n := len(s); n > 2 && s[0] == '*' && s[n-1] == '*' {
		s = s[1 : n-1]
	}
	if strings.HasPrefix(s, "+/") {
		return Code{}, fault.New(fault.Data, gs1.CodePersonal, "this is a code of the HIBC provider standard, for patients, staff and places").
			WithHint("scan the code of the product; this scan is not kept")
	}
	switch {
	case len(s) > MaxLength:
		return Code{}, refuse(gs1.CodeTooLong, "the code has %d characters, more than a HIBC code can have", len(s))
	case !strings.HasPrefix(s, "+"):
		return Code{}, refuse(gs1.CodeScheme, "%.40q is no HIBC code: it does not begin with +", s)
	case len(s) < 4:
		return Code{}, refuse(gs1.CodeTooShort, "the HIBC code %.40q is too short", s)
	}
	body, check := s[:len(s)-1], s[len(s)-1]
	want, ok := CheckCharacter(body)
	switch {
	case !ok && strings.ToUpper(s) != s && strings.ToLower(s) == s:
		return Code{}, refuse(gs1.CodeCapsLock, "a HIBC code has capital letters only: %.40q", s)
	case !ok:
		return Code{}, refuse(gs1.CodeBadCharacter, "the HIBC code %.40q holds a character it may not hold", s)
	case want != check:
		return Code{}, refuse(gs1.CodeCheckDigit, "the check character of the HIBC code %.60q is wrong", s)
	}
	r := reader{Code: Code{Check: check}, now: now}
	if err := r.read(body[1:]); err != nil {
		return Code{}, err
	}
	return r.Code, nil
}

func (r *reader) read(s string) error {
	if s[0] == '$' || digit(s[0]) {
		if len(s) < 2 {
			return refuse(gs1.CodeTooShort, "the second HIBC code %.40q is too short", s)
		}
		r.Link = s[len(s)-1]
		return r.secondary(s[:len(s)-1])
	}
	primary, rest, more := strings.Cut(s, "/")
	if err := r.primary(primary); err != nil {
		return err
	}
	for first := true; more; first = false {
		var field string
		field, rest, more = strings.Cut(rest, "/")
		var err error
		if first && field != "" && (field[0] == '$' || digit(field[0]) && !supplemental(field)) {
			err = r.secondary(field)
		} else {
			err = r.supplement(field)
		}
		if err != nil {
			return err
		}
	}
	if r.Unit == "9" && !r.HasQuantity {
		return fault.New(fault.Data, "quantity_missing", "%s stands for a container of any number of packs, and the code does not say how many", r.Product()).
			WithHint("count them and enter them by hand")
	}
	return nil
}

// primary reads LIC, PCN and unit of measure.
func (r *reader) primary(s string) error {
	switch {
	case len(s) < 6:
		return refuse(gs1.CodeTooShort, "the HIBC code %.40q is too short: labeler, product number and unit have at least 6 characters", s)
	case len(s) > 4+18+1:
		return refuse(gs1.CodeTooLong, "the product number in the HIBC code %.40q is longer than 18 characters", s)
	case !letter(s[0]) || !alphanumeric(s):
		return refuse(gs1.CodeBadCharacter, "labeler and product number of a HIBC code are letters and digits, a letter first: %.40q", s)
	case !digit(s[len(s)-1]):
		return refuse(gs1.CodeBadCharacter, "the unit of measure of the HIBC code %.40q is no digit", s)
	}
	r.Labeler, r.Number, r.Unit = s[:4], s[4:len(s)-1], s[len(s)-1:]
	return nil
}

func refuse(code, format string, args ...any) error {
	return fault.New(fault.Data, code, format, args...).WithHint("scan again; if it stays, enter the pack by hand")
}

func digit(c byte) bool  { return c >= '0' && c <= '9' }
func letter(c byte) bool { return c >= 'A' && c <= 'Z' }

func alphanumeric(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) && !letter(s[i]) {
			return false
		}
	}
	return true
}

func digits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return s != ""
}
