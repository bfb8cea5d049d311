package dispense

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"branchline/internal/fault"
)

// Some columns hold texts that nothing proves: a lot, a serial number, the number of
// a receipt, a unit, a reason. A mapping that names a wrong column there, or a row
// that is shifted by several, would have a patient's name recorded. So each has a
// shape, and a row with something else goes to a person, who looks at the file.

// shape is what a free text must look like.
type shape int

const (
	noText shape = iota
	// numberText has a digit, or at most [maxLetters] letters, and no more than one
	// word beside it: lots, serial numbers, numbers of receipts.
	numberText
	unitText   // one of the units
	reasonText // one of the reasons
	codeText   // a product code that can have letters, of one word
	keyText    // a column of the key that is nothing else, of one word
)

type freeText struct {
	shape shape
	field string // as the mapping calls it
}

// plainUnits and plainReasons are what can stand in such columns where the mapping
// does not say it: words, in lower case, of which a unit or a reason is made.
var (
	plainUnits = wordSet(`each piece pieces pack packs package packages packet packets box boxes bottle bottles vial vials
		ampoule ampoules ampule ampules tablet tablets capsule capsules caplet caplets suppository suppositories sachet
		sachets tube tubes inhaler inhalers patch patches syringe syringes pen pens cartridge cartridges dose doses drop
		drops gram grams milligram milligrams microgram kilogram litre litres liter liters millilitre millilitres
		milliliter milliliters unit units kit kits blister blisters strip strips dozen ounce ounces pint spray sprays
		packung packungen stück stueck tablette tabletten kapsel kapseln ampulle ampullen flasche flaschen tube tuben
		zäpfchen zaepfchen beutel dosis dosen pflaster spritze spritzen karton schachtel schachteln gramm milligramm
		boîte boite boîtes comprimé comprime comprimés gélule gélules flacon flacons sachets doos dozen tabletten stuks
		caja cajas comprimido comprimidos frasco frascos scatola compresse of`)
	plainReasons = wordSet(`broken breakage damaged damage defective expired expiry expiration recall recalled spilled
		spillage spilt lost theft stolen contaminated contamination destroyed destruction wasted waste wastage returned
		return refused wrong error correction test cold chain temperature storage leaking leak opened unused quality first
		partial full final complete completed refill fill fills new void voided cancelled canceled reversal duplicate
		abgelaufen verfallen verfall bruch beschädigt beschaedigt defekt rückruf rueckruf verlust diebstahl verschüttet
		verschuettet kühlkette kuehlkette retoure vernichtet vernichtung verworfen storno korrektur fehler périmé cassé
		and or by in of on the not`)
)

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
	add(m.reason, reasonText, "reason")
	add(m.lot, numberText, "lot")
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
		return numbered(text)
	case unitText:
		return known(text, m.units, plainUnits)
	case reasonText:
		return known(text, m.reasons, plainReasons)
	case codeText, keyText:
		return !severalWords(text)
	}
	return true
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

// known tells whether a text is one of those that are listed, or is made of plain
// words where none are.
func known(text []byte, listed, plain map[string]bool) bool {
	lower := strings.ToLower(string(text))
	if listed != nil {
		return listed[lower]
	}
	if !words(text) {
		return true
	}
	for _, w := range lettersOf(lower) {
		if utf8.RuneCountInString(w) > 2 && !plain[w] {
			return false
		}
	}
	return true
}

// numbered tells whether a text can be a number with letters in it.
func numbered(text []byte) bool {
	long, digit, letters := runs(text)
	return long < 2 && (digit || letters <= maxLetters)
}

// severalWords tells whether a text is rather several words than a code.
func severalWords(text []byte) bool {
	long, digit, letters := runs(text)
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
