package ifa

import (
	"strings"

	"branchline/internal/gs1"
)

// The characters that ISO/IEC 15434 gives an envelope.
const (
	header = "[)>"
	rs     = "\x1e"
	gs     = "\x1d"
	eot    = "\x04"
)

// MaxLength bounds a code, in bytes.
const MaxLength = gs1.MaxLength

// Envelope is a message of ISO/IEC 15434 with one format in it.
type Envelope struct {
	// Format is "05" (GS1 element strings), "06" (data identifiers of ANSI
	// MH10.8.2) or another number.
	Format string
	// Data stands between the format's GS and the record's RS.
	Data string
}

// IsEnvelope tells whether s begins like a message of ISO/IEC 15434.
func IsEnvelope(s string) bool { return strings.HasPrefix(s, header) }

// Open takes the envelope off. The EOT at the end may be missing, since some
// scanners and drivers swallow it; the RS before it may not, as nothing else
// would show that the code came whole.
func Open(s string) (Envelope, error) {
	if len(s) > MaxLength {
		return Envelope{}, refuse(gs1.CodeTooLong, "the code has %d characters, more than %d", len(s), MaxLength)
	}
	rest, ok := strings.CutPrefix(s, header)
	if !ok {
		return Envelope{}, refuse(gs1.CodeScheme, "%.40q does not begin with %s", s, header)
	}
	if rest, ok = strings.CutPrefix(rest, rs); !ok {
		return Envelope{}, lostControl(s)
	}
	rest, ended := strings.CutSuffix(strings.TrimSuffix(rest, eot), rs)
	if !ended {
		return Envelope{}, refuse(gs1.CodeTooShort, "the code does not end with RS, as ISO 15434 wants it: it may not have come whole: %.60q", s)
	}
	if strings.ContainsAny(rest, rs+eot) {
		return Envelope{}, refuse(gs1.CodeAmbiguous, "the code holds more than one message: %.60q", s)
	}
	if len(rest) < 3 || !digits(rest[:2]) || rest[2] != gs[0] {
		return Envelope{}, lostControl(s)
	}
	return Envelope{Format: rest[:2], Data: rest[3:]}, nil
}

func lostControl(s string) error {
	return refuse(gs1.CodeMissingSeparator, "the control characters RS and GS are missing from the code: %.60q", s).
		WithHint("set the scanner to send control characters (GS, RS, EOT), or name what it sends in their place")
}
