package dispense

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// encoding is how the bytes of a file become text.
type encoding struct {
	name string
	// table maps the upper half of a single-byte encoding; nil for UTF-8.
	table *charmap.Charmap
	// wide is set for UTF-16: such a file is turned into UTF-8 as it is read.
	wide bool
	big  bool
}

var encodings = map[string]encoding{
	"utf-8":        {name: "utf-8"},
	"utf-16":       {name: "utf-16", wide: true},
	"utf-16be":     {name: "utf-16be", wide: true, big: true},
	"windows-1252": {name: "windows-1252", table: charmap.Windows1252},
	"windows-1250": {name: "windows-1250", table: charmap.Windows1250},
	"iso-8859-1":   {name: "iso-8859-1", table: charmap.ISO8859_1},
	"iso-8859-15":  {name: "iso-8859-15", table: charmap.ISO8859_15},
	"cp850":        {name: "cp850", table: charmap.CodePage850},
	"windows-1251": {name: "windows-1251", table: charmap.Windows1251},
	"cp852":        {name: "cp852", table: charmap.CodePage852},
	"cp866":        {name: "cp866", table: charmap.CodePage866},
	"cp437":        {name: "cp437", table: charmap.CodePage437},
}

// sniff gives the encoding that a byte order mark proves, and the mark's
// length; without a mark it is the configured one.
func (e encoding) sniff(head []byte) (encoding, int64) {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return encodings["utf-8"], 3
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return encodings["utf-16"], 2
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return encodings["utf-16be"], 2
	}
	return e, 0
}

// reader gives the bytes of the lines: those of the file, or UTF-8 where the
// file is UTF-16.
func (e encoding) reader(r io.Reader) io.Reader {
	if !e.wide {
		return r
	}
	order := unicode.LittleEndian
	if e.big {
		order = unicode.BigEndian
	}
	return transform.NewReader(r, unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder())
}

// size tells how many bytes of the file b stands for.
func (e encoding) size(b []byte) int64 {
	if !e.wide {
		return int64(len(b))
	}
	n := int64(0)
	for _, r := range string(b) {
		n += 2
		if r > 0xffff {
			n += 2
		}
	}
	return n
}

// decode appends a field as UTF-8; ok is false for bytes that are no text in
// this encoding.
func (e encoding) decode(dst, field []byte) (text []byte, ok bool) {
	for i, c := range field {
		if c >= utf8.RuneSelf {
			dst = append(dst, field[:i]...)
			if e.table == nil {
				return append(dst, field[i:]...), utf8.Valid(field[i:])
			}
			for _, c := range field[i:] {
				r := e.table.DecodeByte(c)
				if r == utf8.RuneError {
					return dst, false
				}
				dst = utf8.AppendRune(dst, r)
			}
			return dst, true
		}
	}
	return append(dst, field...), true
}

// maxLine bounds one record, in bytes.
const maxLine = 64 << 10

// ending says how a record ended.
type ending uint8

const (
	terminated   ending = iota
	unterminated        // by the end of the file
	tooLong             // it has more than maxLine bytes, and is not given
)

// source cuts a text into records. Its memory is fixed. Not for concurrent
// use.
type source struct {
	r   io.Reader
	enc encoding
	// open tells that a text ends within quotes, so that the record goes on
	// in the next line; nil where none does.
	open func([]byte) bool
	// ends are the signs that end a record; nil for a line feed.
	ends []byte
	// start is how the last record began that was too long.
	start [8]byte

	buf      []byte
	lo, hi   int
	eof      bool
	spent    bool  // the last line, which has no end, was given
	offset   int64 // of buf[lo] in the file
	digest   hash.Hash
	digested int // buf[:digested] is in the digest
}

// newSource reads from r, which stands at offset of the file. digest holds
// what was read before; nil where nobody asks for it.
func newSource(r io.Reader, enc encoding, offset int64, digest hash.Hash) *source {
	return &source{r: enc.reader(r), enc: enc, buf: make([]byte, 4*maxLine), offset: offset, digest: digest}
}

