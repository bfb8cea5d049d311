package trust

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"log/slog"
	"strings"

	"branchline/internal/fault"
)

// Characters of each part of a code, five bits each.
const (
	pinLen    = 26
	secretLen = 20
	checkLen  = 4
	codeLen   = pinLen + secretLen + checkLen
	groupLen  = 5
	// maxTyped bounds what is looked at as a code, in bytes.
	maxTyped = 256
)

// alphabet is Crockford's base32: without I, L, O and U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codePrefix is what every code begins with.
const codePrefix = "BL"

// Code lets one PC become one branch's, once. It does not print: [Code.Reveal]
// is what is given to a person.
type Code struct {
	// Authority is whose certificate the enrolling PC must meet.
	Authority Pin
	Secret    Secret
}

// Pin is the first 130 bits of the SHA-256 of an authority's public key, in the
// form of SubjectPublicKeyInfo, as 26 characters.
type Pin string

// PinOf gives the pin of an authority.
func PinOf(authority *x509.Certificate) Pin {
	sum := sha256.Sum256(authority.RawSubjectPublicKeyInfo)
	return Pin(spell(sum[:], pinLen))
}

// Secret is the part of a code that only its bearer and, for a moment, the hub
// knows: 100 random bits as 20 characters. It does not print.
type Secret struct{ text string }

// Reveal is the secret for the message to the hub, and for nothing else.
func (s Secret) Reveal() string { return s.text }

// Sum is what the hub keeps in place of the secret.
func (s Secret) Sum() [sha256.Size]byte {
	return sha256.Sum256([]byte("branchline/1/enrolment " + s.text))
}

func (s Secret) String() string             { return "(secret)" }
func (s Secret) GoString() string           { return "(secret)" }
func (s Secret) LogValue() slog.Value       { return slog.StringValue("(secret)") }
func (c Code) String() string               { return "(code)" }
func (c Code) GoString() string             { return "(code)" }
func (c Code) LogValue() slog.Value         { return slog.StringValue("(code)") }
func (c Code) MarshalText() ([]byte, error) { return []byte("(code)"), nil }

// ReadSecret takes the secret of a message; ok is false for what cannot be one.
func ReadSecret(text string) (s Secret, ok bool) {
	if len(text) != secretLen || strings.Trim(text, alphabet) != "" {
		return Secret{}, false
	}
	return Secret{text}, true
}

// NewCode makes a code for an authority.
func NewCode(authority Pin) Code {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return Code{Authority: authority, Secret: Secret{spell(b[:], secretLen)}}
}

// Reveal is the code as it is told to a person: BL and ten groups of five.
func (c Code) Reveal() string {
	all := string(c.Authority) + c.Secret.text
	all += check(all)
	var b strings.Builder
	b.WriteString(codePrefix)
	for i := 0; i < len(all); i += groupLen {
		b.WriteByte('-')
		b.WriteString(all[i:min(i+groupLen, len(all))])
	}
	return b.String()
}

// ParseCode reads a code as a person types it: capitals or not, with any blanks
// and hyphens, O for 0, and I or L for 1. Errors are faults of class Data,
// "bad_code", and do not repeat what was typed.
func ParseCode(typed string) (Code, error) {
	bad := func(format string, args ...any) (Code, error) {
		return Code{}, fault.New(fault.Data, "bad_code", format, args...).
			WithHint("type it as branchline-hub branch add printed it, or have a new one made")
	}
	if len(typed) > maxTyped {
		return bad("the enrolment code is too long")
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(typed) {
		switch r {
		case ' ', '-', '\t', '\r', '\n', '–', '\u00a0':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		if b.Len() >= len(codePrefix) && !strings.ContainsRune(alphabet, r) {
			return bad("the enrolment code holds a character that none has, at place %d", b.Len()+1)
		}
		b.WriteRune(r)
	}
	all, ok := strings.CutPrefix(b.String(), "B1") // L is read as 1
	if !ok {
		return bad("an enrolment code begins with %s", codePrefix)
	}
	if len(all) != codeLen {
		return bad("the enrolment code has %d characters after %s, want %d", len(all), codePrefix, codeLen)
	}
	if all[codeLen-checkLen:] != check(all[:codeLen-checkLen]) {
		return bad("the enrolment code is mistyped")
	}
	return Code{Authority: Pin(all[:pinLen]), Secret: Secret{all[pinLen : pinLen+secretLen]}}, nil
}

// check gives the characters that make a mistyped code show.
func check(s string) string {
	sum := sha256.Sum256([]byte("branchline/1/code " + s))
	return spell(sum[:], checkLen)
}

// spell writes the first 5n bits of b as n characters.
func spell(b []byte, n int) string {
	out := make([]byte, 0, n)
	acc, bits := uint(0), 0
	for _, x := range b {
		for acc, bits = acc<<8|uint(x), bits+8; bits >= 5 && len(out) < n; bits -= 5 {
			out = append(out, alphabet[acc>>(bits-5)&31])
		}
		acc &= 1<<bits - 1
	}
	return string(out)
}
