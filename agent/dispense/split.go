package dispense

import "bytes"

// dialect is how the columns of a line are told apart.
type dialect struct {
	delimiter byte
	quote     byte // 0 for none
}

// maxColumns bounds the columns of a line.
const maxColumns = 512

// fields holds the columns of one line; its memory is used again for the next.
type fields struct {
	spans []span
	// plain holds quoted columns with doubled quotes made single.
	plain []byte
	line  []byte
}

// span is where a column stands: in the line, or in plain.
type span struct {
	lo, hi   int32
	unquoted bool
}

func (f *fields) get(i int) []byte {
	s := f.spans[i]
	if s.unquoted {
		return f.plain[s.lo:s.hi]
	}
	return f.line[s.lo:s.hi]
}

// split cuts a line into its columns. It is false for a line whose quotes do
// not close, or close in the middle of a column, and for one with more than
// maxColumns. A quote within a column that does not begin with one is text.
func (d dialect) split(line []byte, f *fields) bool {
	f.spans, f.plain, f.line = f.spans[:0], f.plain[:0], line
	if d.quote == 0 || bytes.IndexByte(line, d.quote) < 0 {
		start := 0
		for i, c := range line {
			if c == d.delimiter {
				f.spans = append(f.spans, span{lo: int32(start), hi: int32(i)})
				start = i + 1
			}
		}
		f.spans = append(f.spans, span{lo: int32(start), hi: int32(len(line))})
		return len(f.spans) <= maxColumns
	}
	for at := 0; ; {
		next, ok := d.column(line, at, f)
		if !ok || len(f.spans) > maxColumns {
			return false
		}
		if next > len(line) {
			return true
		}
		at = next
	}
}

// column takes the column that begins at at, and tells where the next begins:
// behind the end of the line for none.
func (d dialect) column(line []byte, at int, f *fields) (next int, ok bool) {
	if at == len(line) || line[at] != d.quote {
		end := bytes.IndexByte(line[at:], d.delimiter)
		if end < 0 {
			end = len(line) - at
		}
		f.spans = append(f.spans, span{lo: int32(at), hi: int32(at + end)})
		return at + end + 1, true
	}
	start := len(f.plain)
	for at++; ; {
		end := bytes.IndexByte(line[at:], d.quote)
		if end < 0 {
			return 0, false
		}
		f.plain = append(f.plain, line[at:at+end]...)
		at += end + 1
		if at == len(line) || line[at] == d.delimiter {
			f.spans = append(f.spans, span{lo: int32(start), hi: int32(len(f.plain)), unquoted: true})
			return at + 1, true
		}
		if line[at] != d.quote {
			return 0, false
		}
		f.plain = append(f.plain, d.quote)
		at++
	}
}

// open tells whether the text ends within quotes.
func (d dialect) open(text []byte) bool {
	if d.quote == 0 || bytes.IndexByte(text, d.quote) < 0 {
		return false
	}
	const (
		begin = iota // of a column
		bare
		quoted
		closing // behind a quote within quotes
	)
	state := begin
	for _, c := range text {
		switch {
		case state == quoted:
			if c == d.quote {
				state = closing
			}
		case state == closing && c == d.quote:
			state = quoted
		case c == d.delimiter:
			state = begin
		case state == begin && c == d.quote:
			state = quoted
		case state == closing && c != '\r':
			return false // no line that could be read
		default:
			if state == begin {
				state = bare
			}
		}
	}
	return state == quoted
}
