package wire

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/klauspost/compress/zstd"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// Batch is a contiguous run of one stream. On the wire it is one zstd frame of
// lines: the header as JSON, then a record a line, each exactly as the agent
// stored it.
type Batch struct {
	Header
	// Records are the records' bytes without their line ends. In an opened
	// batch they share one buffer.
	Records [][]byte
}

// Header says which run a batch is.
type Header struct {
	V      int           `json:"v"`
	Branch string        `json:"branch"`
	Epoch  string        `json:"epoch"`
	Lane   movement.Lane `json:"lane"`
	// First is the seq of the first record, Count how many there are.
	First uint64 `json:"first"`
	Count int    `json:"count"`
	// Prev is the chain's hash before First, Last the one after the last
	// record.
	Prev movement.Hash `json:"prev"`
	Last movement.Hash `json:"last"`
	// Oldest is the seq of the oldest record that the agent still has. When
	// it equals First and the hub knows less, what lies between is gone at
	// the branch, and the hub must say so instead of asking for it.
	Oldest uint64 `json:"oldest"`
	// Gone is how many records directly before First the agent no longer has:
	// First-Gone-1 is the newest one that it still has before First, 0 for
	// none. It says more than Oldest, as damage can take records from the
	// middle. A hub whose cursor is at or past First-Gone-1 takes the batch and
	// notes what is missing between; one whose cursor is before that asks for
	// the rest first.
	Gone uint64 `json:"gone,omitempty"`
}

// Through is the seq of the last record.
func (h *Header) Through() uint64 { return h.First + uint64(h.Count) - 1 }

// MissingFrom is the first of the records directly before First that the agent
// no longer has; First itself when it still has the one before.
func (h *Header) MissingFrom() uint64 {
	if h.Oldest == h.First {
		return 1
	}
	return h.First - h.Gone
}

// BatchVersion is the version of the form of a batch.
const BatchVersion = 1

// Packer compresses batches. It keeps one encoder and its buffers, some 2 MB;
// not for concurrent use.
type Packer struct {
	enc *zstd.Encoder
	buf []byte
}

// NewPacker makes a Packer.
func NewPacker() *Packer {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10),
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // fixed options; a test calls this
	}
	return &Packer{enc: enc}
}

// Pack makes the payload of b, appended to dst. V and Count are set by it; the
// other fields of the header are the caller's.
func (p *Packer) Pack(dst []byte, b *Batch) ([]byte, error) {
	h := b.Header
	h.V, h.Count = BatchVersion, len(b.Records)
	head, err := json.Marshal(h)
	if err != nil {
		return dst, err
	}
	p.buf = append(append(p.buf[:0], head...), '\n')
	for _, r := range b.Records {
		p.buf = append(append(p.buf, r...), '\n')
	}
	return p.enc.EncodeAll(p.buf, dst), nil
}

// decoder serves all of the process; it decodes as many payloads at a time as
// there are processors, and others wait.
var decoder = newDecoder()

func newDecoder() *zstd.Decoder {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0),
		zstd.WithDecoderMaxMemory(MaxBatchBytes+maxHeader), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err) // fixed options
	}
	return dec
}

// Open reads a payload, checks its form and that the records lead from Prev to
// Last. It allocates at most MaxBatchBytes and some overhead whatever the
// payload claims. Errors are faults of class Data: "oversized_batch",
// "malformed_batch", "broken_chain".
func Open(payload []byte) (*Batch, error) {
	b, err := decode(payload)
	if err != nil {
		return nil, err
	}
	chain := movement.NewChain(b.Prev)
	for _, r := range b.Records {
		chain.Add(r)
	}
	if chain.Head() != b.Last {
		return nil, fault.New(fault.Data, "broken_chain",
			"the records %d to %d do not have the hash that the batch names", b.First, b.Through())
	}
	return b, nil
}

func decode(payload []byte) (*Batch, error) {
	if len(payload) > MaxPayload {
		return nil, fault.New(fault.Data, "oversized_batch",
			"the payload has %d bytes, more than %d", len(payload), MaxPayload)
	}
	plain, err := decoder.DecodeAll(payload, nil)
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return nil, fault.New(fault.Data, "oversized_batch",
			"the payload holds more than %d bytes", MaxBatchBytes)
	}
	if err != nil {
		return nil, malformed("the payload is not a zstd frame: %w", err)
	}
	head, rest, ok := bytes.Cut(plain, []byte{'\n'})
	if !ok || len(head) > maxHeader {
		return nil, malformed("the payload has no header line")
	}
	b := new(Batch)
	d := json.NewDecoder(bytes.NewReader(head))
	if err := d.Decode(&b.Header); err != nil {
		return nil, malformed("the header is not JSON: %w", err)
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	b.Records = make([][]byte, 0, b.Count)
	for len(rest) > 0 && len(b.Records) < b.Count {
		line, after, ok := bytes.Cut(rest, []byte{'\n'})
		if !ok || len(line) == 0 || len(line) > movement.MaxRecord {
			return nil, malformed("record %d has no end, no bytes or too many", b.First+uint64(len(b.Records)))
		}
		b.Records, rest = append(b.Records, line), after
	}
	if len(b.Records) != b.Count || len(rest) > 0 {
		return nil, malformed("the payload does not hold the %d records that it claims", b.Count)
	}
	return b, nil
}

func (h *Header) check() error {
	switch {
	case h.V != BatchVersion:
		return fault.New(fault.Data, "unsupported_version", "the batch has version %d, this hub reads %d",
			h.V, BatchVersion).WithHint("update the hub")
	case !movement.ValidBranch(h.Branch) || !movement.ValidEpoch(h.Epoch) || !h.Lane.Valid():
		return malformed("the header names no stream")
	case h.Count < 1 || h.Count > MaxBatchRecords:
		return malformed("the header claims %d records, want 1 to %d", h.Count, MaxBatchRecords)
	case h.First < 1 || h.First > 1<<62 || h.Oldest < 1 || h.Oldest > h.First:
		return malformed("the header claims first %d and oldest %d", h.First, h.Oldest)
	case h.Gone >= h.First, h.Oldest < h.First && h.First-h.Gone <= h.Oldest:
		return malformed("the header claims %d missing records before %d, with oldest %d", h.Gone, h.First, h.Oldest)
	}
	return nil
}

func malformed(format string, args ...any) error {
	return fault.New(fault.Data, "malformed_batch", format, args...)
}
