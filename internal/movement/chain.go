package movement

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Hash is a place in a stream's chain: SHA-256 over the hash before it and the
// record's bytes.
type Hash [sha256.Size]byte

// Genesis is the hash before a stream's first record. It binds the chain to
// its branch, epoch and lane, so that records cannot be passed off as
// another's.
func Genesis(branch, epoch string, lane Lane) Hash {
	return sha256.Sum256([]byte("branchline/1/" + branch + "/" + epoch + "/" + lane.String()))
}

// Chain computes the hashes of consecutive records. It holds a buffer, so that
// a long run costs no allocations; not for concurrent use.
type Chain struct {
	head Hash
	buf  []byte
}

// NewChain continues a chain after head.
func NewChain(head Hash) *Chain { return &Chain{head: head} }

// Add appends one record and returns the hash after it.
func (c *Chain) Add(record []byte) Hash {
	c.buf = append(append(c.buf[:0], c.head[:]...), record...)
	c.head = sha256.Sum256(c.buf)
	return c.head
}

// Head is the hash after the last record added.
func (c *Chain) Head() Hash { return c.head }

// Next is the hash after record, which follows h.
func (h Hash) Next(record []byte) Hash { return NewChain(h).Add(record) }

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText gives 64 hexadecimal digits.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != 2*len(h) {
		return fmt.Errorf("hash has %d characters, want %d", len(b), 2*len(h))
	}
	_, err := hex.Decode(h[:], b)
	return err
}
