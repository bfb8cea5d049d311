package ledger

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"branchline/internal/movement"
)

// chainDigits is how many hexadecimal digits of a chain's hash are kept outside
// of the ledger. They tell histories apart that came about by accident, when a
// machine was put back, not by somebody who looks for two that are alike: of
// 2^32 such accidents one is not noticed. A document names up to some hundreds of
// runs, so every digit costs.
const chainDigits = 8

// ShortHash is a chain's hash as documents in Odoo name it.
func ShortHash(h movement.Hash) string { return hex.EncodeToString(h[:chainDigits/2]) }

// ValidShortHash tells whether s can be a [ShortHash].
func ValidShortHash(s string) bool {
	if len(s) != chainDigits {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// ChainRuns gives runs the chain's hashes after their last seqs. A run that the
// ledger does not hold to its end, or can no longer read, gets none.
func (l *Ledger) ChainRuns(ctx context.Context, runs []Run) ([]Run, error) {
	out, err := l.chainRuns(l.reader(ctx), runs)
	return out, classify(err)
}

func (l *Ledger) chainRuns(r rower, runs []Run) ([]Run, error) {
	out := append([]Run(nil), runs...)
	at := map[Stream]*chainReader{}
	for i := range out {
		run := &out[i]
		c := at[run.Stream]
		if c == nil {
			k, ok, err := l.findStream(r, run.Stream)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			c = &chainReader{l: l, r: r, stream: k.id}
			at[run.Stream] = c
		}
		var err error
		if run.Hash, err = c.after(run.Last); err != nil {
			return nil, fmt.Errorf("the chain of %s: %w", run.Stream, err)
		}
	}
	return out, nil
}

// chainReader gives a stream's chain at places; those of one batch in a row cost
// one opening of it.
type chainReader struct {
	l      *Ledger
	r      rower
	stream int64
	// b is the batch at hand, hashes those after its records.
	b      *Batch
	hashes []string
}

// after gives the hash after a seq, empty where the ledger has none.
func (c *chainReader) after(seq uint64) (string, error) {
	if c.b == nil || seq < c.b.First || seq > c.b.Last {
		b, err := c.l.batchAt(c.r, c.stream, seq)
		if errors.Is(err, sql.ErrNoRows) || err == nil && b.First > seq {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		c.b, c.hashes = b, nil
	}
	if seq == c.b.Last {
		return ShortHash(c.b.LastHash), nil
	}
	if c.hashes == nil {
		records, err := c.b.Records()
		if err != nil {
			return "", nil //nolint:nilerr // it is damaged, which the projector tells
		}
		chain := movement.NewChain(c.b.Prev)
		for _, record := range records {
			c.hashes = append(c.hashes, ShortHash(chain.Add(record)))
		}
	}
	return c.hashes[seq-c.b.First], nil
}
