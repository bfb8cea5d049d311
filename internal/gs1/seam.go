package gs1

// longestVariable is the longest variable-length data of any identifier.
const longestVariable = 90

// seam finds where value could be cut into valid data of d and further
// complete elements, as if a separator had been lost; 0 when nowhere. The
// package comment says why, and which elements count.
func (r *reader) seam(c *Code, d *definition, value string) int {
	n := len(value)
	if n > 2*longestVariable {
		return 0
	}
	// whole[i]: value[i:] is a sequence of complete elements. An identifier
	// that comes twice within it is not seen, which errs towards asking.
	var whole [2*longestVariable + 1]bool
	whole[n] = true
	first := 0
	for i := n - 3; i > 0; i-- {
		next := lookup(value[i:])
		if next == nil || next == d || !r.plausible(c, next) {
			continue
		}
		start := i + len(next.ai)
		for end := start + next.min; end <= min(n, start+next.max); end++ {
			if whole[end] && next.flaw(value[start:end], r.year) == "" {
				whole[i] = true
				break
			}
		}
		if whole[i] && d.flaw(value[:i], r.year) == "" {
			first = i
		}
	}
	return first
}

// plausible tells whether an element may stand behind those of c.
func (r *reader) plausible(c *Code, d *definition) bool {
	if !d.is(health) && r.separators != SeparatorsDropped {
		return false
	}
	if d.is(personal|noItem) || r.present&d.bars != 0 {
		return false
	}
	for i := range c.Elements {
		if c.Elements[i].AI == d.ai {
			return false
		}
	}
	return true
}

func refuseSeam(d *definition, value string, at int) error {
	next := lookup(value[at:])
	return refuse(CodeMissingSeparator,
		"%s (%s) reads %s, which can also be %s followed by %s (%s), and this scanner has not yet shown that it sends separators",
		d.title, d.ai, quote(value), quote(value[:at]), next.title, next.ai)
}
