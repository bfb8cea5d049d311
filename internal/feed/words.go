package feed

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxWords bounds what is looked at of a text.
const maxWords = 32

// Words are the words of a text in the form in which they are compared: letters
// and digits in lower case, without accents.
func Words(text string) []string {
	if len(text) > 1000 {
		text = text[:1000]
	}
	var words []string
	for w := range strings.FieldsFuncSeq(Fold(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if words = append(words, w); len(words) == maxWords {
			break
		}
	}
	return words
}

// Fold takes case and accents off a text.
func Fold(text string) string {
	ascii := true
	for i := 0; i < len(text) && ascii; i++ {
		ascii = text[i] < 0x80
	}
	if ascii {
		return strings.ToLower(text)
	}
	out := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
	return strings.ReplaceAll(out, "ß", "ss")
}

// SearchWords are the words that a product is searched by: those of its name,
// and its codes.
func (p *Product) SearchWords() []string {
	words := Words(p.Name)
	for _, c := range []string{p.Reference, p.Barcode} {
		words = append(words, Words(c)...)
	}
	for _, k := range p.Packs {
		words = append(words, strings.TrimLeft(k.GTIN, "0"))
	}
	return words
}

// Has tells whether each of the words is the beginning of a word of the product.
func (p *Product) Has(words []string) bool {
	own := p.SearchWords()
	for _, w := range words {
		if !slices.ContainsFunc(own, func(o string) bool { return strings.HasPrefix(o, w) }) {
			return false
		}
	}
	return true
}
