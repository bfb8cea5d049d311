package gs1

import (
	"strings"

	"branchline/internal/fault"
)

// GS is the separator as ISO/IEC 15424 transmits it.
const GS = "\x1d"

// Separators says what is known about a scanner and its way to us: whether the
// separators of a code arrive.
type Separators uint8

const (
	// SeparatorsUnproved: nothing is known yet.
	SeparatorsUnproved Separators = iota
	// SeparatorsProved: earlier codes of this scanner came with separators;
	// see Code.ProvesSeparators.
	SeparatorsProved
	// SeparatorsDropped: this scanner is known to lose them.
	SeparatorsDropped
)

var separatorNames = [...]string{"unproved", "proved", "dropped"}

func (s Separators) String() string {
	if int(s) < len(separatorNames) {
		return separatorNames[s]
	}
	return "invalid"
}

// MarshalText writes the name used in configuration.
func (s Separators) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads "unproved", "proved" or "dropped".
func (s *Separators) UnmarshalText(text []byte) error {
	for i, name := range separatorNames {
		if string(text) == name {
			*s = Separators(i)
			return nil
		}
	}
	return badProfile("separators is %q, not unproved, proved or dropped", text)
}

// Profile says how one scanner is set. It belongs to the scanner, not to the
// branch: two at one counter are often set differently. The zero value is a
// scanner of which nothing is known.
type Profile struct {
	// Substitute is what the scanner sends in place of GS: "|", "#", "^", "~"
	// or a sequence such as "{GS}"; up to 8 characters, empty for none. A GS
	// that comes all the same still separates.
	Substitute string `yaml:"substitute,omitempty"`
	// SubstituteInData allows a substitute that lots and serials could hold
	// themselves; each of them then ends where it holds one.
	SubstituteInData bool `yaml:"substitute_in_data,omitempty"`
	// Separators says whether they are known to arrive.
	Separators Separators `yaml:"separators,omitempty"`
	// PlainIsGS1 reads ]d1, ]C0 and ]Q1 as if no symbology had been sent: for
	// suppliers who forget FNC1 at the start.
	PlainIsGS1 bool `yaml:"plain_is_gs1,omitempty"`
	// PZN says that eight digits may be a German PZN here: then those that
	// satisfy both check digits are ambiguous, instead of a GTIN-8.
	PZN bool `yaml:"pzn,omitempty"`
}

// Validate says what is wrong with a profile, as fault.Setup.
func (p Profile) Validate() error {
	s := p.Substitute
	switch {
	case p.Separators > SeparatorsDropped:
		return badProfile("separators has the unknown value %d", p.Separators)
	case s == "":
		return nil
	case len(s) > 8:
		return badProfile("substitute %s is longer than 8 characters", quote(s))
	case s[0] == ']':
		return badProfile("substitute %s starts like a symbology identifier", quote(s))
	case strings.ContainsAny(s, "\r\n"):
		return badProfile("substitute %s holds an end of line", quote(s))
	case within(s, digits):
		return badProfile("substitute %s consists of digits", quote(s))
	case within(s, set82) && !p.SubstituteInData:
		return badProfile("substitute %s can be part of a lot or serial", quote(s)).
			WithHint("choose |, #, ^ or ~ in the scanner, or set substitute_in_data")
	}
	return nil
}

func badProfile(format string, args ...any) *fault.Error {
	return fault.New(fault.Setup, CodeBadProfile, "scanner profile: "+format, args...)
}
