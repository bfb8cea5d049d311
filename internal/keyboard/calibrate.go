package keyboard

import (
	"slices"
	"strings"

	"branchline/internal/symbol"
)

// GS is the separator that the barcode's FNC1 becomes.
const GS = "\x1d"

const (
	letters = "AZQWYMazqwym"
	signs   = "-/;:'\"+_()=?&%*.,!<>"
	digits  = "0123456789"
	// Text is what the calibration barcode means: digits, letters that layouts
	// exchange, the separator, signs that layouts exchange, and the end.
	Text = digits + letters + GS + signs + "9"
)

// Draw gives the barcode to be printed: Code 128 with FNC1 for the separator.
func Draw() (symbol.SVG, error) {
	return symbol.Code128(strings.Replace(Text, GS, symbol.FNC1, 1), "Calibration of a scanner that types like a keyboard", 50)
}

// Problem is what was found to be wrong, by a stable code, and in words that
// say what to do.
type Problem struct{ Code, Text string }

// Finding is what one scan of the calibration barcode shows.
type Finding struct {
	// Recognised tells whether the text is the calibration's at all.
	Recognised bool
	// Problems are empty when all is well.
	Problems []Problem
	// Substitute is what comes in the place of GS and would do, were it told;
	// empty for nothing.
	Substitute string
}

// Has tells whether a problem of that code was found.
func (f *Finding) Has(code string) bool {
	return slices.ContainsFunc(f.Problems, func(p Problem) bool { return p.Code == code })
}

// separators are what may come in the place of GS, the longest first.
var separators = []string{GS, `\u001d`, `\x1d`, `\x1D`, "{GS}", "<GS>", "[GS]", "(GS)", "029", "GS", "^]", "␝", "|", "~", "#", "^", "\t", "\x1c", "\x1e", "]", "@", "§"}

// Diagnose says what the text that came of the calibration barcode shows.
func Diagnose(text string) Finding {
	text = strings.TrimRight(text, "\r\n\t")
	if len(text) > 3 && text[0] == ']' {
		text = text[3:]
	}
	for _, scanner := range []string{"us", "de", "fr", "uk", "it", "es", "ch"} {
		for _, pc := range append([]string{scanner}, layouts()...) {
			for _, caps := range []bool{false, true} {
				if sep, ok := fits(text, scanner, pc, caps); ok {
					return found(scanner, pc, sep, caps)
				}
			}
		}
	}
	var f Finding
	switch {
	case strings.HasPrefix(Text, text) && text != "" || strings.HasPrefix(text, digits+letters) && len(text) < len(Text)-3:
		f.add("cut_short", "Only a part of the code came: the separator (GS) may have been taken for the end, as TAB with Num Lock off. Turn Num Lock on and scan again")
	case !strings.ContainsAny(text, "0123456789") && text != "":
		f.add("num_lock", "No digit came: turn Num Lock on, or let the scanner type digits by the upper row")
	default:
		f.add("not_calibration", "This is not the calibration barcode, or the scanner's layout is none that is known: set scanner and PC to the same layout")
	}
	return f
}

// fits tells whether text is what comes of the barcode that way.
func fits(text, scanner, pc string, caps bool) (separator string, ok bool) {
	head, tail := through(digits+letters, scanner, pc, caps), through(signs+"9", scanner, pc, caps)
	rest, ok := strings.CutPrefix(text, head)
	if !ok {
		return "", false
	}
	rest, ok = strings.CutSuffix(rest, tail)
	if !ok {
		return "", false
	}
	if rest == "" {
		return "", true
	}
	for _, s := range separators {
		if rest == through(s, scanner, pc, caps) {
			return s, true
		}
	}
	// What is sent as a character and not as a key comes as it is.
	return rest, slices.Contains(separators, rest)
}

func through(s, scanner, pc string, caps bool) string {
	if caps {
		s = swapCase(s)
	}
	return mangle(s, scanner, pc)
}

// swapCase is what Caps Lock does to letters.
func swapCase(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 32
		case c >= 'A' && c <= 'Z':
			return c + 32
		}
		return c
	}, s)
}

func found(scanner, pc, separator string, caps bool) Finding {
	f := Finding{Recognised: true}
	if caps {
		f.add("caps_lock", "Caps Lock is on: upper and lower case are exchanged, and lots come out wrong. Turn it off")
	}
	if scanner != pc {
		f.add("layout", "The scanner types as for a "+words[scanner]+" keyboard and this PC has a "+words[pc]+" one: set the scanner to "+words[pc])
	}
	switch separator {
	case GS:
	case "":
		f.add("separator_lost", "The separator (GS) did not arrive: set the scanner to send it as a control character, or as | in its place. If it sends Alt+029, Num Lock must be on")
	case "029":
		f.add("separator_alt", "The separator (GS) came as the digits 029: Alt was lost on the way. Set the scanner to send control characters, or | in its place")
	case "GS":
		f.add("separator_words", "The separator came as the letters GS, which a lot can hold: set the scanner to send | in its place")
	default:
		f.Substitute = separator
		f.add("separator_substitute", "The separator (GS) comes as "+separator+": that is well once it is set as the substitute")
	}
	return f
}

func (f *Finding) add(code, text string) { f.Problems = append(f.Problems, Problem{code, text}) }
