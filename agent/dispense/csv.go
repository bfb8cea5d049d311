package dispense

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"branchline/internal/conf"
	"branchline/internal/fault"
)

// CSV is the form of a file of lines whose columns a sign divides.
type CSV struct {
	Delimiter string `yaml:"delimiter"` // one character, or "tab"
	Quote     string `yaml:"quote"`     // one character, or "none"
	// QuotedNewlines lets a quoted column go on in the next line.
	QuotedNewlines bool `yaml:"quoted_newlines"`
	// Encoding holds where the file has no byte order mark.
	Encoding string `yaml:"encoding"`
	// SkipLines are before the header, or before the first row.
	SkipLines int `yaml:"skip_lines"`
	// Header tells whether a line names the columns. Without one, Columns
	// must say how many there are, so that a shift is noticed.
	Header  *bool `yaml:"header"`
	Columns int   `yaml:"columns"`
	// Expect is the whole header, where it must be exactly so.
	Expect []string `yaml:"expect"`
}

func (c *CSV) isZero() bool { return reflect.ValueOf(*c).IsZero() }

func (c *CSV) fill() {
	d := DefaultExport().CSV
	c.Delimiter = cmp.Or(c.Delimiter, d.Delimiter)
	c.Quote = cmp.Or(c.Quote, d.Quote)
	c.Encoding = cmp.Or(c.Encoding, d.Encoding)
	c.Header = cmp.Or(c.Header, d.Header)
}

func (c *CSV) validate() error {
	if _, err := character("delimiter", c.Delimiter); err != nil {
		return err
	}
	if _, err := character("quote", c.Quote); err != nil {
		return err
	}
	if err := validateEncoding(c.Encoding); err != nil {
		return err
	}
	switch {
	case c.Delimiter == c.Quote:
		return conf.Bad("quote", c.Quote, "is the delimiter, too")
	case c.SkipLines < 0 || c.SkipLines > maxSkip:
		return conf.Bad("skip_lines", c.SkipLines, fmt.Sprintf("must be 0 to %d", maxSkip))
	case c.Columns < 0 || c.Columns > maxColumns:
		return conf.Bad("columns", c.Columns, fmt.Sprintf("must be at most %d", maxColumns))
	case !*c.Header && c.Columns == 0:
		return conf.Bad("columns", c.Columns, "must say how many columns there are, as no header does")
	case !*c.Header && len(c.Expect) > 0:
		return conf.Bad("expect", c.Expect, "needs a header")
	}
	return nil
}

// maxSkip bounds the lines before the header.
const maxSkip = 1000

func (c *CSV) check(column Column) string {
	switch {
	case column.Name != "" && !*c.Header:
		return "must be a column's number, as the file has no header"
	case c.Columns > 0 && column.Number > c.Columns:
		return "is not the number of a column"
	}
	return ""
}

// character reads a delimiter or a quote; 0 for none.
func character(setting, s string) (byte, error) {
	switch {
	case setting == "delimiter" && s == "tab":
		return '\t', nil
	case setting == "quote" && s == "none":
		return 0, nil
	case len(s) == 1 && (s[0] > ' ' && s[0] < 0x7f || s[0] == '\t') && !strings.ContainsAny(s, "0123456789"):
		return s[0], nil
	}
	return 0, conf.Bad(setting, s, "must be one character that is neither letter nor digit nor space")
}

// csvRows are the rows of a CSV file.
type csvRows struct {
	c       *CSV
	name    string
	growing bool
	src     *source
	d       dialect
	columns int // of each row
}

// textSource gives the lines of a text file, behind its byte order mark.
func textSource(f file, enc encoding) (*source, error) {
	head := make([]byte, 4)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	enc, mark := enc.sniff(head[:n])
	return newSource(io.NewSectionReader(f, mark, f.size-mark), enc, mark, sha256.New()), nil
}

