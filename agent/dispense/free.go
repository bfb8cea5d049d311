package dispense

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"branchline/agent/outbox"
	"branchline/internal/fault"
)

// Some columns hold texts that nothing proves: a lot, a serial number, the number of
// a receipt, a unit, a reason. A mapping that names a wrong column there, or a row
// that is shifted by several, would have a patient's name recorded. So each has a
// shape, and a row with something else goes to a person, who looks at the file; only of
// the reason, which the stock does not need, it is left out, and the row goes on.

// shape is what a free text must look like.
type shape int

const (
	noText     shape = iota
	numberText       // a number with letters in it, and words of papers: serial numbers, receipts
	lotText          // the same, or a few capital letters
	unitText         // one of the units
	reasonText       // one of the reasons
	codeText         // a product code that can have letters, of one word
	keyText          // a column of the key that is nothing else, of one word
)

// wordless tells that no words belong there but those of papers.
func (s shape) wordless() bool { return s != noText && s != unitText && s != reasonText }

type freeText struct {
	shape shape
	field string // as the mapping calls it
}

// freeTexts notes the columns of free texts. A column that is a number or a date as
// well is none.
func (m *mapper) freeTexts() {
	m.free = make([]freeText, m.columns)
	add := func(index int, s shape, field string) {
		if index < 0 || m.isTyped(index) || index == m.kind || index == m.by || m.free[index].shape != noText {
			return
		}
		m.free[index] = freeText{s, field}
	}
	add(m.unit, unitText, "unit")
	add(m.reason, reasonText, FieldReason)
	add(m.lot, lotText, "lot")
	add(m.serial, numberText, "serial")
	add(m.document, numberText, "document")
	add(m.product, codeText, "product")
	for _, index := range m.key {
		add(index, keyText, "key")
	}
	m.units, m.reasons = lowered(m.e.Mapping.Units), lowered(m.e.Mapping.Reasons)
}

func lowered(list []string) map[string]bool {
	if len(list) == 0 {
		return nil
	}
	set := map[string]bool{}
	for _, s := range list {
		set[strings.ToLower(s)] = true
	}
	return set
}

// fits tells whether a text has the shape of its column.
func (m *mapper) fits(index int, text []byte) bool {
	switch f := m.free[index]; f.shape {
	case numberText:
		return numbered(text) || index == m.document && written(text, m.e.Mapping.Documents)
	case lotText:
		return numbered(text) || capitals(text)
	case unitText:
		return known(text, m.units, isUnit)
	case reasonText:
		return known(text, m.reasons, isReason)
	case codeText:
		return m.isCode(text)
	case keyText:
		return !severalWords(text)
	}
	return true
}

// isCode tells whether a text is a product code of one word, or is written as the
// mapping says that codes are.
func (m *mapper) isCode(text []byte) bool {
	return !severalWords(text) || written(text, m.e.Mapping.Codes)
}

// written tells whether a text is like one of some patterns, in large or small
// letters.
func written(text []byte, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, _ := path.Match(strings.ToLower(pattern), strings.ToLower(string(text))) // checked by validate
		return ok
	})
}

// dispensable tells whether a text that does not fit its column is left out of its
// row: nothing but the reason is.
func (m *mapper) dispensable(index int, text []byte) bool {
	return index == m.reason && index != m.document && m.free[index].shape == reasonText && !slices.Contains(m.key, index) &&
		len(text) > 0 && !m.typed && !m.fits(index, text)
}

// fitting is why a text of its column cannot be kept; nil where it can.
func (m *mapper) fitting(index int, text []byte) error {
	if len(text) == 0 || m.typed || m.fits(index, text) {
		return nil
	}
	f := m.free[index]
	hint := "compare the row with the header: it may be shifted, or the mapping name a wrong column; look at the line in the file"
	if f.shape == unitText || f.shape == reasonText {
		hint = "add it to the mapping's " + f.field + "s, if it is one; the row may be shifted, or the mapping name a wrong column"
		return fault.New(fault.Data, "unknown_"+f.field, "column %s says no %s that is known", m.name(index), f.field).WithHint(hint)
	}
	return fault.New(fault.Data, "no_"+f.field, "column %s holds words, and no %s", m.name(index), f.field).WithHint(hint)
}

// FieldReason is the field of the mapping of which a text without its shape is left
// out of the row ([Status.Unfit]).
const FieldReason = "reason"

// unfitFields are the fields of the mapping by the code of a text without their shape.
var unfitFields = map[string]string{"unknown_unit": "unit", "unknown_reason": FieldReason, "no_lot": "lot", "no_serial": "serial",
	"no_document": "document", "no_key": "key", "no_code": "product"}

// unfit counts the rows of a chunk that were not recorded before and have a text
// without its shape, by the field.
func unfit(c *chunk, places []outbox.Place) map[string]int64 {
	var n map[string]int64
	for i, m := range c.list {
		field := ""
		switch {
		case places[i].Known:
		case m.Problem != nil:
			field = unfitFields[m.Problem.Code]
		case m.Reason == "" && m.Source.Raw != "":
			field = FieldReason // only such a good row keeps what was read
		}
		if field == "" {
			continue
		}
		if n == nil {
			n = map[string]int64{}
		}
		n[field]++
	}
	return n
}

// severalWords tells whether a text is rather several words than a code. What is of
// one piece and has a digit is a code, whatever signs part it (AMOX-CAPS-250), unless
// a day of birth stands beside letters.
func severalWords(text []byte) bool {
	long, digit, letters := runs(text)
	if digit && !bytes.ContainsAny(text, wordEnds) {
		return letters > maxLetters && birthDate.Match(text) && !uuidForm.Match(text)
	}
	return long > 1 || !digit && letters > maxLetters && strings.ContainsAny(strings.TrimSpace(string(text)), " ,")
}

// runs counts runs of more than maxLetters letters, and all letters.
func runs(text []byte) (long int, digit bool, letters int) {
	run := 0
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:])
		}
		i += size
		if !unicode.IsLetter(r) {
			digit = digit || unicode.IsDigit(r)
			run = 0
			continue
		}
		letters++
		if run++; run == maxLetters+1 {
			long++
		}
	}
	return long, digit, letters
}
