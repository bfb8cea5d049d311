package gs1

import "strings"

// reader holds what is known about the string while its elements are read.
type reader struct {
	year       int
	separators Separators
	// separated: a separator came between elements or at the end.
	separated bool
	// witness: a separator came at all.
	witness bool
	// present holds the bits of the elements read so far.
	present uint16
}

// proved tells whether a separator that belongs here would have arrived.
func (r *reader) proved() bool { return r.separated || r.separators == SeparatorsProved }

// elements reads an element string into c. On error c holds the elements
// before the one refused.
func (r *reader) elements(c *Code, s string) error {
	c.Form = FormElements
	c.Elements = make([]Element, 0, 6)
	for pos := 0; pos < len(s); {
		if s[pos] == GS[0] {
			pos++
			continue
		}
		d := lookup(s[pos:])
		if d == nil {
			return r.refuseUnknown(s[pos:])
		}
		switch {
		case d.is(personal):
			return refuse(CodePersonal, "this is a code about a person, not about a product")
		case d.is(noItem):
			return refuse(CodeNotTradeItem, "%s (%s) belongs to a coupon or a payment slip, not to a product", d.title, d.ai)
		}
		start := pos + len(d.ai)
		end := d.end(s, start)
		value := s[start:end]
		if flaw := d.flaw(value, r.year); flaw != "" {
			return r.refuseElement(c, d, value, flaw)
		}
		if !d.fixed() && !r.proved() {
			if at := r.seam(c, d, value); at > 0 {
				return refuseSeam(d, value, at)
			}
		}
		if err := r.add(c, d, s[pos:start], value); err != nil {
			return err
		}
		pos = end
	}
	return c.agree()
}

// end gives where the data of an element end that begin at start.
func (d *definition) end(s string, start int) int {
	limit := len(s)
	if d.is(predefined) {
		limit = min(limit, start+d.max)
	}
	if i := strings.IndexByte(s[start:limit], GS[0]); i >= 0 {
		return start + i
	}
	return limit
}

func (r *reader) refuseUnknown(s string) error {
	ai := s[:min(4, len(s))]
	return refuse(CodeUnknownAI, "no application identifier of GS1 starts %s", quote(ai))
}

// refuseElement words a flaw, and sees whether a lost separator explains it.
func (r *reader) refuseElement(c *Code, d *definition, value, flaw string) error {
	if !readable(value) {
		return refuseFlaw(d, value, CodeBadCharacter)
	}
	if d.is(predefined) || r.proved() {
		return refuseFlaw(d, value, flaw)
	}
	if at := r.seam(c, d, value); at > 0 {
		return refuseSeam(d, value, at)
	}
	if len(value) > d.max {
		return refuse(CodeMissingSeparator,
			"%s (%s) is longer than its %d characters, and no separator came: %s", d.title, d.ai, d.max, quote(value))
	}
	return refuseFlaw(d, value, flaw)
}

// readable tells whether all characters can occur in some element at all.
func readable(s string) bool {
	for i := range len(s) {
		if !set82[s[i]] && s[i] != '#' {
			return false
		}
	}
	return true
}

// add takes an element in. The same one twice counts once.
func (r *reader) add(c *Code, d *definition, ai, value string) error {
	for i := range c.Elements {
		e := &c.Elements[i]
		if e.AI == ai {
			if e.Value == value {
				return nil
			}
			return refuse(CodeConflict, "%s (%s) comes twice: %s and %s", d.title, ai, quote(e.Value), quote(value))
		}
	}
	if r.present&d.bars != 0 {
		return refuse(CodeConflict, "%s (%s) may not stand beside the other elements of this code", d.title, ai)
	}
	r.present |= d.bit
	c.Elements = append(c.Elements, Element{AI: ai, Value: value})
	return nil
}

// barredPairs are combinations that make product, quantity or serial read two
// ways (invalid pairs of General Specifications 4.14.1).
var barredPairs = [...][2]string{
	{"01", "02"}, {"01", "03"}, {"02", "03"}, {"01", "37"}, {"03", "37"}, {"21", "235"},
	{"01", "8006"}, {"02", "8026"}, {"03", "8026"}, {"8006", "37"}, {"8006", "8026"},
}

// bar gives both ends of every barred pair a bit for themselves and a mask of
// what bars them.
func bar() {
	used := 0
	bit := func(d *definition) uint16 {
		if d.bit == 0 {
			d.bit = 1 << used
			used++
		}
		return d.bit
	}
	for _, p := range barredPairs {
		a, b := lookup(p[0]), lookup(p[1])
		a.bars |= bit(b)
		b.bars |= bit(a)
	}
}

// agree sees whether two expiry dates in one code are the same day.
func (c *Code) agree() error {
	timed, ok := c.Element("7003")
	if !ok {
		return nil
	}
	if day, ok := c.Date("17"); ok {
		if other, _ := c.Date("7003"); other.Day != day.Day || other.Month != day.Month || other.Year != day.Year {
			return refuse(CodeConflict, "the code has two expiry dates: %s and %s", day.Raw, timed[:6])
		}
	}
	return nil
}