func newCSVRows(e *Export, f file) (rows, error) {
	c := &csvRows{c: &e.CSV, name: f.name, growing: e.Arrival == "growing"}
	var err error
	if c.d.quote, err = character("quote", e.CSV.Quote); err != nil {
		return nil, err
	}
	if c.d.delimiter, err = character("delimiter", e.CSV.Delimiter); err != nil {
		return nil, err
	}
	if c.src, err = textSource(f, encodings[e.CSV.Encoding]); err != nil {
		return nil, err
	}
	if e.CSV.QuotedNewlines {
		c.src.open = c.d.open
	}
	return c, nil
}

func (c *csvRows) header() (names []string, columns int, lines int64, err error) {
	c.columns = c.c.Columns
	for i := range c.c.SkipLines + 1 {
		wanted := i == c.c.SkipLines
		if wanted && !*c.c.Header {
			break
		}
		b, n, end, err := c.src.record()
		if errors.Is(err, io.EOF) || err == nil && end == unterminated && c.growing {
			return nil, 0, 0, errNotYet
		}
		if err != nil {
			return nil, 0, 0, err
		}
		lines += n
		if wanted {
			var cells fields
			if end == tooLong || !c.d.split(b, &cells) {
				return nil, 0, 0, misfit("the header of %s cannot be read", c.name)
			}
			if names, err = c.names(&cells); err != nil {
				return nil, 0, 0, named(c.name, err)
			}
		}
	}
	return names, c.columns, lines, nil
}

func (c *csvRows) names(cells *fields) ([]string, error) {
	names := make([]string, len(cells.spans))
	for i := range names {
		text, ok := c.src.enc.decode(nil, bytes.TrimSpace(cells.get(i)))
		if !ok {
			return nil, misfit("the header is not text in the encoding %s", c.c.Encoding)
		}
		names[i] = string(text)
	}
	if c.columns != 0 && c.columns != len(names) {
		return nil, misfit("the header has %d columns, the mapping expects %d", len(names), c.columns)
	}
	if want := c.c.Expect; len(want) > 0 {
		if len(want) != len(names) {
			return nil, misfit("the header has %d columns, the mapping expects %d", len(names), len(want))
		}
		for i := range want {
			if names[i] != want[i] {
				return nil, misfit("column %d of the header is not %q as the mapping expects", i+1, want[i])
			}
		}
	}
	c.columns = len(names)
	return names, nil
}

func (c *csvRows) next(f *fields) (record, error) {
	b, found, err := nextLine(c.src)
	switch {
	case err != nil || found.opaque != nil:
	case !c.d.split(b, f):
		found.opaque = fault.New(fault.Data, "bad_quoting", "the quotes of the line do not fit, so that its columns cannot be told apart")
	case len(f.spans) != c.columns:
		found.opaque = fault.New(fault.Data, "wrong_column_count", "the line has %d columns, %d are expected", len(f.spans), c.columns)
	}
	return found, err
}

// nextLine gives the next line that is not blank.
func nextLine(s *source) (b []byte, found record, err error) {
	for {
		b, lines, end, err := s.record()
		if err != nil {
			return nil, found, err
		}
		if end != tooLong && blank(b) {
			if end == unterminated {
				return nil, found, io.EOF
			}
			found.skipped += lines
			continue
		}
		found.lines, found.cut, found.text = lines, end == unterminated, b
		if end == tooLong {
			found.opaque = fault.New(fault.Data, "line_too_long", "the line has more than %d bytes", maxLine)
		}
		return b, found, nil
	}
}

// endOfFile is the sign with which DOS programs end a text.
const endOfFile = 0x1a

func blank(line []byte) bool {
	b := trim(line)
	return len(b) == 0 || len(b) == 1 && b[0] == endOfFile
}

func (c *csvRows) place() (int64, [sha256.Size]byte) { return c.src.offset, c.src.sum() }
func (c *csvRows) encoding() encoding                { return c.src.enc }
func (c *csvRows) seek(offset int64) (bool, error)   { return c.src.seek(offset) }
