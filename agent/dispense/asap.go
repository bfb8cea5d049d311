package dispense

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"

	"branchline/internal/conf"
)

// ASAP is the form of files of segments as the American Society for Automation
// in Pharmacy writes them for prescription monitoring (version 4 and its
// relatives): TH, IS, PHA, then PAT, DSP, PRE, CDI for each prescription, TP,
// TT. The delimiter stands behind the first TH, the sign that ends a segment in
// its ninth field.
//
// A row is a segment; the mapping names its columns as the standard does, by
// segment and number: DSP08, PHA02. What stands in TH, IS and PHA holds for all
// rows behind. PAT cannot be named, and is skipped as bytes.
type ASAP struct {
	// Rows is the segment of which each is a row: DSP, or CDI for the parts of
	// compounds, which can then have columns of their DSP.
	Rows string `yaml:"rows"`
	// Encoding is that of the file.
	Encoding string `yaml:"encoding"`
}

// asapSegments are those that columns can be of, in their order.
var asapSegments = []string{"TH", "IS", "PHA", "DSP", "CDI"}

func (a *ASAP) validate() error {
	a.Rows = cmp.Or(a.Rows, "DSP")
	a.Encoding = cmp.Or(a.Encoding, "utf-8")
	if a.Rows != "DSP" && a.Rows != "CDI" {
		return conf.Bad("rows", a.Rows, "must be DSP or CDI")
	}
	if encodings[a.Encoding].wide {
		return conf.Bad("encoding", a.Encoding, "cannot be with ASAP")
	}
	return validateEncoding(a.Encoding)
}

var asapForm = regexp.MustCompile(`^([A-Z]{2,3})-?([0-9]{1,2})$`)

func parseASAPColumn(name string) (c segmentColumn, ok bool) {
	m := asapForm.FindStringSubmatch(name)
	if m == nil {
		return c, false
	}
	c.segment = m[1]
	c.field, _ = strconv.Atoi(m[2])
	return c, c.field > 0
}

func (a *ASAP) check(column Column) string {
	c, ok := parseASAPColumn(column.Name)
	order := slices.Index(asapSegments, c.segment)
	switch {
	case !ok:
		return "must be a segment and the number of its field, such as DSP08"
	case order < 0:
		return "is not of TH, IS, PHA, DSP or CDI; others are never read, as they can be about the patient"
	case order > slices.Index(asapSegments, a.Rows):
		return "stands behind " + a.Rows + ", and cannot belong to it"
	}
	return ""
}

func newASAPRows(e *Export, f file) (rows, error) {
	r, err := newSegmentRows(e, f, e.ASAP.Encoding, &asapSifter{}, parseASAPColumn, segmentForm{
		rows: e.ASAP.Rows, opens: "TH", resets: []string{"PHA"}, keeps: []string{"TH", "IS"},
	})
	if err != nil {
		return nil, err
	}
	head := make([]byte, 1024)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	r.src.ends = asapEnds(head[:n])
	return r, nil
}

// asapSifter takes fields out of ASAP segments.
type asapSifter struct{ delimiter byte }

// asapEnds finds the signs that end the segments of a file, from its TH.
func asapEnds(head []byte) []byte {
	ends := []byte("\r\n")
	th := bytes.TrimLeft(head, " \t\r\n\xef\xbb\xbf")
	if len(th) < 3 || string(th[:2]) != "TH" {
		return ends
	}
	line := th
	if i := bytes.IndexAny(th, "\r\n"); i >= 0 {
		line = th[:i]
	}
	if sign := part(line, th[2], asapEndField+1); len(sign) > 0 && isSign(sign[0]) {
		ends = append(ends, sign[0])
	}
	return ends
}

// asapEndField is the field of TH that holds the sign that ends a segment.
const asapEndField = 9

// isSign tells whether a byte can divide fields: it is no letter, digit or
// space.
func isSign(c byte) bool {
	return c > ' ' && c < 0x7f && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
}

func (a *asapSifter) open(b []byte) bool {
	if len(b) < 3 || !isSign(b[2]) {
		return false
	}
	a.delimiter = b[2]
	// What ends the segments of the file must end this one, too.
	return len(part(b, a.delimiter, asapEndField+1)) == 0 && bytes.Count(b, b[2:3]) <= asapEndField
}

func (a *asapSifter) name(b []byte) []byte { return part(b, a.delimiter, 1) }

func (a *asapSifter) field(dst, b []byte, c segmentColumn) (text []byte, only bool) {
	return append(dst, part(b, a.delimiter, c.field+1)...), true
}
