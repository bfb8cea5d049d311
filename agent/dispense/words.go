package dispense

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// A row can be shifted, or a column hold what it should not: then words stand
// where a number, a date or a code belongs, and they can be a patient's name. They
// are neither kept nor told.
const notKept = "(words, not kept)"

// maxLetters is how many letters a number, date or numeric code may have: a unit
// behind it, the three of a month, "PZN".
const maxLetters = 3

// words tells whether a text is rather words than a number.
func words(b []byte) bool {
	n := 0
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if i += size; unicode.IsLetter(r) {
			if n++; n > maxLetters {
				return true
			}
		}
	}
	return false
}

// shown is what may be told of a value that should be a number, a date or a code.
func shown[T string | []byte](v T) string {
	if words([]byte(v)) {
		return notKept
	}
	return string(v)
}

// initials tells whether a text can say who dispensed, and no patient's name:
// initials, a number, or a name of one word that somebody logs in by.
func initials(b []byte) bool {
	n := 0
	for _, r := range string(b) {
		if n++; n > maxInitials || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '-' && r != '_' {
			return false
		}
	}
	return true
}

func noInitials() error {
	return fault.New(fault.Data, "bad_initials", "the column that is mapped to by holds no initials").
		WithHint("compare the row with the header: it may be shifted; map by to a column that holds who dispensed, or to none")
}

// numeric tells whether the codes of all schemes are digits.
func numeric(schemes []movement.Scheme) bool {
	return !slices.ContainsFunc(schemes, func(s movement.Scheme) bool { return s != movement.GTIN && s != movement.NDC && s != movement.PZN })
}

// telling tells whether what stands in a column may be kept.
func (m *mapper) telling(index int, text []byte) bool {
	switch {
	case index == m.by && !initials(text):
		return false
	case slices.Contains([]int{m.quantity, m.at, m.clock, m.expiry}, index), index == m.product && numeric(m.e.Mapping.Schemes):
		return !words(text)
	}
	return true
}
