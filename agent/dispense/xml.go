package dispense

import (
	"bufio"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"branchline/internal/conf"
	"branchline/internal/fault"
)

// XML is the form of XML files. Prefixes of namespaces are not looked at. A
// file with a document type (DTD) is refused; there are no entities but the
// five of XML. It is read from its start to its end, whatever its size, in
// little memory; of what is not mapped nothing is kept.
type XML struct {
	// Row is the path of the elements that are rows, such as
	// /export/receipt/item. The mapping names its columns by their paths from
	// there: pzn, price/@currency, "@line", ../@number; a value of an element
	// around the row must stand before the row.
	Row string `yaml:"row"`
	// AllowEmpty accepts a file with other elements and without any row.
	// Otherwise it is one whose elements have new names.
	AllowEmpty bool `yaml:"allow_empty"`
}

const (
	// maxDepth bounds how deep elements are within each other.
	maxDepth = 64
	// maxToken bounds one tag or text of an XML file, in bytes, and so the
	// memory that it takes.
	maxToken = 1 << 20
)

var (
	xmlRowForm    = regexp.MustCompile(`^(/[\pL_][\pL\pN_.-]*){1,16}$`)
	xmlColumnForm = regexp.MustCompile(`^(\.|(\.\./)*([\pL_][\pL\pN_.-]*/)*(@?[\pL_][\pL\pN_.-]*))$`)
)

func (x *XML) validate() error {
	if !xmlRowForm.MatchString(x.Row) {
		return conf.Bad("row", x.Row, "must be the path of the elements that are rows, such as /export/receipt/item")
	}
	return nil
}

func (x *XML) check(c Column) string {
	if !xmlColumnForm.MatchString(c.Name) {
		return `must be a path from the row, such as pzn, price/@currency, "@line" or ../@number`
	}
	if strings.Count(c.Name, "../") >= strings.Count(x.Row, "/") {
		return "leads out of the file"
	}
	return ""
}

// xmlColumn is where a mapped column stands.
type xmlColumn struct {
	element string // its path from the root
	attr    string // empty for the element's text
	scope   string // the innermost element around it that is around the row, too
}

func newXMLColumn(row, name string) xmlColumn {
	c := xmlColumn{scope: row}
	for strings.HasPrefix(name, "../") {
		name, c.scope = name[3:], c.scope[:strings.LastIndexByte(c.scope, '/')]
	}
	c.element = c.scope
	for _, step := range strings.Split(name, "/") {
		switch {
		case step == ".":
		case step[0] == '@':
			c.attr = step[1:]
		default:
			c.element += "/" + step
		}
	}
	return c
}

// xmlRows are the rows of an XML file. It is always read from its start.
type xmlRows struct {
	x       *XML
	name    string
	enc     encoding
	in      *bounded
	d       *xml.Decoder
	path    []byte
	ends    []int // of the paths of the elements that are open
	names   []string
	columns []xmlColumn
	values  [][]byte
	times   []int // that each stands there
	long    bool  // the row is too long
	line    int64 // of the row's start
	passed  int64 // lines that were told of
	root    bool  // the outermost element was there
	found   bool  // a row was there
	beside  bool  // another element was there
}

func newXMLRows(e *Export, f file) (rows, error) {
	head := make([]byte, 4)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	enc, mark := encodings["utf-8"].sniff(head[:n])
	r := &xmlRows{x: e.XML, name: f.name, enc: encodings["utf-8"], names: e.mappedNames()}
	text := io.Reader(io.NewSectionReader(f, mark, f.size-mark))
	marked := mark > 0
	if enc.wide {
		text = enc.reader(text)
	}
	r.in = &bounded{r: bufio.NewReaderSize(text, 1<<16)}
	r.d = xml.NewDecoder(r.in)
	r.d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		said, known := encodings[strings.ToLower(label)]
		switch {
		case marked || enc.wide:
			return in, nil // as the mark says
		case !known || said.wide:
			return nil, errUnsound
		case said.table == nil:
			return in, nil
		}
		return said.table.NewDecoder().Reader(in), nil
	}
	for _, name := range r.names {
		r.columns = append(r.columns, newXMLColumn(e.XML.Row, name))
	}
	r.values, r.times = make([][]byte, len(r.columns)), make([]int, len(r.columns))
	return r, nil
}

func (r *xmlRows) header() (names []string, columns int, lines int64, err error) {
	return r.names, len(r.names), 0, nil
}

func (r *xmlRows) next(f *fields) (record, error) {
	for {
		r.in.left = maxToken
		token, err := r.d.RawToken()
		if errors.Is(err, io.EOF) && len(r.ends) == 0 && !errors.As(err, new(*xml.SyntaxError)) {
			return record{}, r.end()
		}
		if err != nil {
			return record{}, r.broken(err)
		}
		switch token := token.(type) {
		case xml.Directive:
			return record{}, misfit("%s has a document type, which is not accepted", r.name)
		case xml.StartElement:
			if err := r.open(token); err != nil {
				return record{}, err
			}
		case xml.CharData:
			for i, c := range r.columns {
				if c.attr == "" && c.element == string(r.path) && len(r.ends) > 0 {
					r.add(i, token)
				}
			}
		case xml.EndElement:
			if len(r.ends) == 0 || string(r.path[r.parent()+1:]) != token.Name.Local {
				return record{}, r.broken(errUnsound)
			}
			isRow := string(r.path) == r.x.Row
			r.path = r.path[:r.parent()]
			r.ends = r.ends[:len(r.ends)-1]
			if isRow {
				return r.row(f), nil
			}
		}
	}
}

