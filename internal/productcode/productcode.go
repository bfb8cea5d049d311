// Package productcode gives product codes the one form by which they are
// compared, and refuses those that cannot be: a wrong check digit, a wrong
// length. It knows the numberings of package movement.
package productcode

import (
	"bytes"

	"branchline/internal/fault"
	"branchline/internal/gs1"
	"branchline/internal/movement"
)

// maxLength is the longest code, in bytes.
const maxLength = 64

// Normal is a code in the form by which codes are compared. What is wrong with
// it is a fault of class Data.
func Normal(p movement.Product) (movement.Product, error) {
	code, err := Append(nil, p.Scheme, []byte(p.Code))
	return movement.Product{Scheme: p.Scheme, Code: string(code)}, err
}

// Append is [Normal] for bytes; the code is appended to dst.
func Append(dst []byte, s movement.Scheme, b []byte) ([]byte, error) {
	if len(b) == 0 {
		return dst, fault.New(fault.Data, "missing_product", "the product code is missing")
	}
	switch s {
	case movement.GTIN:
		code, err := gs1.NormalizeGTIN(string(b))
		return append(dst, code...), err
	case movement.PZN:
		return appendPZN(dst, b)
	case movement.NDC:
		return append(dst, b...), checkNDC(b)
	case movement.HIBC:
		if b[0] != '+' || len(b) < 6 {
			return dst, fault.New(fault.Data, "bad_product", "%.40q is not a HIBC code: it does not begin with +", b)
		}
	}
	if len(b) > maxLength {
		return dst, fault.New(fault.Data, "bad_product", "the product code %.40q… is longer than %d bytes", b, maxLength)
	}
	return append(dst, b...), nil
}

// appendPZN reads a Pharmazentralnummer with or without its leading "PZN" and
// "-", of 8 digits, or of the 7 that were given out before 2013, which are the
// same with a 0 in front. The check digit weighs 1 to 7, modulo 11 (IFA).
func appendPZN(dst, b []byte) ([]byte, error) {
	d := bytes.TrimPrefix(bytes.TrimSpace(bytes.TrimPrefix(b, []byte("PZN"))), []byte("-"))
	d = bytes.TrimSpace(d)
	if len(d) != 7 && len(d) != 8 || !digitsOnly(d) {
		return dst, fault.New(fault.Data, "bad_product", "%.40q is not a PZN of 8 digits", b)
	}
	var code [8]byte
	copy(code[8-len(d):], d)
	if len(d) == 7 {
		code[0] = '0'
	}
	if !gs1.ValidPZN(string(code[:])) {
		return dst, fault.New(fault.Data, "check_digit", "the check digit of PZN %.40q is wrong", b)
	}
	return append(dst, code[:]...), nil
}

// checkNDC accepts 10 or 11 digits, or three groups of digits that make as
// many. It does not add or take zeros: ten digits do not say where the groups
// divide.
func checkNDC(b []byte) error {
	digits, groups := 0, 1
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '-':
			groups++
		default:
			digits = 100
		}
	}
	if (digits != 10 && digits != 11) || (groups != 1 && groups != 3) {
		return fault.New(fault.Data, "bad_product", "%.40q is not an NDC of 10 or 11 digits", b)
	}
	return nil
}

func digitsOnly(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
