package gs1

// Symbology is what stands between "]" and the data: a code character and a
// modifier by ISO/IEC 15424; "" when the scanner sends none.
type Symbology string

// The symbologies that trade items come in.
const (
	NoSymbology   Symbology = ""
	GS1DataMatrix Symbology = "d2"
	DataMatrix    Symbology = "d1"
	GS1128        Symbology = "C1"
	Code128       Symbology = "C0"
	GS1DataBar    Symbology = "e0"
	GS1QR         Symbology = "Q3"
	QR            Symbology = "Q1"
	GS1DotCode    Symbology = "J1"
	// EAN13 is sent for EAN-13, UPC-A and UPC-E alike.
	EAN13  Symbology = "E0"
	EAN8   Symbology = "E4"
	Code39 Symbology = "A0"
	ITF    Symbology = "I0"
)

type kind uint8

const (
	kindUnsaid kind = iota
	kindElements
	kindEAN
	kindEAN8
	kindITF
	kindCode39
	// kindPlain symbols hold free data that may look like anything.
	kindPlain
	kindOther
)

func (s Symbology) kind() kind {
	switch s {
	case NoSymbology:
		return kindUnsaid
	case GS1DataMatrix, GS1128, GS1DataBar, GS1QR, GS1DotCode:
		return kindElements
	case EAN13:
		return kindEAN
	case EAN8:
		return kindEAN8
	case ITF, "I1":
		return kindITF
	}
	switch s[0] {
	case 'A':
		return kindCode39
	case 'd', 'C', 'Q', 'J':
		return kindPlain
	}
	return kindOther
}

// inverted tells whether the identifier makes sense only with upper and lower
// case exchanged, as Caps Lock does to a keyboard wedge. "e0" for "E0" cannot
// be seen here; its thirteen digits fail as an element string.
func (s Symbology) inverted() bool {
	switch s {
	case "D1", "D2", "c0", "c1", "q1", "q3", "j1":
		return true
	}
	return false
}

// name writes the identifier for a message, whatever bytes it holds.
func (s Symbology) name() string { return quote("]" + string(s)) }

// cutSymbology takes the identifier off the data.
func cutSymbology(s string) (Symbology, string) {
	if len(s) < 3 || s[0] != ']' {
		return NoSymbology, s
	}
	return Symbology(s[1:3]), s[3:]
}
