package gs1

import (
	"strconv"

	"branchline/internal/fault"
)

// Reason codes of the errors of this package. All are of class fault.Data but
// CodeBadProfile, which is fault.Setup.
const (
	CodeAmbiguous        = "ambiguous"
	CodeBadCharacter     = "bad_character"
	CodeBadProfile       = "bad_profile"
	CodeCapsLock         = "caps_lock"
	CodeCheckDigit       = "check_digit"
	CodeConflict         = "conflicting_element"
	CodeImpossibleDate   = "impossible_date"
	CodeImpossibleValue  = "impossible_value"
	CodeMissingSeparator = "missing_separator"
	CodeNotGS1           = "not_gs1"
	CodeNotTradeItem     = "not_trade_item"
	// CodePersonal: the raw code must not be stored, logged or sent.
	CodePersonal    = "personal_code"
	CodeScheme      = "scheme_not_supported"
	CodeTooLong     = "too_long"
	CodeTooShort    = "too_short"
	CodeUnknownAI   = "unknown_ai"
	CodeWrongLength = "wrong_length"
)

var hints = map[string]string{
	CodeAmbiguous:        "let the scanner send symbology identifiers, or type the number below the bars",
	CodeBadCharacter:     "check the scanner's keyboard layout, Caps Lock, Num Lock and its setting for GS",
	CodeCapsLock:         "turn Caps Lock off and scan again",
	CodeCheckDigit:       "scan again; if it was typed, compare every digit with the pack",
	CodeConflict:         "scan one code at a time; if the pack itself says so, enter it by hand",
	CodeImpossibleDate:   "read the date from the pack and enter it by hand",
	CodeImpossibleValue:  "read the value from the pack and enter it by hand",
	CodeMissingSeparator: "set the scanner to send GS for FNC1, or enter lot and serial from the pack",
	CodeNotGS1:           "scan another code of the pack, or type the number below the bars; what was kept for a person is discarded at the hub when it was recorded again",
	CodeNotTradeItem:     "scan the code of the product",
	CodePersonal:         "scan the code of the product; this scan is not kept",
	CodeScheme:           "scan the GS1 code or the EAN of the pack, if it has one",
	CodeTooLong:          "scan one code at a time",
	CodeTooShort:         "scan again; the code did not arrive whole",
	CodeUnknownAI:        "scan again; if it stays, enter the pack by hand and report the code",
	CodeWrongLength:      "scan again; the code did not arrive whole",
}

func refuse(code, format string, args ...any) error {
	return fault.New(fault.Data, code, format, args...).WithHint(hints[code])
}

// refuseFlaw words the flaw of one element.
func refuseFlaw(d *definition, value, code string) error {
	name := d.title + " (" + d.ai + ")"
	v := quote(value)
	switch code {
	case CodeTooShort:
		return refuse(code, "%s is too short: %s has %d characters, %s", name, v, len(value), d.lengths())
	case CodeTooLong:
		return refuse(code, "%s is too long: %s has %d characters, %s", name, v, len(value), d.lengths())
	case CodeBadCharacter:
		return refuse(code, "%s holds a character it may not hold: %s", name, v)
	case CodeCheckDigit:
		return refuse(code, "the check digit of %s is wrong: %s", name, v)
	case CodeImpossibleDate:
		return refuse(code, "%s is no date or time that exists: %s", name, v)
	}
	return refuse(code, "%s has a value that cannot be: %s", name, v)
}

func (d *definition) lengths() string {
	if d.fixed() {
		return strconv.Itoa(d.min) + " are expected"
	}
	return strconv.Itoa(d.min) + " to " + strconv.Itoa(d.max) + " are allowed"
}

// quote makes data fit for a message: visible characters only, and no more
// than one can take in.
func quote(s string) string {
	const most = 48
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
