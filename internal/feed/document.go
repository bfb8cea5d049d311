package feed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"iter"
)

// ID names a part or a version: the first half of a SHA-256.
type ID [16]byte

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// IsZero tells whether it names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// MarshalText gives 32 hexadecimal digits.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads what MarshalText writes.
func (id *ID) UnmarshalText(b []byte) error {
	if len(b) != 2*len(id) {
		return fmt.Errorf("%d characters are no name of a part", len(b))
	}
	_, err := hex.Decode(id[:], b)
	return err
}

// PartID is the name of a part by its rows.
func PartID(body []byte) ID {
	sum := sha256.Sum256(body)
	return ID(sum[:16])
}

// VersionOf is the version of a document by its parts.
func VersionOf(parts []PartRef) ID {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p.ID[:])
	}
	return ID(h.Sum(nil)[:16])
}

// Bounds of a part. They are far above what a row or part comes to.
const (
	// MaxRow is the most bytes of a row.
	MaxRow = 128 << 10
	// MaxPartBytes is the most bytes of a part's rows with their line ends.
	MaxPartBytes = 192 << 10
	// MaxPartRows is the most rows of a part.
	MaxPartRows = 4096
	// MaxParts is the most parts of a document.
	MaxParts = 8192
)

// partRows is how many rows a part has, about: more compress better, fewer send
// less again for one changed row.
func partRows(k Kind) int {
	switch k {
	case Catalogue:
		return 256
	case Deliveries:
		return 4
	case Outcomes:
		return 16
	}
	return 64
}

// Document is one version of a document as the hub keeps it. It is a value;
// nobody changes it once built.
type Document struct {
	Kind Kind
	// Branch is empty for what all branches share.
	Branch  string
	Version ID
	Parts   []Part
	Rows    int
	// Manifest is the message that lists the parts.
	Manifest []byte
}

// Part is a part with its message.
type Part struct {
	PartRef
	// Payload is the message that carries it.
	Payload []byte
}

// Payload finds the message of a part.
func (d *Document) Payload(id ID) ([]byte, bool) {
	for i := range d.Parts {
		if d.Parts[i].ID == id {
			return d.Parts[i].Payload, true
		}
	}
	return nil, false
}

// Bytes is the size of all messages of the document together.
func (d *Document) Bytes() int {
	n := len(d.Manifest)
	for i := range d.Parts {
		n += len(d.Parts[i].Payload)
	}
	return n
}

// All gives the rows of the document as they were added.
func (d *Document) All() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for i := range d.Parts {
			m, err := Open(d.Parts[i].Payload)
			if err != nil {
				yield(nil, err)
				return
			}
			for row := range bytes.Lines(m.Body) {
				if !yield(bytes.TrimSuffix(row, []byte{'\n'}), nil) {
					return
				}
			}
		}
	}
}

// Builder makes a document of its rows. It is not for concurrent use.
type Builder struct {
	doc    Document
	known  map[ID][]byte
	body   []byte
	rows   int
	packer *Packer
}

// NewBuilder begins a document. Messages of parts that before, which may be
// nil, has too are taken over from it.
func NewBuilder(k Kind, branch string, before *Document, packer *Packer) *Builder {
	b := &Builder{doc: Document{Kind: k, Branch: branch}, known: map[ID][]byte{}, packer: packer}
	if before != nil {
		for i := range before.Parts {
			b.known[before.Parts[i].ID] = before.Parts[i].Payload
		}
	}
	return b
}

// Add appends a row. Rows must come in the same order each time; key decides
// where parts end. An error means that the row is too large, or that there are
// too many.
func (b *Builder) Add(key string, row any) error {
	line, err := json.Marshal(row)
	if err != nil {
		return err
	}
	return b.AddRaw(key, line)
}

// AddRaw appends a row that is JSON already.
func (b *Builder) AddRaw(key string, line []byte) error {
	if len(line) > MaxRow {
		return fmt.Errorf("the row %s has %d bytes, more than %d", key, len(line), MaxRow)
	}
	if len(b.body)+len(line)+1 > MaxPartBytes {
		if err := b.cut(); err != nil {
			return err
		}
	}
	b.body = append(append(b.body, line...), '\n')
	b.rows++
	mean := partRows(b.doc.Kind)
	h := fnv.New32a()
	h.Write([]byte(key))
	// An end follows from the key alone, or a new row would move all ends behind
	// it; the least and the most only count from the end before. fnv's bits are
	// uneven for short keys, hence the multiplication.
	end := (h.Sum32()*2654435761>>8)%uint32(mean) == 0 && b.rows > mean/4
	if end || b.rows >= 4*mean {
		return b.cut()
	}
	return nil
}

func (b *Builder) cut() error {
	if b.rows == 0 {
		return nil
	}
	if len(b.doc.Parts) == MaxParts {
		return fmt.Errorf("the document has more than %d parts", MaxParts)
	}
	id := PartID(b.body)
	payload, ok := b.known[id]
	if !ok {
		var err error
		if payload, err = b.packer.pack(head{What: whatPart, Kind: b.doc.Kind, Part: id}, b.body); err != nil {
			return err
		}
	}
	b.doc.Parts = append(b.doc.Parts, Part{PartRef{ID: id, Rows: b.rows, Bytes: len(payload)}, payload})
	b.doc.Rows += b.rows
	b.body, b.rows = b.body[:0], 0
	return nil
}

// Done ends the document.
func (b *Builder) Done() (*Document, error) {
	if err := b.cut(); err != nil {
		return nil, err
	}
	refs := make([]PartRef, len(b.doc.Parts))
	for i := range refs {
		refs[i] = b.doc.Parts[i].PartRef
	}
	b.doc.Version = VersionOf(refs)
	var err error
	b.doc.Manifest, err = b.packer.pack(head{What: whatManifest, Kind: b.doc.Kind, Branch: b.doc.Branch,
		Version: b.doc.Version, Parts: refs}, nil)
	return &b.doc, err
}
