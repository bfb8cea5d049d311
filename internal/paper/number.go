package paper

import (
	"crypto/rand"
	"strings"

	"branchline/internal/fault"
)

// Number is a form's own number, without dashes: a letter for its kind, eight
// characters by chance and a check character, "D7K2M9Q4X3". It is printed as
// "D7K2-M9Q4-X3"; its barcode holds [Number.Barcode]. The eight are of 8.5 × 10¹¹,
// so that forms printed anywhere, without asking anybody, have each their own.
type Number string

// alphabet has 31 characters, a prime, so that the check character finds each
// wrong character and each two that are exchanged. I, L, O, U and Z are left out:
// in handwriting they are 1, 1, 0, V and 2.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXY"

const (
	chance = 8
	length = 1 + chance + 1
)

// barcode begins what a form's barcode holds. Scanners take what begins with BL-
// for a command, and never for a product.
const barcode = "BL-FORM-"

// NewNumber makes a number that no other form has.
func NewNumber(k Kind) Number {
	b := []byte{k.letter()}
	for len(b) < 1+chance {
		var one [1]byte
		_, _ = rand.Read(one[:]) // it never fails
		if i := int(one[0]) & 31; i < len(alphabet) {
			b = append(b, alphabet[i])
		}
	}
	return Number(append(b, check(b)))
}

// check is the check character: the sum of the characters' places in the alphabet,
// each times its own weight, modulo 31.
func check(body []byte) byte {
	sum := 0
	for i, c := range body {
		sum += (i + 1) * strings.IndexByte(alphabet, c)
	}
	return alphabet[sum%len(alphabet)]
}

// Parse reads a number as it is printed, scanned or typed: with or without dashes,
// blanks, small letters, or the barcode's beginning. Letters that are none of a
// number are read as what they look like. Anything else is a fault of class Data,
// "bad_form_number".
func Parse(text string) (Number, error) {
	bad := func(why string) (Number, error) {
		return "", fault.New(fault.Data, "bad_form_number", "%.40q is no form's number: %s", text, why).
			WithHint("scan the barcode at the top of the form, or type the number below it")
	}
	s := strings.ToUpper(strings.TrimSpace(text))
	if len(s) > 40 {
		return bad("it is too long")
	}
	s = strings.TrimPrefix(s, barcode)
	s = strings.NewReplacer("-", "", " ", "", "I", "1", "L", "1", "O", "0", "U", "V", "Z", "2").Replace(s)
	if len(s) != length {
		return bad("it has 10 letters and digits")
	}
	for i := range len(s) {
		if strings.IndexByte(alphabet, s[i]) < 0 {
			return bad("it holds something else than letters and digits")
		}
	}
	if s[length-1] != check([]byte(s[:length-1])) {
		return bad("a letter or digit is wrong, or two are exchanged")
	}
	n := Number(s)
	if n.Kind() == "" {
		return bad("it does not begin with R or D")
	}
	return n, nil
}

// Kind is what the form is for; empty for what is no number.
func (n Number) Kind() Kind {
	for _, k := range Kinds {
		if n != "" && n[0] == k.letter() {
			return k
		}
	}
	return ""
}

// String is the number as it is printed. What has another length is given as it is.
func (n Number) String() string {
	if len(n) != length {
		return string(n)
	}
	return string(n[:4] + "-" + n[4:8] + "-" + n[8:])
}

// Barcode is what the form's barcode holds.
func (n Number) Barcode() string { return barcode + string(n) }
