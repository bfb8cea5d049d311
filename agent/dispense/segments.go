package dispense

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"slices"

	"branchline/internal/fault"
)

// segmentForm is what HL7 and ASAP files have in common: segments that begin
// with their name, rows that are segments of one name, and what the segments
// before say about them.
type segmentForm struct {
	// rows is the name of the segments that are rows.
	rows string
	// opens is the segment with which a message begins, and its delimiters.
	opens string
	// around are the segments at the outside of messages.
	around []string
	// resets are segments from which on nothing holds of what stands before,
	// but for the segments in keeps.
	resets, keeps []string
}

// segmentColumn is a mapped column: a field of a segment.
type segmentColumn struct {
	segment string
	field   int // from 1
	// repetition is 0 where there must be only one.
	repetition              int
	component, subcomponent int // from 1
}

// sifter takes the mapped fields out of segments; all others it skips as bytes.
type sifter interface {
	// open takes the delimiters from a segment that opens a message; false for
	// one that cannot be read.
	open(segment []byte) bool
	// name gives a segment's name; nil for what is none.
	name(segment []byte) []byte
	// field appends a field's text to dst. Where it is there more often than
	// the column allows, only is false.
	field(dst, segment []byte, c segmentColumn) (text []byte, only bool)
}

// segmentRows are the rows of a file of segments.
type segmentRows struct {
	form    segmentForm
	file    string
	growing bool
	src     *source
	sift    sifter
	names   []string
	columns []segmentColumn
	values  [][]byte // by column, as they hold for the next row
	often   []bool   // by column: it is there more often than once
	message bool     // within one whose delimiters are known
	broken  bool     // within one whose segments cannot be told apart
}

// newSegmentRows reads the columns that the mapping names, as parse understands
// their names.
func newSegmentRows(e *Export, f file, encoding string, sift sifter, parse func(string) (segmentColumn, bool), form segmentForm) (*segmentRows, error) {
	r := &segmentRows{form: form, file: f.name, growing: e.Arrival == "growing", sift: sift, names: e.mappedNames()}
	for _, name := range r.names {
		c, _ := parse(name)
		r.columns = append(r.columns, c)
	}
	src, err := textSource(f, encodings[encoding])
	r.src = src
	return r, err
}

func (r *segmentRows) header() (names []string, columns int, lines int64, err error) {
	r.values, r.often = make([][]byte, len(r.columns)), make([]bool, len(r.columns))
	return r.names, len(r.names), 0, nil
}

func (r *segmentRows) next(f *fields) (record, error) {
	var found record
	for {
		b, _, end, err := r.src.record()
		if err != nil {
			return found, err
		}
		if end != tooLong && len(bytes.TrimLeft(b, " \t\r\n\x00\x1a")) == 0 {
			if end == unterminated {
				return found, io.EOF
			}
			continue
		}
		b = bytes.TrimLeft(b, " \t\r\n")
		if end == tooLong {
			b = r.src.start[:]
		}
		isRow, opaque := r.segment(b, end == tooLong)
		if !isRow {
			if end == unterminated && r.growing {
				return found, io.EOF
			}
			if !r.message && !r.broken && !r.outside(b) {
				return found, misfit("%s does not begin with %s, as such files do", r.file, r.form.opens)
			}
			if end == unterminated {
				return found, io.EOF
			}
			found.skipped++
			continue
		}
		found.lines, found.cut = 1, end == unterminated
		if found.opaque = opaque; opaque != nil {
			found.text = b
			return found, nil
		}
		f.spans, f.plain, f.line = f.spans[:0], f.plain[:0], nil
		for i, v := range r.values {
			if r.often[i] && found.bad == nil {
				found.bad = fault.New(fault.Data, "repeated_field", "%s is there more than once, and nothing says which is meant", r.names[i]).
					WithHint("name the repetition that is meant, such as RXD-2[1].1, or record it by hand")
			}
			lo := len(f.plain)
			f.plain = append(f.plain, v...)
			f.spans = append(f.spans, span{lo: int32(lo), hi: int32(len(f.plain)), unquoted: true})
		}
		return found, nil
	}
}

// segment takes what is mapped out of one segment, and tells whether it is a
// row, or why it and what belongs to it cannot be read.
func (r *segmentRows) segment(b []byte, long bool) (isRow bool, opaque error) {
	if bytes.HasPrefix(b, []byte(r.form.opens)) {
		r.clear(nil)
		r.message = !long && r.sift.open(b)
		r.broken = !r.message
		if r.broken {
			return true, fault.New(fault.Data, "bad_delimiters", "the %s segment does not say how its message is divided, so that none of it can be read", r.form.opens)
		}
	}
	if r.broken || !r.message {
		return false, nil
	}
	name := string(r.sift.name(b))
	if slices.Contains(r.form.resets, name) {
		r.clear(r.form.keeps)
	}
	if long {
		if name != r.form.rows && !slices.ContainsFunc(r.columns, func(c segmentColumn) bool { return c.segment == name }) {
			return false, nil
		}
		r.message, r.broken = false, true
		return true, fault.New(fault.Data, "line_too_long", "the segment %s has more than %d bytes, so that it and the rest of its message cannot be read", name, maxLine)
	}
	for i, c := range r.columns {
		if c.segment == name {
			var only bool
			r.values[i], only = r.sift.field(r.values[i][:0], b, c)
			r.often[i] = !only
		}
	}
	return name == r.form.rows, nil
}

func (r *segmentRows) clear(keep []string) {
	for i, c := range r.columns {
		if !slices.Contains(keep, c.segment) {
			r.values[i], r.often[i] = r.values[i][:0], false
		}
	}
}

// outside tells whether a segment may stand before the first message.
func (r *segmentRows) outside(b []byte) bool {
	return slices.ContainsFunc(r.form.around, func(name string) bool { return bytes.HasPrefix(b, []byte(name)) })
}

func (r *segmentRows) place() (int64, [sha256.Size]byte) { return r.src.offset, r.src.sum() }
func (r *segmentRows) encoding() encoding                { return r.src.enc }

// seek reads the segments up to offset, as they tell what holds there.
func (r *segmentRows) seek(offset int64) (bool, error) {
	for r.src.offset < offset {
		b, _, end, err := r.src.record()
		if errors.Is(err, io.EOF) || err == nil && end == unterminated {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if end == tooLong {
			b = r.src.start[:]
		}
		if b = bytes.TrimLeft(b, " \t\r\n"); len(b) > 0 {
			r.segment(b, end == tooLong)
		}
	}
	return r.src.offset == offset, nil
}

// part gives the nth, from 1, of what a sign divides; empty where there are
// fewer. A sign of 0 divides nothing.
func part(b []byte, sign byte, n int) []byte {
	for ; n > 1; n-- {
		i := -1
		if sign != 0 {
			i = bytes.IndexByte(b, sign)
		}
		if i < 0 {
			return nil
		}
		b = b[i+1:]
	}
	if sign != 0 {
		if i := bytes.IndexByte(b, sign); i >= 0 {
			return b[:i]
		}
	}
	return b
}
