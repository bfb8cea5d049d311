package gs1

import (
	"strings"
	"time"
)

// MaxLength bounds a raw code, in bytes. The longest symbol in use on packs
// holds well under 200 characters.
const MaxLength = 512

// Parse reads one code as a scanner of profile p sent it. now gives the
// century of two-digit years; only its year is used. Ends of line at the end
// and separators at either end are tolerated. On error the Code is empty.
func Parse(raw string, p Profile, now time.Time) (Code, error) {
	if len(raw) > MaxLength {
		return Code{}, refuse(CodeTooLong, "the code has %d characters, more than %d", len(raw), MaxLength)
	}
	s := strings.TrimRight(raw, "\r\n")
	if p.Substitute != "" {
		if err := p.Validate(); err != nil {
			return Code{}, err
		}
		s = strings.ReplaceAll(s, p.Substitute, GS)
	}
	r := reader{year: now.Year(), separators: p.Separators}
	s, leading := trimLeading(s)
	symbology, s := cutSymbology(s)
	if symbology.inverted() {
		return Code{}, refuse(CodeCapsLock, "the code starts with %s, which no scanner sends: upper and lower case are exchanged", symbology.name())
	}
	s, behind := trimLeading(s)
	body := strings.TrimRight(s, GS)
	r.separated = len(body) < len(s) || strings.Contains(body, GS)
	r.witness = leading || behind || r.separated
	if body == "" {
		return Code{}, refuse(CodeTooShort, "the code is empty")
	}
	c := Code{Raw: raw, Symbology: symbology, year: r.year, ProvesSeparators: r.separated}
	if err := r.read(&c, body, p); err != nil {
		return Code{}, err
	}
	return c, nil
}

func trimLeading(s string) (rest string, any bool) {
	rest = strings.TrimLeft(s, GS)
	return rest, len(rest) < len(s)
}

func (r *reader) read(c *Code, s string, p Profile) error {
	k := c.Symbology.kind()
	if k == kindPlain && p.PlainIsGS1 {
		k = kindUnsaid
	}
	if k != kindElements {
		if err := foreign(s, k); err != nil {
			return err
		}
	}
	switch k {
	case kindElements:
		return r.elements(c, s)
	case kindEAN:
		return c.readEAN(s)
	case kindEAN8:
		return c.readNumber(s, 8)
	case kindITF:
		return c.readNumber(s, 14)
	case kindUnsaid:
		if within(s, digits) && gtinLength(len(s)) {
			return r.unsaidNumber(c, s, p)
		}
		return r.unsaidElements(c, s)
	}
	return refuse(CodeNotGS1, "a symbol of type %s does not hold GS1 data: %s", c.Symbology.name(), quote(s))
}

// foreign refuses the schemes of other bodies by the way they start, so that
// they are never read as something else.
func foreign(s string, k kind) error {
	name := ""
	switch {
	case strings.HasPrefix(s, "+"):
		name = "HIBC"
	case strings.HasPrefix(s, "[)>"):
		name = "ISO/IEC 15434 (IFA PPN)"
	case (k == kindUnsaid || k == kindCode39) && len(s) >= 8 && len(s) <= 9 && s[0] == '-' && within(s[1:], digits):
		name = "PZN in Code 39"
	case hasPrefixFold(s, "http://"), hasPrefixFold(s, "https://"):
		name = "web address"
	default:
		return nil
	}
	return refuse(CodeScheme, "this is a code of the scheme %s, which is not read: %s", name, quote(s))
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func gtinLength(n int) bool { return n == 8 || n == 12 || n == 13 || n == 14 }

// readEAN reads what ]E0 announces: EAN-13, UPC-A with or without its leading
// zero, or a UPC-E that the scanner left as it is.
func (c *Code) readEAN(s string) error {
	if len(s) == 8 && within(s, digits) {
		upca, ok := expandUPCE(s)
		if !ok {
			return refuse(CodeCheckDigit, "%s is no UPC-E: its check digit or its first digit is wrong", quote(s))
		}
		return c.setNumber(upca)
	}
	if len(s) != 12 {
		return c.readNumber(s, 13)
	}
	return c.readNumber(s, 12)
}

func (c *Code) readNumber(s string, length int) error {
	if !within(s, digits) {
		return refuse(CodeBadCharacter, "a symbol of type %s holds digits only: %s", c.Symbology.name(), quote(s))
	}
	if len(s) != length {
		return refuse(CodeWrongLength, "a product number in a symbol of type %s has %d digits, not %d: %s",
			c.Symbology.name(), length, len(s), quote(s))
	}
	return c.setNumber(s)
}

func (c *Code) setNumber(s string) (err error) {
	c.Form = FormNumber
	c.number, err = NormalizeGTIN(s)
	return err
}

// unsaidNumber decides what bare digits of a GTIN's length are.
func (r *reader) unsaidNumber(c *Code, s string, p Profile) error {
	pzn := ValidPZN(s)
	dated := r.isDatedString(s)
	if !ValidCheckDigit(s) {
		switch {
		case dated:
			return r.unsaidElements(c, s)
		case pzn && p.PZN:
			return refuse(CodeScheme, "%s is a PZN and no GTIN-8; PZN is not read", quote(s))
		}
		return c.setNumber(s)
	}
	switch {
	case dated:
		return refuse(CodeAmbiguous, "%s is a GTIN as well as a date with other data", quote(s))
	case pzn && p.PZN:
		return refuse(CodeAmbiguous, "%s is a GTIN-8 as well as a PZN", quote(s))
	}
	c.MayBePZN = pzn
	return c.setNumber(s)
}

// isDatedString tells whether s reads as a whole element string that starts
// with a date.
func (r *reader) isDatedString(s string) bool {
	d := lookup(s)
	if d == nil || !d.isDate() {
		return false
	}
	probe := reader{year: r.year, separators: SeparatorsProved}
	return probe.elements(&Code{year: r.year}, s) == nil
}

// unsaidElements reads an element string that no symbology identifier
// announced.
func (r *reader) unsaidElements(c *Code, s string) error {
	first := lookup(s)
	if first == nil && !r.witness {
		return refuse(CodeNotGS1, "%s is neither a GTIN nor starts with an application identifier", quote(s))
	}
	err := r.elements(c, s)
	if err != nil {
		if len(c.Elements) == 0 && !r.witness && !first.is(personal) && !first.hasCheckDigit() {
			return refuse(CodeNotGS1, "%s does not read as GS1 data: %w", quote(s), err)
		}
		return err
	}
	if r.witness || c.bearsWitness() {
		return nil
	}
	return refuse(CodeAmbiguous, "nothing proves that %s is GS1 data and not a number of somebody's own", quote(s))
}

func (c *Code) bearsWitness() bool {
	for _, e := range c.Elements {
		d := lookup(e.AI)
		if d.hasCheckDigit() || (d.isDate() && len(c.Elements) > 1) {
			return true
		}
	}
	return false
}
