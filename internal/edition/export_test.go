package edition

import "crypto/sha256"

// Signed is what a signature is over; Plain what another use of the key would sign.
var Signed = signed

func Plain(payload []byte) []byte {
	sum := sha256.Sum256(payload)
	return sum[:]
}
