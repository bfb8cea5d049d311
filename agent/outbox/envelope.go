package outbox

import (
	"encoding/binary"
	"hash/crc32"

	bolt "go.etcd.io/bbolt"
)

// What no chain protects (states, notes, runs of keys) is stored in an
// envelope, so that damage is noticed, and so that it is found again in a file
// whose tree is gone. Integers are big-endian:
//
//	magic   4   "BLV", version
//	kind    1
//	key     2   length of the key, which bbolt stores directly before the value
//	length  4   of the content
//	commit  8   which commit wrote it: the newest of several copies counts
//	sum     4   CRC-32C of key, the fields above and the content
const (
	envelopeMagic = "BLV\x01"
	envelopeHead  = 23
	// maxContent is more than any content has: a note, or a run of keys.
	maxContent = 4 << 20
)

// The kinds of what is in an envelope.
const (
	kindState = 's'
	kindNote  = 'n'
	kindKeys  = 'k'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func envelopeSum(key, head, content []byte) uint32 {
	sum := crc32.Update(0, castagnoli, key)
	sum = crc32.Update(sum, castagnoli, head)
	return crc32.Update(sum, castagnoli, content)
}

// enclose makes the value to be stored under key.
func enclose(kind byte, key []byte, commit uint64, content []byte) []byte {
	v := make([]byte, 0, envelopeHead+len(content))
	v = append(append(v, envelopeMagic...), kind)
	v = binary.BigEndian.AppendUint16(v, uint16(len(key)))
	v = binary.BigEndian.AppendUint32(v, uint32(len(content)))
	v = binary.BigEndian.AppendUint64(v, commit)
	v = binary.BigEndian.AppendUint32(v, envelopeSum(key, v, content))
	return append(v, content...)
}

// envelope is a stored value taken apart; its slices point into the value.
type envelope struct {
	kind    byte
	commit  uint64
	key     []byte
	content []byte
}

// disclose takes a value apart; ok is false for anything that is not whole.
func disclose(kind byte, key, v []byte) (e envelope, ok bool) {
	keyLen, n := envelopeSize(v)
	if n != len(v) || n == 0 || keyLen != len(key) {
		return e, false
	}
	e = openEnvelope(key, v)
	return e, e.key != nil && e.kind == kind
}

// envelopeSize tells the lengths that an envelope's head claims; n is 0 where v
// does not begin with a head.
func envelopeSize(v []byte) (key, n int) {
	if len(v) < envelopeHead || string(v[:4]) != envelopeMagic {
		return 0, 0
	}
	content := binary.BigEndian.Uint32(v[7:])
	if content > maxContent {
		return 0, 0
	}
	return int(binary.BigEndian.Uint16(v[5:])), envelopeHead + int(content)
}

// openEnvelope checks the sum; the key of the result is nil where it is wrong.
func openEnvelope(key, v []byte) envelope {
	content := v[envelopeHead:]
	if binary.BigEndian.Uint32(v[19:]) != envelopeSum(key, v[:19], content) {
		return envelope{}
	}
	return envelope{kind: v[4], commit: binary.BigEndian.Uint64(v[11:]), key: key, content: content}
}

// commitNumber is the number of the transaction in which tx writes. It is the
// sequence of the bucket "state" and grows with every commit.
func commitNumber(tx *bolt.Tx) uint64 { return tx.Bucket(stateBucket).Sequence() }
