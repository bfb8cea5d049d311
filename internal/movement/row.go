package movement

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// A row of an export that a person must look at has a natural key of its own, so
// that each content of it is told once: the key of the row itself, then "!" and a
// hash. Where the row's own key cannot be read, the export's name stands in its
// place.
const (
	rowMark    = "!"
	hashOfRow  = 8
	hashNoName = 12
)

// BadRowKey is the natural key of a row with a key that a person must look at; of
// sum, a hash of what was read, the first 8 bytes count.
func BadRowKey(key string, sum []byte) string {
	return key + rowMark + hex.EncodeToString(sum[:hashOfRow])
}

// NamelessRowKey is that of a row without a key of its own; of sum the first 12
// bytes count.
func NamelessRowKey(export string, sum []byte) string {
	return export + rowMark + hex.EncodeToString(sum[:hashNoName])
}

// RowKey gives the key that the row itself has, of what [BadRowKey] made.
func RowKey(natural string) (key string, ok bool) { return rowKey(natural, hashOfRow) }

// RowPlace names where a row without a key of its own stands: the same row has the
// same again, and another row of a file of that name has it, too. Empty for what
// [NamelessRowKey] did not make.
func RowPlace(m *Movement) string {
	if _, ok := rowKey(m.NaturalKey, hashNoName); !ok || m.Source.File == "" {
		return ""
	}
	return fmt.Sprintf("%s\n%s\n%d", m.Source.Adapter, m.Source.File, m.Source.Line)
}

func rowKey(natural string, sum int) (key string, ok bool) {
	i := strings.LastIndex(natural, rowMark)
	if i < 1 || len(natural)-i-1 != 2*sum {
		return "", false
	}
	for _, c := range natural[i+1:] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", false
		}
	}
	return natural[:i], true
}
