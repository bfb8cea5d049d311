package capture

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"branchline/agent/scan"
	"branchline/internal/fault"
	"branchline/internal/gs1"
)

// Report is what a test scan shows: what came, what was understood, why not,
// and what would mend it.
type Report struct {
	At time.Time
	// Raw shows what came, control characters by the symbols of Unicode ("␝"
	// is GS), bytes that are no text as "\xNN". Empty for a code about a person.
	Raw string
	// Bytes is how many came.
	Bytes int
	// Symbology names the symbol, as the scanner's identifier says.
	Symbology string
	Standard  scan.Standard
	// Understood tells whether the code was read with certainty; Words then say
	// it in one line, and Parts one by one.
	Understood bool
	Words      string
	Parts      []Part
	// Code and Why say what is wrong; empty when all is well.
	Code, Why string
	// Suggestions would mend it, the surest first.
	Suggestions []Suggestion
}

// Part is one element of a code.
type Part struct{ Name, ID, Value string }

// Suggestion is one setting that would mend a scanner. Setting is empty where
// it is to be made at the scanner or the PC; else [Capture.Apply] makes it.
type Suggestion struct{ Setting, Value, Why string }

var symbologies = map[string]string{
	"d2": "GS1 DataMatrix", "d1": "Data Matrix", "C1": "GS1-128", "C0": "Code 128", "e0": "GS1 DataBar", "Q3": "GS1 QR code",
	"Q1": "QR code", "J1": "GS1 DotCode", "E0": "EAN-13 or UPC", "E4": "EAN-8", "A0": "Code 39", "A1": "Code 39", "I0": "ITF", "I1": "ITF",
}

// explain reads a code as a scanner of that profile sent it, and says what is
// to be said of it. raw is without the terminator. It is pure.
func explain(raw []byte, s *Scanner, kind frameKind, at time.Time) Report {
	r := Report{At: at, Raw: visible(raw), Bytes: len(raw), Symbology: "not sent by the scanner"}
	sc := scan.Scan{Raw: raw, At: at, Purpose: s.For}
	sc.Read(s.GS1)
	r.Standard = sc.Standard
	if text := strings.TrimLeft(string(raw), gs1.GS); len(text) > 3 && text[0] == ']' {
		id := text[1:3]
		r.Symbology = symbologies[id]
		if r.Symbology == "" {
			r.Symbology = "another kind of symbol"
		}
		r.Symbology += fmt.Sprintf(" (%s)", visible([]byte(text[:3])))
	}
	if sc.Personal() {
		return Report{At: at, Bytes: len(raw), Code: gs1.CodePersonal, Why: sc.Err.Error()}
	}
	if text := sc.Text(); scan.IsCommand(text) {
		r.Standard, r.Understood, r.Words = "command", true, "the command "+text
		return r
	}
	it, err := sc.Item()
	if sc.Err == nil {
		r.Parts = parts(&sc)
	}
	switch kind {
	case cut:
		r.Code, r.Why = "half_code", "nothing ended the code: the scanner's terminator is not the one of its profile, or the code was cut short"
		r.suggest(err == nil, "terminator", string(EndIdle), "the code reads well as it came, and only its terminator is missing")
		return r
	case endless:
		r.Code, r.Why = "endless_code", fmt.Sprintf("more than %d characters came without an end", maxFrame)
		r.suggest(s.Terminator != EndIdle, "terminator", string(EndIdle), "the scanner does not end its codes as its profile says")
		return r
	}
	if err != nil {
		r.Code, r.Why = fault.CodeOf(err), err.Error()
		r.mend(raw, s, at)
		return r
	}
	r.Understood, r.Words = true, it.Words()
	if r.Symbology == "not sent by the scanner" {
		r.suggest(true, "", "", "let the scanner send symbology identifiers (AIM): then more codes are certain")
	}
	return r
}

func (r *Report) suggest(when bool, setting, value, why string) {
	if when {
		r.Suggestions = append(r.Suggestions, Suggestion{setting, value, why})
	}
}

func parts(s *scan.Scan) (list []Part) {
	for _, e := range s.Code.Elements {
		list = append(list, Part{gs1.Title(e.AI), e.AI, e.Value})
	}
	if len(list) > 0 {
		return list
	}
	it, err := s.Item()
	if err != nil {
		return nil
	}
	for _, p := range []Part{{"Product", string(it.Product.Scheme), it.Product.Code}, {"Lot", "", it.Lot}, {"Serial", "", it.Serial}, {"Expiry", "", it.ExpiryRaw}} {
		if p.Value != "" {
			list = append(list, p)
		}
	}
	return list
}

