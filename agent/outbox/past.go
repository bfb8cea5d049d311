package outbox

import (
	"bytes"
	"context"

	bolt "go.etcd.io/bbolt"
)

const (
	// heldRecords and heldBytes bound what is read in one go for [Outbox.Holding].
	heldRecords, heldBytes = 2000, 1 << 20
)

// Known gives for each natural key where its record lies, or lay: a place with Known
// set, or a zero one for a key that was not recorded, or longer ago than keys are
// remembered. It waits for what is being committed.
func (o *Outbox) Known(keys ...string) ([]Place, error) {
	places := make([]Place, len(keys))
	err := o.job(func() error {
		return o.view(func(tx *bolt.Tx) error {
			l := keyLookup{m: o.keys, tx: tx}
			for i, key := range keys {
				var err error
				if places[i], err = l.find(hashKey(key)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return places, nil
}

// Holding calls found with each record that is kept and contains part, stream by
// stream in the order of sending, each from the oldest on; it ends where found says
// false, or ctx ends, which is its error then. It goes through all records, about a
// million in a second. The bytes must not be kept.
func (o *Outbox) Holding(ctx context.Context, part []byte, found func(at Place, record []byte) bool) error {
	for _, s := range o.Streams() {
		for from := s.Oldest; from <= s.Last; {
			if err := ctx.Err(); err != nil {
				return err
			}
			b, err := o.Read(s.Epoch, s.Lane, from, heldRecords, heldBytes)
			if err != nil {
				return err
			}
			if b == nil || len(b.Records) == 0 {
				break
			}
			for i, r := range b.Records {
				if bytes.Contains(r, part) && !found(Place{Epoch: s.Epoch, Lane: s.Lane, Seq: b.First + uint64(i)}, r) {
					return nil
				}
			}
			from = b.First + uint64(len(b.Records))
		}
	}
	return nil
}
