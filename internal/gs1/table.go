package gs1

import (
	"fmt"
	"strconv"
	"strings"
)

// component is one part of an element's data.
type component struct {
	set      *[256]bool
	min, max int
	check    check
	optional bool
}

// definition is what GS1 says about one application identifier.
type definition struct {
	ai         string
	title      string
	traits     traits
	min, max   int
	components []component
	// bit and bars are for barredPairs.
	bit, bars uint16
}

func (d *definition) is(t traits) bool { return d.traits&t != 0 }

// fixed tells whether all data of this identifier have the same length.
func (d *definition) fixed() bool { return d.min == d.max }

func (d *definition) hasCheckDigit() bool { return d.components[0].check == checkDigit }

func (d *definition) isDate() bool {
	c := d.components[0].check
	return c == checkDate || c == checkDateDay0
}

// byPrefix finds a definition: the first two digits of an identifier say how
// many digits it has, the others choose among up to 100.
var byPrefix [100]struct {
	digits int
	defs   []*definition
}

func init() {
	for _, r := range rows {
		first, last, isRange := strings.Cut(r.ai, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || len(first) != len(last) {
			panic("gs1: bad row " + r.ai)
		}
		components := parseFormat(r.format)
		for n := from; n <= to; n++ {
			add(&definition{
				ai: fmt.Sprintf("%0*d", len(first), n), title: r.title, traits: r.traits,
				components: components,
			})
		}
	}
	bar()
}

func add(d *definition) {
	for _, c := range d.components {
		d.max += c.max
		if !c.optional {
			d.min += c.min
		}
	}
	p := &byPrefix[atoi(d.ai[:2])]
	if p.defs == nil {
		p.digits = len(d.ai)
		size := 1
		for range p.digits - 2 {
			size *= 10
		}
		p.defs = make([]*definition, size)
	}
	at := atoi(d.ai[2:])
	if p.digits != len(d.ai) || p.defs[at] != nil {
		panic("gs1: clash of identifiers at " + d.ai)
	}
	p.defs[at] = d
}

func parseFormat(format string) []component {
	var out []component
	for f := range strings.FieldsSeq(format) {
		var c component
		if inner, ok := strings.CutPrefix(f, "["); ok {
			c.optional = true
			f = strings.Replace(inner, "]", "", 1)
		}
		size, rule, _ := strings.Cut(f, ",")
		c.set = setNamed(size[0])
		variable := false
		size, variable = strings.CutPrefix(size[1:], "..")
		n, err := strconv.Atoi(size)
		if err != nil {
			panic("gs1: bad format " + format)
		}
		c.min, c.max = n, n
		if variable {
			c.min = 1
		}
		c.check = checkNamed(rule)
		out = append(out, c)
	}
	return out
}

// lookup finds the identifier at the start of s; nil when GS1 assigned none.
func lookup(s string) *definition {
	if len(s) < 2 || !digits[s[0]] || !digits[s[1]] {
		return nil
	}
	p := &byPrefix[int(s[0]-'0')*10+int(s[1]-'0')]
	if p.defs == nil || len(s) < p.digits {
		return nil
	}
	at := 0
	for i := 2; i < p.digits; i++ {
		if !digits[s[i]] {
			return nil
		}
		at = at*10 + int(s[i]-'0')
	}
	return p.defs[at]
}

// Title gives GS1's data title of an identifier ("BATCH/LOT"), or "" for one
// that is not assigned.
func Title(ai string) string {
	if d := lookup(ai); d != nil && d.ai == ai {
		return d.title
	}
	return ""
}

var (
	digits = charset("0123456789")
	// set82 is GS1 character set 82, the invariant part of ISO/IEC 646
	// without the space.
	set82 = charset(`!"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`)
	set39 = charset("#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	// set64 is base64url with its padding.
	set64 = charset("-0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
)

func charset(chars string) *[256]bool {
	var set [256]bool
	for i := range len(chars) {
		set[chars[i]] = true
	}
	return &set
}

func setNamed(name byte) *[256]bool {
	switch name {
	case 'N':
		return digits
	case 'X':
		return set82
	case 'Y':
		return set39
	case 'Z':
		return set64
	}
	panic("gs1: no character set " + string(name))
}

func within(s string, set *[256]bool) bool {
	for i := range len(s) {
		if !set[s[i]] {
			return false
		}
	}
	return true
}

// atoi reads digits; the caller has made sure that there are only digits, and
// few enough.
func atoi(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}
