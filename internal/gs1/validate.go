package gs1

// check is what a component must satisfy beyond length and character set.
type check uint8

const (
	checkNothing check = iota
	checkDigit
	checkCharacters
	checkDate
	checkDateDay0
	checkTime
	checkHour
	checkMinute
	checkZero
	checkPiece
	checkHyphen
)

func checkNamed(name string) check {
	switch name {
	case "":
		return checkNothing
	case "csum":
		return checkDigit
	case "pair":
		return checkCharacters
	case "date":
		return checkDate
	case "date0":
		return checkDateDay0
	case "time":
		return checkTime
	case "hour":
		return checkHour
	case "minute", "second":
		return checkMinute
	case "zero":
		return checkZero
	case "piece":
		return checkPiece
	case "hyphen":
		return checkHyphen
	}
	panic("gs1: no check " + name)
}

// flaw gives the reason code of what is wrong with an element's data, or "".
// year is the present one, for two-digit years. It does not allocate.
func (d *definition) flaw(v string, year int) string {
	if len(v) < d.min {
		return CodeTooShort
	}
	if len(v) > d.max {
		return CodeTooLong
	}
	for i := range d.components {
		c := &d.components[i]
		if c.optional && v == "" {
			return ""
		}
		n := min(c.max, len(v))
		if n < c.min {
			return CodeTooShort
		}
		part := v[:n]
		v = v[n:]
		if !within(part, c.set) {
			return CodeBadCharacter
		}
		if f := c.check.flaw(part, year); f != "" {
			return f
		}
	}
	if v != "" {
		return CodeTooLong
	}
	return ""
}

func (c check) flaw(s string, year int) string {
	switch c {
	case checkDigit:
		if !ValidCheckDigit(s) {
			return CodeCheckDigit
		}
		if isZero(s) {
			return CodeImpossibleValue
		}
	case checkCharacters:
		if len(s) < 3 {
			return CodeTooShort
		}
		first, second := checkPair(s[:len(s)-2])
		if s[len(s)-2] != first || s[len(s)-1] != second {
			return CodeCheckDigit
		}
	case checkDate, checkDateDay0:
		d, ok := readDate(s, year)
		if !ok || (c == checkDate && !d.DayGiven) {
			return CodeImpossibleDate
		}
	case checkTime:
		if atoi(s[:2]) > 23 || atoi(s[2:]) > 59 {
			return CodeImpossibleDate
		}
	case checkHour:
		if atoi(s) > 23 {
			return CodeImpossibleDate
		}
	case checkMinute:
		if atoi(s) > 59 {
			return CodeImpossibleDate
		}
	case checkZero:
		if !isZero(s) {
			return CodeImpossibleValue
		}
	case checkPiece:
		piece, total := atoi(s[:2]), atoi(s[2:])
		if piece < 1 || piece > total {
			return CodeImpossibleValue
		}
	case checkHyphen:
		if s != "-" {
			return CodeBadCharacter
		}
	}
	return ""
}
