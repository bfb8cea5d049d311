package outbox

import (
	"crypto/sha256"

	bolt "go.etcd.io/bbolt"
)

// keyHash stands for a natural key: the first half of its SHA-256.
type keyHash [16]byte

func hashKey(naturalKey string) keyHash {
	sum := sha256.Sum256([]byte(naturalKey))
	return keyHash(sum[:])
}

type keyPlace struct {
	s   *stream
	seq uint64
}

// keyMemory knows which natural keys were recorded. It is the writer's own.
type keyMemory struct {
	pending map[keyHash]keyPlace
}

func loadKeys(tx *bolt.Tx, streams []*stream) (*keyMemory, error) {
	return &keyMemory{pending: make(map[keyHash]keyPlace)}, nil
}

// find gives the place of a known key, with Known set.
func (m *keyMemory) find(tx *bolt.Tx, h keyHash) (Place, error) {
	if p, ok := m.pending[h]; ok {
		return Place{Epoch: p.s.epoch, Lane: p.s.lane, Seq: p.seq, Known: true}, nil
	}
	return Place{}, nil
}

func (m *keyMemory) add(h keyHash, s *stream, seq uint64) { m.pending[h] = keyPlace{s, seq} }

// forget takes back what a failed commit has added.
func (m *keyMemory) forget(keys []keyHash) {
	for _, h := range keys {
		delete(m.pending, h)
	}
}
