package dispense

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"branchline/internal/conf"
	"branchline/internal/fault"
)

// Fixed is the form of a file of lines whose columns have their places.
type Fixed struct {
	// Columns are those that the mapping names; what is between them is
	// skipped.
	Columns []FixedColumn `yaml:"columns"`
	// Count is in what the places are counted: "characters", or "bytes".
	// It matters in encodings with characters of several bytes only.
	Count string `yaml:"count"`
	// Length is how long each row must be, so that a shift is noticed; 0 for
	// rows that only reach as far as something stands in them.
	Length int `yaml:"length"`
	// Encoding holds where the file has no byte order mark.
	Encoding string `yaml:"encoding"`
	// SkipLines are before the first row.
	SkipLines int `yaml:"skip_lines"`
	// Only, where it is set, tells rows from lines of other sorts, such as
	// totals: those have another text at its place, and are skipped.
	Only *FixedMark `yaml:"only"`
}

// FixedColumn is a column from one place to another, both counted from 1 and
// both its own.
type FixedColumn struct {
	Name string `yaml:"name"`
	From int    `yaml:"from"`
	To   int    `yaml:"to"`
}

// FixedMark is a text that stands from a place on.
type FixedMark struct {
	From int    `yaml:"from"`
	Text string `yaml:"text"`
}

func (x *Fixed) validate() error {
	x.Count = cmp.Or(x.Count, "characters")
	x.Encoding = cmp.Or(x.Encoding, "utf-8")
	if err := validateEncoding(x.Encoding); err != nil {
		return err
	}
	switch {
	case len(x.Columns) == 0:
		return conf.Bad("columns", "", "must list the columns, each as {name: pzn, from: 1, to: 8}")
	case len(x.Columns) > maxColumns:
		return conf.Bad("columns", len(x.Columns), fmt.Sprintf("are more than %d", maxColumns))
	case x.Count != "characters" && x.Count != "bytes":
		return conf.Bad("count", x.Count, "must be characters or bytes")
	case x.Count == "bytes" && encodings[x.Encoding].wide:
		return conf.Bad("count", x.Count, "cannot be with UTF-16")
	case x.Length < 0 || x.Length > maxLine:
		return conf.Bad("length", x.Length, fmt.Sprintf("must be at most %d", maxLine))
	case x.SkipLines < 0 || x.SkipLines > maxSkip:
		return conf.Bad("skip_lines", x.SkipLines, fmt.Sprintf("must be 0 to %d", maxSkip))
	case x.Only != nil && (x.Only.From < 1 || x.Only.From > maxLine || x.Only.Text == "" || len(x.Only.Text) > maxShort):
		return conf.Bad("only", fmt.Sprintf("%d %s", x.Only.From, x.Only.Text), "must be the place, from 1, and the text that rows have there")
	}
	for i, c := range x.Columns {
		at := fmt.Sprintf("columns[%d]", i)
		switch {
		case c.Name == "":
			return conf.Bad(at+".name", "", "must be there")
		case slices.IndexFunc(x.Columns, func(o FixedColumn) bool { return o.Name == c.Name }) != i:
			return conf.Bad(at+".name", c.Name, "is there twice")
		case c.From < 1:
			return conf.Bad(at+".from", c.From, "must be counted from 1")
		case c.To < c.From || c.To > maxLine || x.Length > 0 && c.To > x.Length:
			return conf.Bad(at+".to", c.To, "must be the column's last place, within the line")
		}
	}
	return nil
}

func (x *Fixed) check(c Column) string {
	switch {
	case c.Number > len(x.Columns):
		return "is not the number of a column"
	case c.Name != "" && !slices.ContainsFunc(x.Columns, func(o FixedColumn) bool { return o.Name == c.Name }):
		return "is not one of fixed.columns"
	}
	return ""
}

// fixedRows are the rows of a file of fixed width.
type fixedRows struct {
	x       *Fixed
	name    string
	growing bool
	src     *source
	bytes   bool // a place is a byte
	starts  []int
}

func newFixedRows(e *Export, f file) (rows, error) {
	r := &fixedRows{x: e.Fixed, name: f.name, growing: e.Arrival == "growing"}
	var err error
	if r.src, err = textSource(f, encodings[e.Fixed.Encoding]); err != nil {
		return nil, err
	}
	r.bytes = e.Fixed.Count == "bytes" && !r.src.enc.wide || r.src.enc.table != nil
	return r, nil
}

func (r *fixedRows) header() (names []string, columns int, lines int64, err error) {
	for range r.x.SkipLines {
		_, n, end, err := r.src.record()
		if errors.Is(err, io.EOF) || err == nil && end == unterminated && r.growing {
			return nil, 0, 0, errNotYet
		}
		if err != nil {
			return nil, 0, 0, err
		}
		lines += n
	}
	for _, c := range r.x.Columns {
		names = append(names, c.Name)
	}
	return names, len(names), lines, nil
}

func (r *fixedRows) next(f *fields) (record, error) {
	var skipped int64
	for {
		b, found, err := nextLine(r.src)
		found.skipped += skipped
		if err != nil || found.opaque != nil {
			return found, err
		}
		r.measure(b)
		if o := r.x.Only; o != nil && r.text(b, o.From, o.From+utf8.RuneCountInString(o.Text)-1) != o.Text {
			if found.cut {
				return record{skipped: found.skipped}, io.EOF
			}
			skipped = found.skipped + found.lines
			continue
		}
		if n := len(r.starts) - 1; r.x.Length > 0 && n != r.x.Length {
			found.opaque = fault.New(fault.Data, "wrong_length", "the line has %d %s, %d are expected", n, r.x.Count, r.x.Length)
			return found, nil
		}
		f.spans, f.plain, f.line = f.spans[:0], f.plain[:0], b
		for _, c := range r.x.Columns {
			lo, hi := r.span(c.From, c.To)
			f.spans = append(f.spans, span{lo: int32(lo), hi: int32(hi)})
		}
		return found, nil
	}
}

// measure finds where each place of a line begins, and its end.
func (r *fixedRows) measure(b []byte) {
	r.starts = r.starts[:0]
	for i := 0; i < len(b); {
		r.starts = append(r.starts, i)
		if r.bytes || b[i] < utf8.RuneSelf {
			i++
			continue
		}
		_, n := utf8.DecodeRune(b[i:])
		i += n
	}
	r.starts = append(r.starts, len(b))
}

// span is where the places from and to, from 1, stand; it is empty, or ends
// earlier, beyond the end of the line.
func (r *fixedRows) span(from, to int) (lo, hi int) {
	last := len(r.starts) - 1
	return r.starts[min(from-1, last)], r.starts[min(to, last)]
}

func (r *fixedRows) text(b []byte, from, to int) string {
	lo, hi := r.span(from, to)
	text, _ := r.src.enc.decode(nil, b[lo:hi])
	return string(text)
}

func (r *fixedRows) place() (int64, [sha256.Size]byte) { return r.src.offset, r.src.sum() }
func (r *fixedRows) encoding() encoding                { return r.src.enc }
func (r *fixedRows) seek(offset int64) (bool, error)   { return r.src.seek(offset) }
