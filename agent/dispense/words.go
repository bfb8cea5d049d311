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

// NotKept stands in the place of such words.
const NotKept = "(not kept)"

// maxLetters is how many letters a number, date or numeric code may have: a unit
// behind it, the three of a month, "PZN".
const maxLetters = 3

// wordy tells whether a text is rather words than a number, a date or a code of
// digits: also a short name, which has no digit beside it.
func wordy(b []byte) bool {
	if words(b) {
		return true
	}
	long, digit, letters := runs(b)
	return long == 0 && !digit && letters > 1
}

// words tells whether a text has more letters than a unit or a month.
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
	if wordy([]byte(v)) {
		return NotKept
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
	case index == m.kind:
		return len(text) == 0 || m.e.Mapping.Kinds[string(text)] != ""
	case m.isTyped(index):
		return !wordy(text)
	}
	return len(text) == 0 || m.fits(index, text)
}

// isTyped tells whether a number, a date or a code of digits belongs in a column.
func (m *mapper) isTyped(index int) bool {
	return index >= 0 && (index == m.quantity || index == m.at || index == m.clock || index == m.expiry) ||
		index == m.product && numeric(m.e.Mapping.Schemes)
}

// shifted tells whether words stand in a column for a number, a date, a code, a kind
// or initials.
func (m *mapper) shifted() bool {
	for _, c := range m.mapped {
		text, ok := m.enc.decode(m.field[:0], trim(m.row.get(c.index)))
		m.field = text
		if ok && m.isTyped(c.index) && wordy(text) || ok && c.index == m.kind && words(text) && !m.telling(c.index, text) ||
			ok && c.index == m.by && !initials(text) {
			return true
		}
	}
	return false
}

// codeOf tells whether a column of the key holds a number with few letters, which is
// kept of a row that is shifted as well: it tells the row from others.
func (m *mapper) codeOf(index int, text []byte) bool {
	long, digit, letters := runs(text)
	return slices.Contains(m.key, index) && long == 0 && letters <= maxLetters && (digit || letters == 0) && !personalNumber.Match(text)
}

// keyed tells whether all columns of the key hold such.
func (m *mapper) keyed() bool {
	for _, index := range m.key {
		text, ok := m.enc.decode(m.field[:0], trim(m.row.get(index)))
		m.field = text
		if !ok || !m.isTyped(index) && index != m.kind && !m.codeOf(index, text) || (m.isTyped(index) || index == m.kind) && !m.telling(index, text) {
			return false
		}
	}
	return true
}

// countWords counts the columns of a bad row that hold words.
func (m *mapper) countWords() {
	for _, c := range m.mapped {
		text, ok := m.enc.decode(m.field[:0], trim(m.row.get(c.index)))
		m.field = text
		if ok && (!m.telling(c.index, text) && (words(text) || m.isTyped(c.index)) || m.free[c.index].shape.wordless() && severalWords(text) && !m.telling(c.index, text)) {
			m.wordy[c.index]++
		}
	}
}

// worded lists the columns that had words where none belong.
func (m *mapper) worded() (list []ColumnWords) {
	for _, f := range m.e.Mapping.fields() {
		for _, c := range m.mapped {
			if n := m.wordy[c.index]; n > 0 && c.name == f.column.String() && !slices.ContainsFunc(list, func(w ColumnWords) bool { return w.Column == c.name }) {
				list = append(list, ColumnWords{Column: c.name, Field: f.name, Rows: n})
			}
		}
	}
	return list
}
