package gs1

// CheckDigit computes the last digit of a GTIN, SSCC or GLN from the digits
// before it (weights 3, 1, 3… from the right, General Specifications 7.9.1).
// ok is false when payload is empty or holds anything but digits.
func CheckDigit(payload string) (digit byte, ok bool) {
	if payload == "" {
		return 0, false
	}
	sum, weight := 0, 3
	for i := len(payload) - 1; i >= 0; i-- {
		if !digits[payload[i]] {
			return 0, false
		}
		sum += int(payload[i]-'0') * weight
		weight = 4 - weight
	}
	return byte('0' + (10-sum%10)%10), true
}

// ValidCheckDigit tells whether the last digit of a GTIN, SSCC or GLN of any
// length is right.
func ValidCheckDigit(s string) bool {
	if len(s) < 2 {
		return false
	}
	want, ok := CheckDigit(s[:len(s)-1])
	return ok && s[len(s)-1] == want
}

const (
	zeros14  = "00000000000000"
	alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	order82  = `!"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`
)

// primes weigh the characters of a check character pair from the right; the
// longest key with such a pair has 25 characters.
var primes = [...]int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83}

var value82 = func() (v [256]int) {
	for i := range len(order82) {
		v[order82[i]] = i
	}
	return v
}()

// checkPair computes the check character pair of a model number (General
// Specifications 7.9.5); the caller has checked character set and length.
func checkPair(payload string) (first, second byte) {
	sum := 0
	for i := range len(payload) {
		sum += value82[payload[i]] * primes[len(payload)-1-i]
	}
	sum %= 1021
	return alphabet[sum>>5], alphabet[sum&31]
}

// NormalizeGTIN gives the 14-digit form by which GTINs are compared: 8, 12, 13
// or 14 digits with a right check digit, padded with zeros on the left. Eight
// digits are taken for a GTIN-8, never for a UPC-E or a PZN.
func NormalizeGTIN(s string) (string, error) {
	switch len(s) {
	case 8, 12, 13, 14:
	default:
		return "", refuse(CodeWrongLength, "%s is no GTIN: it has %d characters, not 8, 12, 13 or 14", quote(s), len(s))
	}
	if !within(s, digits) {
		return "", refuse(CodeBadCharacter, "%s is no GTIN: it holds something else than digits", quote(s))
	}
	if !ValidCheckDigit(s) {
		want, _ := CheckDigit(s[:len(s)-1])
		return "", refuse(CodeCheckDigit, "the check digit of %s is wrong: %c is expected", quote(s), want)
	}
	if isZero(s) {
		return "", refuse(CodeImpossibleValue, "the GTIN is all zeros: it names nothing")
	}
	return zeros14[:14-len(s)] + s, nil
}

func isZero(s string) bool {
	for i := range len(s) {
		if s[i] != '0' {
			return false
		}
	}
	return true
}

// expandUPCE turns the eight digits of a UPC-E into the UPC-A they stand for
// (General Specifications 5.2.2.4.2). ok is false when the number system is
// neither 0 nor 1 or the check digit, which belongs to the UPC-A, is wrong.
func expandUPCE(s string) (upca string, ok bool) {
	if len(s) != 8 || !within(s, digits) || s[0] > '1' {
		return "", false
	}
	system, d, check := s[:1], s[1:7], s[7:]
	switch d[5] {
	case '0', '1', '2':
		upca = system + d[:2] + d[5:6] + "0000" + d[2:5] + check
	case '3':
		upca = system + d[:3] + "00000" + d[3:5] + check
	case '4':
		upca = system + d[:4] + "00000" + d[4:5] + check
	default:
		upca = system + d[:5] + "0000" + d[5:6] + check
	}
	return upca, ValidCheckDigit(upca)
}

// ValidPZN tells whether eight digits satisfy the check of the German
// Pharmazentralnummer: weights 1 to 7, modulo 11; a remainder of 10 is never
// given out.
func ValidPZN(s string) bool {
	if len(s) != 8 || !within(s, digits) {
		return false
	}
	sum := 0
	for i := range 7 {
		sum += int(s[i]-'0') * (i + 1)
	}
	return sum%11 == int(s[7]-'0')
}
