package dispense

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"

	"branchline/internal/conf"
)

// HL7 is the form of files of HL7 version 2 messages, such as RDS^O13 and
// RDE^O11: any number of them, bare, in a batch (FHS, BHS), or in MLLP frames.
//
// A row is a segment; the mapping names its columns by segment and field, as
// the standard does: RXD-2, ORC-3.1, RXD-2[1].1 for the first repetition.
// Without a component it is the first. What stands in ORC, RXO and RXE before
// an RXD of the same order holds for it. Segments about the patient cannot be
// named, and are skipped as bytes.
type HL7 struct {
	// Rows is the segment of which each is a row: RXD, RXE, RXO or RXA.
	Rows string `yaml:"rows"`
	// Encoding is that of the messages.
	Encoding string `yaml:"encoding"`
}

// hl7Segments are those that columns can be of. All of them stand before the
// rows to which they belong, and none is about the patient.
var hl7Segments = []string{"MSH", "ORC", "RXO", "RXE", "RXD", "RXA"}

func (h *HL7) validate() error {
	h.Rows = cmp.Or(h.Rows, "RXD")
	h.Encoding = cmp.Or(h.Encoding, "utf-8")
	if h.Rows == "MSH" || h.Rows == "ORC" || !slices.Contains(hl7Segments, h.Rows) {
		return conf.Bad("rows", h.Rows, "must be RXD, RXE, RXO or RXA")
	}
	if encodings[h.Encoding].wide {
		return conf.Bad("encoding", h.Encoding, "cannot be with HL7")
	}
	return validateEncoding(h.Encoding)
}

var hl7Form = regexp.MustCompile(`^([A-Z][A-Z0-9]{2})-([1-9][0-9]?)(?:\[([1-9])\])?(?:\.([1-9][0-9]?))?(?:\.([1-9][0-9]?))?$`)

func parseHL7Column(name string) (c segmentColumn, ok bool) {
	m := hl7Form.FindStringSubmatch(name)
	if m == nil {
		return c, false
	}
	c = segmentColumn{segment: m[1], component: 1, subcomponent: 1}
	c.field, _ = strconv.Atoi(m[2])
	c.repetition, _ = strconv.Atoi(m[3])
	if m[4] != "" {
		c.component, _ = strconv.Atoi(m[4])
	}
	if m[5] != "" {
		c.subcomponent, _ = strconv.Atoi(m[5])
	}
	return c, true
}

func (h *HL7) check(column Column) string {
	c, ok := parseHL7Column(column.Name)
	order := slices.Index(hl7Segments, c.segment)
	switch {
	case !ok:
		return "must be a segment and its field, such as RXD-2 or ORC-3.1"
	case order < 0:
		return "is not of MSH, ORC, RXO, RXE, RXD or RXA; others are never read, as they can be about the patient"
	case order > slices.Index(hl7Segments, h.Rows):
		return "stands behind " + h.Rows + ", and cannot belong to it"
	case c.segment == "MSH" && c.field < 3:
		return "is only the delimiters"
	}
	return ""
}

func newHL7Rows(e *Export, f file) (rows, error) {
	r, err := newSegmentRows(e, f, e.HL7.Encoding, &hl7Sifter{}, parseHL7Column, segmentForm{
		rows: e.HL7.Rows, opens: "MSH", around: []string{"FHS", "BHS", "BTS", "FTS"},
		resets: []string{"ORC"}, keeps: []string{"MSH"},
	})
	if err != nil {
		return nil, err
	}
	r.src.ends = []byte("\r\n\x0b\x1c") // the last two frame a message in MLLP
	return r, nil
}

// hl7Sifter takes fields out of HL7 segments (chapter 2 of the standard).
type hl7Sifter struct {
	divider, component, repetition, escape, subcomponent byte
}

func (h *hl7Sifter) open(b []byte) bool {
	*h = hl7Sifter{}
	if len(b) < 6 {
		return false
	}
	h.divider = b[3]
	signs := part(b[4:], h.divider, 1)
	if len(signs) < 2 || len(signs) > 5 {
		return false
	}
	for i, to := range []*byte{&h.component, &h.repetition, &h.escape, &h.subcomponent} {
		if i < len(signs) {
			*to = signs[i]
		}
	}
	for i, c := range append([]byte{h.divider}, signs...) {
		if !isSign(c) || i > 0 && bytes.IndexByte(signs[i:], c) >= 0 {
			return false
		}
	}
	return true
}

func (h *hl7Sifter) name(b []byte) []byte {
	if len(b) < 3 || len(b) > 3 && b[3] != h.divider {
		return nil
	}
	return b[:3]
}

func (h *hl7Sifter) field(dst, b []byte, c segmentColumn) (text []byte, only bool) {
	n := c.field + 1
	if c.segment == "MSH" { // whose first field is the delimiter itself
		n--
	}
	v := part(b, h.divider, n)
	only = true
	if c.repetition == 0 {
		only = h.repetition == 0 || bytes.IndexByte(v, h.repetition) < 0
	}
	v = part(v, h.repetition, max(c.repetition, 1))
	v = part(part(v, h.component, c.component), h.subcomponent, c.subcomponent)
	if string(v) == `""` { // the standard's way to say: nothing
		v = nil
	}
	return h.unescape(dst, v), only
}

// unescape resolves the escapes of section 2.7. What it does not know stays as
// it is, so that it shows.
func (h *hl7Sifter) unescape(dst, v []byte) []byte {
	for h.escape != 0 {
		i := bytes.IndexByte(v, h.escape)
		if i < 0 {
			break
		}
		n := bytes.IndexByte(v[i+1:], h.escape)
		if n < 0 {
			break
		}
		dst = append(dst, v[:i]...)
		inner := v[i+1 : i+1+n]
		switch {
		case string(inner) == "F":
			dst = append(dst, h.divider)
		case string(inner) == "S":
			dst = append(dst, h.component)
		case string(inner) == "R":
			dst = append(dst, h.repetition)
		case string(inner) == "E":
			dst = append(dst, h.escape)
		case string(inner) == "T":
			dst = append(dst, h.subcomponent)
		case string(inner) == "H" || string(inner) == "N": // highlighting
		case string(inner) == ".br":
			dst = append(dst, ' ')
		case len(inner) > 2 && inner[0] == 'X' && h.hex(&dst, inner[1:]):
		default:
			dst = append(dst, v[i:i+n+2]...)
		}
		v = v[i+n+2:]
	}
	return append(dst, v...)
}

func (h *hl7Sifter) hex(dst *[]byte, digits []byte) bool {
	more, err := hex.AppendDecode(*dst, digits)
	if err == nil {
		*dst = more
	}
	return err == nil
}
