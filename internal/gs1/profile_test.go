package gs1_test

import (
	"strings"
	"testing"
	"time"

	"branchline/internal/fault"
	"branchline/internal/gs1"
)

var clock = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func TestUnsafeSubstitutesAreRefused(t *testing.T) {
	for name, p := range map[string]gs1.Profile{
		"can be part of a lot":        {Substitute: "%"},
		"all of it can be":            {Substitute: "<GS>"},
		"digits, even if insisted on": {Substitute: "29", SubstituteInData: true},
		"starts a symbology":          {Substitute: "]d"},
		"end of line":                 {Substitute: "\r"},
		"too long":                    {Substitute: "{SEPARATOR}"},
		"a state that does not exist": {Separators: 3},
		"the same, with a substitute": {Substitute: "|", Separators: 3},
	} {
		t.Run(name, func(t *testing.T) {
			err := p.Validate()
			if fault.CodeOf(err) != gs1.CodeBadProfile || fault.ClassOf(err) != fault.Setup {
				t.Fatalf("%+v: %v", p, err)
			}
			if p.Substitute == "" {
				return
			}
			if _, err := gs1.Parse("4012345678901", p, clock); fault.CodeOf(err) != gs1.CodeBadProfile {
				t.Errorf("%+v was used all the same: %v", p, err)
			}
		})
	}
}

func TestSeparatorsAsText(t *testing.T) {
	for _, s := range []gs1.Separators{gs1.SeparatorsUnproved, gs1.SeparatorsProved, gs1.SeparatorsDropped} {
		text, err := s.MarshalText()
		var back gs1.Separators
		if err != nil || back.UnmarshalText(text) != nil || back != s {
			t.Errorf("%v became %q and %v", s, text, back)
		}
	}
	var s gs1.Separators
	if err := s.UnmarshalText([]byte("sometimes")); fault.ClassOf(err) != fault.Setup {
		t.Errorf("sometimes: %v", err)
	}
}

func TestInputIsBounded(t *testing.T) {
	longest := "]d291" + strings.Repeat("\x1d", gs1.MaxLength-6) + "A"
	for raw, want := range map[string]string{
		longest:                               gs1.CodeTooShort, // its first element is empty
		longest + "A":                         gs1.CodeTooLong,
		strings.Repeat("21", gs1.MaxLength/2): gs1.CodeNotGS1,
	} {
		if _, err := gs1.Parse(raw, gs1.Profile{}, clock); fault.CodeOf(err) != want {
			t.Errorf("%d characters: %v, want %s", len(raw), err, want)
		}
	}
}

func TestPersonalDataNeverReachTheError(t *testing.T) {
	for _, raw := range []string{
		"]d2801840123450000000012" + "3", "8018SECRET", "]d27253SECRET", "7256SECRET", "7250SECRET", "4301SECRET",
		"]d2010401234567890110A\x1d7253SECRET",
	} {
		c, err := gs1.Parse(raw, gs1.Profile{}, clock)
		if fault.CodeOf(err) != gs1.CodePersonal || c.Raw != "" {
			t.Errorf("%q: %+v, %v", raw, c, err)
		}
		if strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "40123") {
			t.Errorf("the error holds the data: %v", err)
		}
	}
}