// substitutes are what scanners and keyboards send where GS belongs.
var substitutes = []string{"|", "#", "^", "~", "{GS}", "<GS>", "[GS]", "(GS)", `\x1d`, `\x1D`, `\u001d`, `\F`, "^]", "␝", "\t", "\x1c", "\x1e", "\x1f", "§", "@"}

// mend tries the settings that could be wrong, one at a time, and suggests
// those with which the code reads.
func (r *Report) mend(raw []byte, s *Scanner, at time.Time) {
	reads := func(raw string, change func(*gs1.Profile)) bool {
		p := s.GS1
		change(&p)
		sc := scan.Scan{Raw: []byte(raw), At: at}
		if p.Validate() == nil {
			sc.Read(p)
		}
		_, err := sc.Item()
		return p.Validate() == nil && err == nil
	}
	same := func(*gs1.Profile) {}
	text := string(raw)
	inside := strings.TrimRight(text, "\t\x03")
	for _, x := range substitutes {
		if strings.Contains(inside, x) && reads(text, func(p *gs1.Profile) { p.Substitute = x }) {
			r.suggest(true, "gs1.substitute", x, "the scanner sends "+visible([]byte(x))+" where the separator (GS) belongs")
		}
	}
	if swapped := swapCase(text); swapped != text && reads(swapped, same) {
		r.suggest(true, "", "", "Caps Lock is on: upper and lower case are exchanged. Turn it off")
	}
	r.suggest(reads(text, func(p *gs1.Profile) { p.PlainIsGS1 = true }), "gs1.plain_is_gs1", "true",
		"the supplier forgot the sign for GS1 in the symbol (FNC1); codes like this one are then read all the same")
	r.suggest(!s.GS1.PZN && reads(text, func(p *gs1.Profile) { p.PZN = true }), "gs1.pzn", "true", "eight digits can be a German PZN here")
	if r.Code == gs1.CodeMissingSeparator {
		r.suggest(s.GS1.Separators != gs1.SeparatorsDropped, "gs1.separators", "dropped",
			"the separator (GS) does not arrive: until the scanner sends it, nothing is guessed where one may be missing")
		r.suggest(true, "", "", "set the scanner to send GS, or another character such as | for FNC1")
	}
	if seven := stripped(raw); seven != "" && reads(seven, same) {
		r.suggest(s.Port != "", "line", parityOf(raw), "the scanner sends seven bits with parity")
	}
	switch c := raw; {
	case len(c) == 0:
	case c[len(c)-1] == '\t' || c[len(c)-1] == 3:
		r.suggest(reads(text[:len(c)-1], same), "terminator", string(EndIdle), "the scanner ends its codes with "+visible(c[len(c)-1:])+", which is no terminator of the profile")
	case strings.ContainsAny(text, "\r\n") && s.Terminator == EndIdle:
		first, _, _ := strings.Cut(strings.ReplaceAll(text, "\n", "\r"), "\r")
		r.suggest(reads(first, same), "terminator", string(EndCR), "the scanner ends its codes with ␍, and two of them came together")
	}
	if r.Code == gs1.CodeAmbiguous && r.Symbology == "not sent by the scanner" {
		r.suggest(true, "", "", "let the scanner send symbology identifiers (AIM): they say which of the two it is")
	}
}

// swapCase exchanges upper and lower case, as Caps Lock does.
func swapCase(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z':
			return c - 'A' + 'a'
		}
		return c
	}, s)
}

// stripped takes the eighth bit off; "" when no byte has it.
func stripped(raw []byte) string {
	b, any := make([]byte, len(raw)), false
	for i, c := range raw {
		b[i], any = c&0x7f, any || c >= 0x80
	}
	if !any {
		return ""
	}
	return string(b)
}

// parityOf tells which parity all bytes have: "7e1", or "7o1".
func parityOf(raw []byte) string {
	for _, c := range raw {
		ones := 0
		for ; c > 0; c &= c - 1 {
			ones++
		}
		if ones%2 != 0 {
			return "7o1"
		}
	}
	return "7e1"
}

// visible writes bytes for people: control characters as their pictures.
func visible(raw []byte) string {
	var b strings.Builder
	for len(raw) > 0 {
		c, n := utf8.DecodeRune(raw)
		switch {
		case c == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, raw[0])
		case c < 0x20:
			b.WriteRune(0x2400 + c)
		case c == 0x7f:
			b.WriteRune('␡')
		case c < 0xa0 && c > 0x7f:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
		raw = raw[n:]
	}
	return b.String()
}