// record gives the next record without its line end, and how many lines it
// has. It is valid until the next call. At the end it is io.EOF. A last record
// without a line end is given but not consumed: offset and sum stay before it.
func (s *source) record() (b []byte, lines int64, end ending, err error) {
	first := -1 // end of the first line, while a quote is open
	for from, n := 0, int64(1); ; n++ {
		i, err := s.newline(from)
		if err != nil {
			return nil, 0, 0, err
		}
		if i >= 0 && i <= maxLine && s.open != nil && n < maxQuotedLines && s.open(s.buf[s.lo:s.lo+i]) {
			if first < 0 {
				first = i
			}
			from = i + 1
			continue
		}
		switch {
		case first >= 0 && (i < 0 || i > maxLine || s.open(s.buf[s.lo:s.lo+i])):
			// The quote never closes: its line stands alone.
			return s.take(first, 1), 1, terminated, nil
		case i > maxLine || i < 0 && s.hi-s.lo > maxLine:
			copy(s.start[:], s.buf[s.lo:s.hi])
			return nil, 1, tooLong, s.skip()
		case i >= 0:
			return s.take(i, 1), n, terminated, nil
		case s.hi == s.lo || s.spent:
			return nil, 0, 0, io.EOF
		}
		s.spent = true
		return bytes.TrimSuffix(s.buf[s.lo:s.hi], []byte{'\r'}), n, unterminated, nil
	}
}

// maxQuotedLines bounds a record that goes on within quotes.
const maxQuotedLines = 100

// newline finds the first line end at or after from, counted from lo, reading
// on up to maxLine; -1 where there is none.
func (s *source) newline(from int) (int, error) {
	for {
		if i := s.end(s.buf[s.lo+from : s.hi]); i >= 0 {
			return from + i, nil
		}
		from = s.hi - s.lo
		if s.eof || from > maxLine {
			return -1, nil
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// end finds the first sign that ends a record.
func (s *source) end(b []byte) int {
	if s.ends == nil {
		return bytes.IndexByte(b, '\n')
	}
	return bytes.IndexAny(b, string(s.ends))
}

func (s *source) fill() error {
	s.sum()
	copy(s.buf, s.buf[s.lo:s.hi])
	s.hi -= s.lo
	s.lo, s.digested = 0, 0
	n, err := s.r.Read(s.buf[s.hi:])
	s.hi += n
	if err == io.EOF {
		s.eof, err = true, nil
	}
	return err
}

// take consumes n bytes and a line end of width bytes.
func (s *source) take(n, width int) []byte {
	b := s.buf[s.lo : s.lo+n]
	s.advance(n + width)
	if n > 0 && b[n-1] == '\r' {
		b = b[:n-1]
	}
	return b
}

func (s *source) advance(n int) {
	s.offset += s.enc.size(s.buf[s.lo : s.lo+n])
	s.lo += n
}

// skip consumes the rest of a line that is too long.
func (s *source) skip() error {
	for {
		if i := s.end(s.buf[s.lo:s.hi]); i >= 0 {
			s.advance(i + 1)
			return nil
		}
		s.advance(s.hi - s.lo)
		if s.eof {
			return nil
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
}

// sum is the hash over everything that was consumed so far.
func (s *source) sum() (h [sha256.Size]byte) {
	if s.digest == nil {
		return h
	}
	s.digest.Write(s.buf[s.digested:s.lo])
	s.digested = s.lo
	s.digest.Sum(h[:0])
	return h
}

// seek consumes the text before offset of the file; it is false where that is
// no place behind what was consumed, or beyond the end.
func (s *source) seek(offset int64) (found bool, err error) {
	if offset < s.offset {
		return false, nil
	}
	err = s.discard(offset)
	return err == nil && s.offset == offset, err
}

// discard consumes the text before offset of the file, or all of it where it
// is shorter.
func (s *source) discard(offset int64) error {
	for s.offset < offset {
		if n := s.within(offset - s.offset); n > 0 {
			s.advance(n)
			continue
		}
		if s.eof || s.hi-s.lo >= len(s.buf)/2 {
			return nil // shorter, or not at a character's edge
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
	return nil
}

// within tells how much of the buffer stands for at most n bytes of the file.
func (s *source) within(n int64) int {
	have := s.buf[s.lo:s.hi]
	if !s.enc.wide {
		return int(min(n, int64(len(have))))
	}
	at := 0
	for at < len(have) && n >= 2 {
		r, size := utf8.DecodeRune(have[at:])
		if r == utf8.RuneError && size <= 1 && !utf8.FullRune(have[at:]) {
			break
		}
		if r > 0xffff {
			n -= 2
		}
		if n -= 2; n < 0 {
			break
		}
		at += size
	}
	return at
}
