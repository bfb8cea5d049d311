package dispense

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSplit(t *testing.T) {
	cases := map[string]struct {
		line string
		want string // columns between "|"; "!" for a line that cannot be split
	}{
		"plain":                      {`a;b;c`, `a|b|c`},
		"empty columns":              {`;;`, `||`},
		"one column":                 {`abc`, `abc`},
		"quoted":                     {`"a";"b"`, `a|b`},
		"quoted delimiter":           {`"a;b";c`, `a;b|c`},
		"doubled quotes":             {`"a""b";""""`, `a"b|"`},
		"quoted and empty":           {`"";x;""`, `|x|`},
		"a quote within":             {`5"x;b`, `5"x|b`},
		"behind the closing quote":   {`"a"b;c`, `!`},
		"space behind":               {`"a" ;c`, `!`},
		"never closed":               {`a;"b;c`, `!`},
		"a quote alone at the end":   {`a;"`, `!`},
		"delimiter at the end":       {`a;"b";`, `a|b|`},
		"more columns than possible": {strings.Repeat(";", maxColumns), `!`},
	}
	d := dialect{delimiter: ';', quote: '"'}
	var f fields
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := "!"
			if d.split([]byte(c.line), &f) {
				got = strings.Join(columns(&f), "|")
			}
			if got != c.want {
				t.Errorf("%q became %q, want %q", c.line, got, c.want)
			}
		})
	}
}

func columns(f *fields) []string {
	list := make([]string, len(f.spans))
	for i := range list {
		list[i] = string(f.get(i))
	}
	return list
}

// What encoding/csv writes, this package reads as the same columns, in any
// reads, with quoted line ends too; and it never holds more than its buffer.
func TestReadsWhatOthersWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		column := rapid.StringMatching(`[ab;"\n ]{0,6}`)
		width := rapid.IntRange(1, 4).Draw(t, "columns")
		rows := rapid.SliceOfN(rapid.SliceOfN(column, width, width), 1, 10).Draw(t, "rows")
		var text bytes.Buffer
		w := csv.NewWriter(&text)
		w.Comma = ';'
		w.UseCRLF = rapid.Bool().Draw(t, "CRLF")
		if err := w.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		d := dialect{delimiter: ';', quote: '"'}
		s := newSource(&stutter{text.Bytes(), t}, encodings["utf-8"], 0, nil)
		s.open = d.open
		lines, at := int64(0), 0
		var f fields
		for {
			b, n, _, err := s.record()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			lines += n
			if len(b) == 0 && width == 1 && rows[at][0] != "" {
				t.Fatalf("an empty line in place of %q", rows[at])
			}
			if !d.split(b, &f) {
				t.Fatalf("%q cannot be split", b)
			}
			want := strings.ReplaceAll(strings.Join(rows[at], "|"), "\n", map[bool]string{true: "\r\n", false: "\n"}[w.UseCRLF])
			if got := strings.Join(columns(&f), "|"); got != want {
				t.Fatalf("row %d is %q, want %q", at, got, want)
			}
			at++
		}
		if at != len(rows) || lines != int64(bytes.Count(text.Bytes(), []byte("\n"))) || s.offset != int64(text.Len()) {
			t.Fatalf("%d of %d rows, %d lines, offset %d of %d", at, len(rows), lines, s.offset, text.Len())
		}
	})
}

// stutter reads a few bytes at a time.
type stutter struct {
	b []byte
	t *rapid.T
}

func (s *stutter) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.b[:rapid.IntRange(1, min(len(s.b), len(p))).Draw(s.t, "read")])
	s.b = s.b[n:]
	return n, nil
}
