package scan

import (
	"strings"
	"time"

	"branchline/internal/gs1"
	"branchline/internal/hibc"
	"branchline/internal/movement"
)

// Second is what the second HIBC code of a pack says: lot, serial or expiry. It
// ends with the check character of the first code that it belongs to (ANSI/HIBC
// 2.3, the link character).
type Second struct {
	Item
	link byte
}

// secondOf keeps what a second code says; nil where it also counts something, as
// nobody knows then what.
func secondOf(c *hibc.Code) *Second {
	if c.Link == 0 || c.HasQuantity && c.Quantity != 1 {
		return nil
	}
	second := &Second{Item{Lot: strings.Clone(c.Lot), Serial: strings.Clone(c.Serial)}, c.Link}
	if err := second.expires(c.Expiry); err != nil {
		return nil
	}
	return second
}

// Of tells whether the second code belongs to a first one, as it was scanned at a
// moment, and contradicts it in nothing.
func (s *Second) Of(first *Item, raw string, at time.Time) bool {
	if first.Product.Scheme != movement.HIBC {
		return false
	}
	_, body := split(raw)
	c, err := hibc.Parse(body, at)
	same := func(a, b string) bool { return a == "" || b == "" || a == b }
	return err == nil && c.Product() == first.Product.Code && c.Check == s.link &&
		same(first.Lot, s.Lot) && same(first.Serial, s.Serial) && (first.Expiry.IsZero() || s.Expiry.IsZero() || first.Expiry == s.Expiry)
}

// split takes a symbology identifier off what a scanner sent.
func split(raw string) (symbology, body string) {
	raw = strings.TrimLeft(strings.TrimRight(raw, "\r\n"), gs1.GS)
	if len(raw) > 3 && raw[0] == ']' {
		return raw[1:3], strings.TrimLeft(raw[3:], gs1.GS)
	}
	return "", raw
}
