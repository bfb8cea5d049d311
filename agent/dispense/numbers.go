package dispense

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// paperWords are words beside the number of a receipt, a lot or a serial number, in
// lower case.
var paperWords = wordSet(`nr no ch lot lots batch batches charge chargen chge serial serien seriennr number nummer numero número num
	nro receipt receipts invoice invoices order orders sale sales refund refunds return returns void ticket tickets docket
	slip bill bills till tills register terminal counter desk cash pos shop shops store stores branch main session shift
	delivery note transaction trans trx ref reference dispense dispensing prescription prescriptions script pharmacy
	drugstore hospital ward north south east west city center centre central market station street floor front back left right
	beleg belege belegnr bon bons bonnr kassenbon kasse kassen kassa haupt hauptkasse nebenkasse rezept rezepte rezeptnr rechnung rechnungen rechnungsnr
	lieferschein auftrag auftragsnr vorgang vorgangsnr quittung storno filiale filialen apotheke apotheken markt mitte nord
	süd sued ost west stadt bahnhof zentrum zentrale theke schalter abgabe verkauf schicht tag nacht
	facture factures ticket caisse caisses vente ventes ordonnance pharmacie officine magasin commande reçu recu avoir lot
	factura facturas recibo caja venta ventas receta farmacia tienda pedido lote lotes albarán
	scontrino scontrini cassa ricetta ricette fattura farmacia negozio vendita lotto lotti ordine
	bon kassa kassabon recept recepten factuur apotheek winkel verkoop partij bestelling
	unknown none unbekannt ohne keine keiner`)

// numbered tells whether a text can be a number with letters in it: what has a digit,
// is of at most [maxLetters] letters, or is drawn by a machine. Beside it may stand
// words of papers, and no other, as they can be a name.
func numbered(text []byte) bool {
	_, digit, letters := runs(text)
	if letters < 2 {
		return !digit || !birthDay.Match(text)
	}
	s := string(text)
	if !digit {
		return letters <= maxLetters || drawnLetters(s) || paper(s, maxLetters)
	}
	if strings.ContainsAny(s, wordEnds) {
		for p := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(wordEnds, r) }) {
			if !strings.ContainsFunc(p, unicode.IsDigit) && !paper(p, maxLetters) {
				return false
			}
		}
	}
	if !byMachine(s) && !uuidForm.MatchString(s) && !hexForm.MatchString(s) && !ofPlace(s) {
		for _, w := range writtenWords.FindAllString(s, -1) {
			if !paperWords[strings.ToLower(w)] {
				return false
			}
		}
	}
	return !(strings.Contains(s, "19") || strings.Contains(s, "200") || strings.Contains(s, "201")) || !birthDate.MatchString(s) || uuidForm.MatchString(s) || paper(s, 1)
}

// byMachine tells what was drawn from an alphabet of digits and letters by how often it
// changes between digits, capitals and small letters where no sign parts them: a name
// with a number beside it does so once or twice. The capital that a word begins with
// makes no difference.
func byMachine(s string) bool {
	const digit, capital, small = 1, 2, 3
	last, run, changes := 0, 0, 0
	for _, r := range s {
		kind := 0
		switch {
		case unicode.IsDigit(r):
			kind = digit
		case unicode.IsUpper(r):
			kind = capital
		case unicode.IsLetter(r):
			kind = small
		}
		if kind != 0 && last != 0 && kind != last && (kind != small || last != capital || run > 1) {
			changes++
		}
		if last == 0 {
			run = 0
		}
		last, run = kind, run+1
	}
	return changes >= 4
}

// ofPlace tells whether one word says what a shop or a till is called: then another may
// be its town.
func ofPlace(s string) bool {
	return slices.ContainsFunc(lettersOf(strings.ToLower(s)), func(w string) bool { return placeWords[w] })
}

var placeWords = wordSet(`pos shop shops store stores till tills register terminal kasse kassa caisse caja cassa kassen filiale filialen branch
	apotheke pharmacy pharmacie farmacia apotheek drugstore magasin tienda negozio winkel`)

// wordEnds part what is written one beside the other.
const wordEnds = " ,;\t\u00a0"

// paper tells whether all words of more than short letters are those of papers.
func paper(s string, short int) bool {
	for _, w := range lettersOf(strings.ToLower(s)) {
		if utf8.RuneCountInString(w) > short && !paperWords[w] {
			return false
		}
	}
	return true
}

// maxCapitals is how many letters a lot without a digit has at most.
const maxCapitals = 8

// capitals tells whether a text is one word of capital letters, as some makers write
// their lots.
func capitals(text []byte) bool {
	for _, c := range text {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return len(text) <= maxCapitals
}

// drawnLetters tells whether a text without a digit is drawn from an alphabet, as what
// tills of today name their sales by: of one piece, longer than nearly all names, and
// with capitals where no name has them.
func drawnLetters(s string) bool {
	const longest = 16
	if len(s) < longest || strings.ContainsAny(s, wordEnds) {
		return false
	}
	return !writtenForm.MatchString(s)
}

const writtenWord = `((\p{Lu}\p{Ll}+){1,3}|\p{Ll}+)`

var (
	// writtenForm is how names are written: müller, MÜLLER, Anna-Maria von McMüller.
	writtenForm = regexp.MustCompile(`^([^\p{Lu}]+|[^\p{Ll}]+|\P{L}*` + writtenWord + `(\P{L}+` + writtenWord + `)*\P{L}*)$`)
	uuidForm    = regexp.MustCompile(`^\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?$`)
	// writtenWords are written as names are, with digits beside them or not.
	writtenWords = regexp.MustCompile(`\p{Lu}\p{Ll}{3,}|\p{Ll}{4,}`)
	hexForm      = regexp.MustCompile(`^[0-9A-Fa-f]{16,}$`)
	// birthDay is a whole day up to 2019, with signs between its parts, and nothing else.
	birthDay = regexp.MustCompile(`^\D*([0-3]?\d[./-][01]?\d[./-](19\d\d|20[01]\d)|(19\d\d|20[01]\d)[./-][01]?\d[./-][0-3]?\d)\D*$`)
	// birthDate finds a whole day up to 2019, with signs between its parts or as eight
	// digits, which beside words can be when somebody was born.
	birthDate = regexp.MustCompile(`(^|\D)([0-3]?\d[./-][01]?\d[./-](19\d\d|20[01]\d)|(19\d\d|20[01]\d)[./-][01]?\d[./-][0-3]?\d)(\D|$)|` +
		`(^|[^\pL\d])(19\d\d[01]\d[0-3]\d|[0-3]\d[01]\d19\d\d)([^\pL\d]|$)`)
)
