// Package password makes and checks hashes of PINs and passwords by argon2id, in
// its usual text form.
package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost is what one look at a password costs. It stands in the hash, so that it
// can be raised without making older ones worthless.
type Cost struct {
	// MemoryKiB is 8 to 65536.
	MemoryKiB uint32
	// Passes is 1 to 10.
	Passes uint32
}

// OWASP's choices: the third for an old PC at a counter, the second for a server.
var (
	Small = Cost{12 << 10, 3}
	Usual = Cost{19 << 10, 2}
)

// Least is for tests.
var Least = Cost{8, 1}

const keyLength = 32

// Hash is a password that cannot be read back. The zero value fits none.
type Hash struct {
	Cost
	threads   uint8
	salt, key []byte
}

// New hashes a password with a salt of its own.
func New(secret string, c Cost) Hash {
	h := Hash{Cost: c, threads: 1, salt: make([]byte, 16)}
	_, _ = rand.Read(h.salt) // never fails
	h.key = h.of(secret)
	return h
}

// Decoy is a hash that costs as much to look at and fits no password, so that a
// name that nobody has takes as long as a wrong password.
func Decoy(c Cost) Hash { return Hash{Cost: c, threads: 1, salt: make([]byte, 16)} }

// Fits tells whether it is the hash of the password. It takes the hash's cost,
// in time and memory.
func (h *Hash) Fits(secret string) bool {
	if len(h.salt) == 0 {
		return false
	}
	return subtle.ConstantTimeCompare(h.of(secret), h.key) == 1
}

func (h *Hash) of(secret string) []byte {
	return argon2.IDKey([]byte(secret), h.salt, h.Passes, h.MemoryKiB, h.threads, keyLength)
}

// String is the usual text form, which [Parse] reads.
func (h Hash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.MemoryKiB, h.Passes, h.threads,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.key))
}

// Parse reads the text form. One that would cost more than this program is ready
// to give is refused. The error repeats nothing of the text.
func Parse(s string) (h Hash, err error) {
	var version int
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" {
		return h, fmt.Errorf("is no argon2id hash")
	}
	if n, err := fmt.Sscanf(part[2], "v=%d", &version); err != nil || n != 1 || version != argon2.Version {
		return h, fmt.Errorf("has another version of argon2id")
	}
	if n, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &h.MemoryKiB, &h.Passes, &h.threads); err != nil || n != 3 {
		return h, fmt.Errorf("has no costs")
	}
	if h.MemoryKiB < 8 || h.MemoryKiB > 64<<10 || h.Passes < 1 || h.Passes > 10 || h.threads < 1 || h.threads > 4 {
		return h, fmt.Errorf("has costs out of bounds")
	}
	if h.salt, err = base64.RawStdEncoding.DecodeString(part[4]); err != nil || len(h.salt) < 8 || len(h.salt) > 64 {
		return h, fmt.Errorf("has no salt")
	}
	if h.key, err = base64.RawStdEncoding.DecodeString(part[5]); err != nil || len(h.key) != keyLength {
		return h, fmt.Errorf("has no key")
	}
	return h, nil
}
