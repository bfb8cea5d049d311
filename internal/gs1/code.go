package gs1

import (
	"strings"
)

// Form is how a code carries its product.
type Form uint8

const (
	// FormElements is an element string.
	FormElements Form = iota + 1
	// FormNumber is a plain EAN, UPC or ITF number.
	FormNumber
)

func (f Form) String() string {
	switch f {
	case FormElements:
		return "element string"
	case FormNumber:
		return "number"
	}
	return "none"
}

// Element is one application identifier with its data, as the code holds it.
type Element struct {
	AI    string
	Value string
}

// Code is a code that was read with certainty. Its strings share the memory of
// the raw code.
type Code struct {
	// Raw is the code exactly as it came.
	Raw       string
	Symbology Symbology
	Form      Form
	// Elements in the order of the code, each identifier once; nil for a
	// plain number.
	Elements []Element
	// ProvesSeparators is true when a separator arrived between elements or
	// at the end: this scanner may be SeparatorsProved from now on.
	ProvesSeparators bool
	// MayBePZN is true for eight digits, without symbology, that satisfy the
	// check digit of a German PZN as well as that of the GTIN-8 they are read
	// as.
	MayBePZN bool

	number string
	year   int
}

// Element gives the data of one identifier. Identifiers are written out with
// all digits ("3102").
func (c *Code) Element(ai string) (value string, ok bool) {
	for i := range c.Elements {
		if c.Elements[i].AI == ai {
			return c.Elements[i].Value, true
		}
	}
	return "", false
}

func (c *Code) value(ai string) string {
	v, _ := c.Element(ai)
	return v
}

// GTIN gives the 14 digits of the trade item that bears the code, from AI 01
// or from a plain number; "" when there is none. A U.S. NDC inside it is left
// whole: ten digits do not say where labeler, product and package divide.
func (c *Code) GTIN() string {
	if c.Form == FormNumber {
		return c.number
	}
	return c.value("01")
}

// Content gives the 14 digits of the items inside a logistic unit (AI 02), or
// "". How many there are is Count.
func (c *Code) Content() string { return c.value("02") }

// SSCC gives the 18 digits of a logistic unit (AI 00), or "".
func (c *Code) SSCC() string { return c.value("00") }

// Lot gives the batch or lot (AI 10), case as on the pack, or "".
func (c *Code) Lot() string { return c.value("10") }

// Serial gives the serial number (AI 21), case as on the pack, or "".
func (c *Code) Serial() string { return c.value("21") }

// Expiry gives the expiry date, from AI 17 or the date part of AI 7003. A best
// before date (AI 15) is not an expiry.
func (c *Code) Expiry() (Date, bool) {
	if d, ok := c.Date("17"); ok {
		return d, true
	}
	return c.Date("7003")
}

// ExpiryTime gives the time of day of AI 7003, local to where the item is.
func (c *Code) ExpiryTime() (hour, minute int, ok bool) {
	v, ok := c.Element("7003")
	if !ok || len(v) != 10 {
		return 0, 0, false
	}
	return atoi(v[6:8]), atoi(v[8:10]), true
}

// Date gives the date an element holds or starts with; ok is false for an
// element that is absent or starts with none.
func (c *Code) Date(ai string) (Date, bool) {
	v, ok := c.Element(ai)
	if !ok {
		return Date{}, false
	}
	d := lookup(ai)
	if d == nil || !d.isDate() || len(v) < 6 || !within(v[:6], digits) {
		return Date{}, false
	}
	return readDate(v[:6], c.year)
}

// Count gives the number of items: AI 30 (in a pack of variable content) or
// AI 37 (contained in a logistic unit), 0 to 99999999.
func (c *Code) Count() (n int, ok bool) {
	for _, ai := range [...]string{"30", "37"} {
		if v, ok := c.Element(ai); ok && len(v) <= 8 && within(v, digits) {
			return atoi(v), true
		}
	}
	return 0, false
}

// Encode writes elements as an element string with GS where GS1 wants one: it
// is what a scanner sends, without symbology identifier. It checks nothing.
func Encode(elements ...Element) string {
	var b strings.Builder
	for i, e := range elements {
		b.WriteString(e.AI)
		b.WriteString(e.Value)
		if d := lookup(e.AI); i < len(elements)-1 && (d == nil || !d.is(predefined)) {
			b.WriteString(GS)
		}
	}
	return b.String()
}
