// Package ifa reads the codes of IFA, Frankfurt: the Pharmazentralnummer (PZN)
// in Code 39, and the Pharmacy Product Number (PPN) with lot, expiry and serial
// in Data Matrix, in the envelope of ISO/IEC 15434. Sources: IFA's "PPN
// Technical Specifications" 3.1 (2020) and "PPN-Code Specification for Retail
// Packaging" 2.x, ANSI MH10.8.2 for data identifiers. It is pure, safe for
// concurrent use, and never panics; what is not certain is an error of class
// fault.Data.
package ifa

import (
	"strings"

	"branchline/internal/fault"
	"branchline/internal/gs1"
)

// NormalizePZN gives the eight digits by which PZNs are compared. Those of
// seven digits, given out before 2013, are the same with a 0 in front. The last
// digit is the sum of the others, weighed 1 to 7, modulo 11; numbers with a
// remainder of 10 are not given out.
func NormalizePZN(s string) (string, error) {
	if len(s) != 7 && len(s) != 8 {
		return "", refuse(gs1.CodeWrongLength, "%.40q is no PZN: it has %d characters, not 8 or 7", s, len(s))
	}
	if !digits(s) {
		return "", refuse(gs1.CodeBadCharacter, "%.40q is no PZN: it holds something else than digits", s)
	}
	if len(s) == 7 {
		s = "0" + s
	}
	switch {
	case !gs1.ValidPZN(s):
		return "", refuse(gs1.CodeCheckDigit, "the check digit of the PZN %s is wrong", s)
	case s == "00000000":
		return "", refuse(gs1.CodeImpossibleValue, "the PZN is all zeros: it names nothing")
	}
	return s, nil
}

// ParseCode39 reads a PZN as Code 39 carries it: "-" and seven or eight digits.
func ParseCode39(s string) (string, error) {
	number, ok := strings.CutPrefix(s, "-")
	if !ok {
		return "", refuse(gs1.CodeScheme, "%.40q is no PZN in Code 39: it does not begin with -", s)
	}
	return NormalizePZN(number)
}

func refuse(code, format string, args ...any) *fault.Error {
	return fault.New(fault.Data, code, format, args...).WithHint("scan again; if it stays, enter the pack by hand")
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
