package movement

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Quantity is an exact decimal amount in millionths of its unit. Six decimals
// are more than any unit of measure in Odoo rounds to, and as an integer it is
// summed exactly everywhere, in SQL too.
type Quantity int64

// QuantityScale is how many Quantity make one whole unit.
const QuantityScale = 1_000_000

// MaxQuantity bounds one movement: a thousand million units. Sums of nine
// million such movements still fit.
const MaxQuantity Quantity = 1_000_000_000 * QuantityScale

// Units makes a whole quantity of n units; |n| is at most [MaxQuantity].
func Units(n int64) Quantity { return Quantity(n) * QuantityScale }

// ParseQuantity reads a plain decimal: an optional sign, up to ten digits, and
// after a point up to six decimals ("12", "-0.5"). Anything else, an exponent,
// a comma or more decimals included, is an error: an amount is never rounded.
func ParseQuantity(s string) (Quantity, error) {
	fail := func(why string) (Quantity, error) {
		return 0, fmt.Errorf("quantity %q %s", clip(s, 32), why)
	}
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 {
		return fail("has more than one sign")
	}
	whole, frac, point := strings.Cut(digits, ".")
	if whole == "" || point && frac == "" || !allDigits(whole) || !allDigits(frac) {
		return fail("is not a plain decimal number")
	}
	if frac = strings.TrimRight(frac, "0"); len(frac) > 6 {
		return fail("has more than six decimals")
	}
	if whole = strings.TrimLeft(whole, "0"); len(whole) > 10 {
		return fail("is out of range")
	}
	n, _ := strconv.ParseInt("0"+whole+frac+"000000"[len(frac):], 10, 64)
	if q := Quantity(n); q > MaxQuantity {
		return fail("is out of range")
	} else if s[0] == '-' {
		return -q, nil
	} else {
		return q, nil
	}
}

func allDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// Append writes q as a plain decimal without trailing zeros.
func (q Quantity) Append(b []byte) []byte {
	u := uint64(q)
	if q < 0 {
		b = append(b, '-')
		u = -u
	}
	b = strconv.AppendUint(b, u/QuantityScale, 10)
	frac := u % QuantityScale
	if frac == 0 {
		return b
	}
	b = append(b, '.')
	for place := uint64(QuantityScale / 10); frac > 0; place /= 10 {
		b = append(b, byte('0'+frac/place))
		frac %= place
	}
	return b
}

func (q Quantity) String() string { return string(q.Append(nil)) }

// Noun is the noun that follows the quantity: that for one, or that for many.
func (q Quantity) Noun(one, many string) string {
	if q == Units(1) {
		return one
	}
	return many
}

// Of says the quantity with its noun: "1 pack", "2.5 packs".
func (q Quantity) Of(one, many string) string { return q.String() + " " + q.Noun(one, many) }

// Float is the nearest double, for Odoo, whose quantities are doubles. Every
// quantity of at most 15 significant digits survives the way there and back
// through [QuantityFromFloat].
func (q Quantity) Float() float64 { return float64(q) / QuantityScale }

// QuantityFromFloat rounds a double from Odoo to the nearest millionth; not a
// number and what is out of range are errors.
func QuantityFromFloat(f float64) (Quantity, error) {
	if math.IsNaN(f) || math.Abs(f) > MaxQuantity.Float()*1000 {
		return 0, fmt.Errorf("quantity %v is out of range", f)
	}
	return Quantity(math.Round(f * QuantityScale)), nil
}

// MarshalJSON gives a string, so that no reader rounds it to a double.
func (q Quantity) MarshalJSON() ([]byte, error) {
	return append(q.Append([]byte{'"'}), '"'), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (q *Quantity) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return fmt.Errorf("quantity %s is not a string", clip(string(b), 32))
	}
	v, err := ParseQuantity(string(b[1 : len(b)-1]))
	if err == nil {
		*q = v
	}
	return err
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
