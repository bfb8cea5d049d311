package reference

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/fnv"
	"slices"
	"strings"

	"branchline/internal/feed"
	"branchline/internal/movement"
)

// index finds the rows of one part. It holds no text, so that a catalogue of
// 50,000 products takes some 2 MB of memory; what it finds must be compared.
// Both lists are sorted entries of six bytes: a number of four, and the row.
type index struct {
	codes []byte // by the hash of a code or key
	words []byte // by the packed beginning of a word
}

const entrySize = 6

func (x index) marshal() []byte {
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(x.codes))), x.codes, x.words)
}

func loadIndex(b []byte) (index, error) {
	if len(b) < 4 {
		return index{}, errors.New("an index is missing")
	}
	n := uint64(binary.BigEndian.Uint32(b))
	b = b[4:]
	if n > uint64(len(b)) || n%entrySize != 0 || len(b)%entrySize != 0 {
		return index{}, errors.New("an index is not whole")
	}
	b = bytes.Clone(b)
	return index{codes: b[:n:n], words: b[n:]}, nil
}

// rowsOf calls f for each row with a number in from to to.
func rowsOf(entries []byte, from, to uint32, f func(row int)) {
	n := len(entries) / entrySize
	lo, hi := 0, n
	for lo < hi {
		mid := (lo + hi) / 2
		if binary.BigEndian.Uint32(entries[mid*entrySize:]) < from {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for ; lo < n; lo++ {
		e := entries[lo*entrySize:]
		if binary.BigEndian.Uint32(e) > to {
			return
		}
		f(int(binary.BigEndian.Uint16(e[4:])))
	}
}

type entry struct {
	number uint32
	row    uint16
}

func packed(list []entry) []byte {
	slices.SortFunc(list, func(a, b entry) int { return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.row, b.row)) })
	list = slices.Compact(list)
	b := make([]byte, 0, len(list)*entrySize)
	for _, e := range list {
		b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(b, e.number), e.row)
	}
	return b
}

// indexOf reads the rows of a part, and fails on one that is not of its kind.
func indexOf(k feed.Kind, rows [][]byte) (index, error) {
	var codes, words []entry
	for i, row := range rows {
		key, p, err := readRow(k, row)
		if err != nil {
			return index{}, err
		}
		codes = append(codes, entry{keyHash(key), uint16(i)})
		if p == nil {
			continue
		}
		for _, c := range p.Codes() {
			codes = append(codes, entry{codeHash(c), uint16(i)})
		}
		for _, w := range p.SearchWords() {
			from, _ := wordRange(w)
			words = append(words, entry{from, uint16(i)})
		}
	}
	return index{packed(codes), packed(words)}, nil
}

// maxKey is the most bytes of a row's key, which a session's number has.
const maxKey = 128

var errRow = errors.New("a row has no key, or too long a one")

// readRow gives a row's key, and its product in the catalogue.
func readRow(k feed.Kind, row []byte) (key string, p *Product, err error) {
	switch k {
	case feed.Catalogue:
		p = new(Product)
		err = json.Unmarshal(row, p)
		key = p.Key
	case feed.Deliveries:
		var d Delivery
		err = json.Unmarshal(row, &d)
		key = d.Key
	case feed.Branches:
		var b feed.Branch
		err = json.Unmarshal(row, &b)
		if key = b.Code; err == nil && !movement.ValidBranch(key) {
			err = errRow
		}
	case feed.Outcomes:
		var o feed.Outcome
		err = json.Unmarshal(row, &o)
		key = o.Key
		if o.Session != "" {
			key = o.Session // the rows of a session are asked for together
		}
	default:
		var st feed.Stock
		err = json.Unmarshal(row, &st)
		key = st.Product
	}
	if err == nil && (key == "" || len(key) > maxKey) {
		err = errRow
	}
	return key, p, err
}

func hash(tag byte, texts ...string) uint32 {
	h := fnv.New32a()
	h.Write([]byte{tag})
	for _, t := range texts {
		h.Write([]byte(t))
		h.Write([]byte{0})
	}
	return h.Sum32()
}

func keyHash(key string) uint32 { return hash('k', key) }

func aliasHash(c movement.Product) uint32 { return hash('a', string(c.Scheme), c.Code) }

// letterHash is for what Odoo knows by a code: GTINs, or any other to the
// letter.
func letterHash(c movement.Product) uint32 {
	if c.Scheme == movement.GTIN {
		return hash('g', c.Code)
	}
	return hash('r', c.Code)
}

func codeHash(c feed.Code) uint32 {
	if c.Alias {
		return aliasHash(c.Product)
	}
	return letterHash(c.Product)
}

// Of a word, six letters or digits are in the index, packed into a number that
// sorts as they do: 38 values each.
const (
	packedRunes = 6
	runeValues  = 38
)

// wordRange gives the numbers of all words that begin with w, as far as the
// index can tell.
func wordRange(w string) (from, to uint32) {
	n := 0
	for _, r := range w {
		if n == packedRunes {
			break
		}
		v := uint32(runeValues - 1) // any other letter
		switch {
		case r >= '0' && r <= '9':
			v = uint32(r-'0') + 1
		case r >= 'a' && r <= 'z':
			v = uint32(r-'a') + 11
		}
		from, to = from*runeValues+v, to*runeValues+v
		n++
	}
	for ; n < packedRunes; n++ {
		from, to = from*runeValues, to*runeValues+runeValues-1
	}
	return from, to
}

// longest puts the words first that are likely to be in few rows.
func longest(words []string) []string {
	words = slices.Clone(words)
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	return slices.CompactFunc(words, func(a, b string) bool { return strings.HasPrefix(a, b) })
}
