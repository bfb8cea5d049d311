package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/klauspost/compress/zstd"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// MessageVersion is the version of the form of all messages here.
const MessageVersion = 1

// Bounds of a message.
const (
	// MaxPayload is the most bytes of an MQTT payload, compressed.
	MaxPayload = 256 << 10
	// maxPlain is the most bytes decompressed.
	maxPlain = 1 << 20
)

type what string

const (
	whatNotice   what = "notice"
	whatManifest what = "manifest"
	whatPart     what = "part"
)

// head is the first line of a message.
type head struct {
	V    int  `json:"v"`
	What what `json:"w"`
	Kind Kind `json:"k"`
	// Branch is whose document it is; empty for what all share and for parts.
	Branch  string    `json:"b,omitempty"`
	Version ID        `json:"d,omitzero"`
	AsOf    time.Time `json:"t,omitzero"`
	Parts   []PartRef `json:"p,omitempty"`
	Part    ID        `json:"i,omitzero"`
}

// PartRef is a part as a manifest lists it.
type PartRef struct {
	ID ID `json:"i"`
	// Rows is how many rows it has, Bytes the size of its message.
	Rows  int `json:"n"`
	Bytes int `json:"b"`
}

// Message is something the hub says down: exactly one of notice, manifest and
// part.
type Message struct {
	Kind   Kind
	Branch string
	// Version is set in a notice and a manifest.
	Version ID
	// AsOf is set in a notice: when the hub last knew that version to be right.
	AsOf time.Time
	// IsManifest tells that Parts lists the version's parts; there may be none.
	IsManifest bool
	Parts      []PartRef
	// Part is set for a part, with its rows, each ending in a line feed, in
	// Body.
	Part ID
	Body []byte
}

// Packer compresses messages. It keeps one encoder; not for concurrent use.
type Packer struct {
	enc *zstd.Encoder
	buf []byte
}

// NewPacker makes a Packer.
func NewPacker() *Packer {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10),
		zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // fixed options; a test calls this
	}
	return &Packer{enc: enc}
}

func (p *Packer) pack(h head, body []byte) ([]byte, error) {
	h.V = MessageVersion
	line, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	p.buf = append(append(append(p.buf[:0], line...), '\n'), body...)
	payload := p.enc.EncodeAll(p.buf, nil)
	if len(payload) > MaxPayload || len(p.buf) > maxPlain {
		return nil, fault.New(fault.Defect, "oversized_feed", "a message of the %s has %d bytes, more than %d", h.Kind, len(payload), MaxPayload)
	}
	return bytes.Clone(payload), nil // without the spare room
}

// Notice makes the message that d is current as of a moment.
func (p *Packer) Notice(d *Document, asOf time.Time) ([]byte, error) {
	return p.pack(head{What: whatNotice, Kind: d.Kind, Branch: d.Branch, Version: d.Version, AsOf: asOf.UTC().Truncate(time.Second)}, nil)
}

var decoder = newDecoder()

func newDecoder() *zstd.Decoder {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPlain),
		zstd.WithDecoderMaxWindow(1<<20), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err) // fixed options
	}
	return dec
}

// Open reads a message. It allocates at most 1 MiB and some overhead whatever
// the payload claims, and checks that a part is what its name says. The rows
// are not read. Errors are faults of class Data: "oversized_feed",
// "unsupported_version", "malformed_feed".
func Open(payload []byte) (*Message, error) {
	if len(payload) > MaxPayload {
		return nil, fault.New(fault.Data, "oversized_feed", "the message has %d bytes, more than %d", len(payload), MaxPayload)
	}
	plain, err := decoder.DecodeAll(payload, nil)
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return nil, fault.New(fault.Data, "oversized_feed", "the message holds more than %d bytes", maxPlain)
	}
	if err != nil {
		return nil, malformed("the message is not a zstd frame: %w", err)
	}
	line, body, ok := bytes.Cut(plain, []byte{'\n'})
	if !ok {
		return nil, malformed("the message has no first line")
	}
	var h head
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, malformed("the first line is not JSON: %w", err)
	}
	if h.V != MessageVersion {
		return nil, fault.New(fault.Data, "unsupported_version", "the message has version %d, this agent reads %d", h.V, MessageVersion).
			WithHint("update the agent")
	}
	if !h.Kind.Valid() {
		return nil, malformed("the message is of no kind that is known")
	}
	return h.message(body)
}

func (h *head) message(body []byte) (*Message, error) {
	m := &Message{Kind: h.Kind, Branch: h.Branch, Version: h.Version}
	ownBranch := h.Kind.Shared() && h.Branch == "" || !h.Kind.Shared() && movement.ValidBranch(h.Branch)
	switch h.What {
	case whatNotice:
		if !ownBranch || len(body) > 0 || h.AsOf.IsZero() || h.AsOf.Year() > 9999 {
			return nil, malformed("the notice of the %s is not whole", h.Kind)
		}
		m.AsOf = h.AsOf
	case whatManifest:
		if !ownBranch || len(body) > 0 || len(h.Parts) > MaxParts || h.Version != VersionOf(h.Parts) {
			return nil, malformed("the manifest of the %s is not whole", h.Kind)
		}
		seen := make(map[ID]bool, len(h.Parts))
		for _, p := range h.Parts {
			if p.Rows < 1 || p.Rows > MaxPartRows || p.Bytes < 1 || p.Bytes > MaxPayload || seen[p.ID] {
				return nil, malformed("the manifest of the %s lists a part that cannot be", h.Kind)
			}
			seen[p.ID] = true
		}
		m.IsManifest, m.Parts = true, h.Parts
	case whatPart:
		if len(body) == 0 || len(body) > MaxPartBytes || body[len(body)-1] != '\n' || PartID(body) != h.Part {
			return nil, malformed("a part of the %s is not what its name says", h.Kind)
		}
		m.Part, m.Body = h.Part, body
	default:
		return nil, malformed("the message is neither notice, manifest nor part")
	}
	return m, nil
}

func malformed(format string, args ...any) error {
	return fault.New(fault.Data, "malformed_feed", format, args...)
}