// parent is the length of the path of the element around the innermost one.
func (r *xmlRows) parent() int {
	if len(r.ends) < 2 {
		return 0
	}
	return r.ends[len(r.ends)-2]
}

func (r *xmlRows) open(e xml.StartElement) error {
	if len(r.ends) == 0 && "/"+e.Name.Local != r.x.Row && !strings.HasPrefix(r.x.Row, "/"+e.Name.Local+"/") {
		return misfit("the outermost element of %s is not that of %s", r.name, r.x.Row)
	}
	if len(r.ends) == 0 && r.root {
		return r.broken(errUnsound)
	}
	r.root = true
	if len(r.ends) == maxDepth {
		return misfit("%s has elements more than %d deep", r.name, maxDepth)
	}
	r.path = append(append(r.path, '/'), e.Name.Local...)
	r.ends = append(r.ends, len(r.path))
	switch {
	case string(r.path) == r.x.Row:
		line, _ := r.d.InputPos()
		r.line, r.found, r.long = int64(line), true, false
	case len(r.ends) > 1:
		r.beside = true
	}
	for i, c := range r.columns {
		if c.scope == string(r.path) {
			r.values[i], r.times[i] = r.values[i][:0], 0
		}
		if c.element != string(r.path) {
			continue
		}
		if c.attr == "" {
			r.times[i]++
			continue
		}
		for _, a := range e.Attr {
			if a.Name.Local == c.attr && a.Name.Space != "xmlns" {
				r.times[i]++
				r.add(i, []byte(a.Value))
			}
		}
	}
	return nil
}

func (r *xmlRows) add(i int, text []byte) {
	if len(r.values[i])+len(text) > maxLine {
		r.long = true
		return
	}
	r.values[i] = append(r.values[i], text...)
}

// row gives what was gathered.
func (r *xmlRows) row(f *fields) record {
	found := record{skipped: max(r.line-1-r.passed, 0)}
	r.passed += found.skipped
	if r.long {
		found.opaque = fault.New(fault.Data, "line_too_long", "a value of the row has more than %d bytes", maxLine)
		return found
	}
	f.spans, f.plain, f.line = f.spans[:0], f.plain[:0], nil
	for i, v := range r.values {
		if r.times[i] > 1 && found.bad == nil {
			found.bad = fault.New(fault.Data, "repeated_field", "%s is there more than once, and nothing says which is meant", r.names[i]).
				WithHint("let the row be the element that is repeated, or record it by hand")
		}
		lo := len(f.plain)
		f.plain = append(f.plain, []byte(strings.TrimSpace(string(v)))...)
		f.spans = append(f.spans, span{lo: int32(lo), hi: int32(len(f.plain)), unquoted: true})
	}
	return found
}

// end tells what the end of a whole file means.
func (r *xmlRows) end() error {
	switch {
	case !r.root:
		return fault.New(fault.Transient, codeUnreadable, "%s is empty: it is still being written, or was cut", r.name)
	case !r.found && r.beside && !r.x.AllowEmpty:
		return misfit("%s has no element %s", r.name, r.x.Row)
	}
	return io.EOF
}

// broken never quotes the file, as the decoder's own errors do.
func (r *xmlRows) broken(err error) error {
	line, _ := r.d.InputPos()
	var wrong *xml.SyntaxError
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &wrong) && strings.Contains(wrong.Msg, "EOF"):
		return fault.New(fault.Transient, codeUnreadable, "%s ends before its last element does: it is still being written, or was cut", r.name)
	case errors.Is(err, errTokenTooLong):
		return misfit("%s has a tag or a text of more than %d bytes in line %d", r.name, maxToken, line)
	case errors.As(err, &wrong) || errors.Is(err, errUnsound):
		return misfit("%s is not sound XML in line %d, or not in an encoding that is known", r.name, line)
	}
	return fmt.Errorf("line %d: %w", line, err)
}

func (r *xmlRows) place() (offset int64, sum [sha256.Size]byte) { return 0, sum }
func (r *xmlRows) encoding() encoding                           { return r.enc }
func (r *xmlRows) seek(int64) (bool, error)                     { return false, nil }

var errUnsound = errors.New("not sound")

// bounded reads no more than is left.
type bounded struct {
	r    *bufio.Reader
	left int
}

var errTokenTooLong = errors.New("token too long")

func (b *bounded) ReadByte() (byte, error) {
	if b.left <= 0 {
		return 0, errTokenTooLong
	}
	b.left--
	return b.r.ReadByte()
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTokenTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
