package dispense

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"branchline/internal/conf"
	"branchline/internal/fault"
)

// DBF is the form of tables of dBASE III and IV, Clipper and FoxPro. Their
// columns have names. Memos are not read. Numbers have a decimal point; dates
// are given as YYYYMMDD, times as YYYYMMDDHHmmss.
type DBF struct {
	// Encoding is that of the texts; when left out, the table's own mark of
	// its code page holds, and where it has none, texts must be ASCII.
	Encoding string `yaml:"encoding"`
	// Deleted is what becomes of rows that are marked as deleted: "person", or
	// "skip" where the system marks rows that were never dispensed.
	Deleted string `yaml:"deleted"`
}

func (d *DBF) validate() error {
	d.Deleted = cmp.Or(d.Deleted, "person")
	if d.Deleted != "person" && d.Deleted != "skip" {
		return conf.Bad("deleted", d.Deleted, "must be person or skip")
	}
	if d.Encoding == "" {
		return nil
	}
	if encodings[d.Encoding].wide {
		return conf.Bad("encoding", d.Encoding, "cannot be with DBF")
	}
	return validateEncoding(d.Encoding)
}

// dbfVersions are the first bytes of tables whose header is dBASE III's; the
// value tells FoxPro's own, which have more types.
var dbfVersions = map[byte]bool{0x03: false, 0x83: false, 0x43: false, 0x63: false, 0x8b: false, 0xcb: false, 0x05: false,
	0xf5: false, 0xfb: false, 0x30: true, 0x31: true, 0x32: true}

// dbfCodePages are the marks of code pages (byte 29 of the header).
var dbfCodePages = map[byte]string{0x01: "cp437", 0x02: "cp850", 0x03: "windows-1252", 0x57: "windows-1252", 0x58: "windows-1252",
	0x64: "cp852", 0x65: "cp866", 0x26: "cp866", 0xc8: "windows-1250", 0xc9: "windows-1251"}

// dbfColumn is one of the table's.
type dbfColumn struct {
	name   string
	kind   byte
	lo, hi int // within a row
	mapped bool
}

// dbfRows are the rows of a table.
type dbfRows struct {
	d       *DBF
	name    string
	growing bool
	f       file
	foxpro  bool
	enc     encoding
	columns []dbfColumn
	start   int64 // of the first row
	width   int   // of each
	count   int64 // as many are there
	at      int64 // as many were given
	r       *bufio.Reader
	buf     []byte
	digest  hash.Hash
	wanted  []string
}

func newDBFRows(e *Export, f file) (rows, error) {
	return &dbfRows{d: e.DBF, name: f.name, growing: e.Arrival == "growing", f: f, digest: sha256.New(), wanted: e.mappedNames()}, nil
}

func (t *dbfRows) header() (names []string, columns int, lines int64, err error) {
	head := make([]byte, 32)
	if _, err := t.f.ReadAt(head, 0); errors.Is(err, io.EOF) {
		return nil, 0, 0, errNotYet
	} else if err != nil {
		return nil, 0, 0, err
	}
	foxpro, known := dbfVersions[head[0]]
	t.foxpro = foxpro
	t.start, t.width = int64(binary.LittleEndian.Uint16(head[8:])), int(binary.LittleEndian.Uint16(head[10:]))
	if !known || t.start < 65 || t.width < 2 {
		return nil, 0, 0, misfit("%s is not a DBF table of dBASE III or IV, Clipper or FoxPro", t.name)
	}
	all := make([]byte, t.start)
	if _, err := t.f.ReadAt(all, 0); errors.Is(err, io.EOF) {
		return nil, 0, 0, errNotYet
	} else if err != nil {
		return nil, 0, 0, err
	}
	t.enc = encodings[cmp.Or(t.d.Encoding, dbfCodePages[head[29]], "utf-8")]
	if err := t.describe(all[32:]); err != nil {
		return nil, 0, 0, named(t.name, err)
	}
	there := int64(binary.LittleEndian.Uint32(head[4:]))
	t.count = min(there, (t.f.size-t.start)/int64(t.width))
	if t.count < there && !t.growing {
		return nil, 0, 0, fault.New(fault.Transient, codeUnreadable, "%s has %d rows, but its header says %d: it is still being written, or was cut", t.name, max(t.count, 0), there)
	}
	// The date and the count, which change with every row, are not part of
	// what makes it the same file.
	t.digest.Write(all[:1])
	t.digest.Write(all[8:])
	t.buf = make([]byte, t.width)
	t.r = bufio.NewReaderSize(io.NewSectionReader(t.f, t.start, max(t.count, 0)*int64(t.width)), 1<<18)
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return names, len(names), 0, nil
}

// describe reads the descriptions of the columns, and checks that they fill a
// row.
func (t *dbfRows) describe(b []byte) error {
	at := 1 // behind the mark of deletion
	for ; len(b) >= 32 && b[0] != '\r' && len(t.columns) < maxColumns; b = b[32:] {
		name, _, _ := bytes.Cut(b[:11], []byte{0})
		text, ok := t.enc.decode(nil, bytes.TrimSpace(name))
		if !ok {
			return misfit("the name of column %d is not text in the encoding %s", len(t.columns)+1, t.enc.name)
		}
		c := dbfColumn{name: string(text), kind: b[11], lo: at}
		width := int(b[16])
		if c.kind == 'C' { // longer ones have the upper byte where others have decimals
			width += int(b[17]) << 8
		}
		at += width
		c.hi, c.mapped = at, slices.Contains(t.wanted, c.name)
		if c.mapped && !t.readable(c) {
			return misfit("column %q is of the type %q, which is not read", c.name, string(rune(c.kind)))
		}
		t.columns = append(t.columns, c)
	}
	if len(b) == 0 || b[0] != '\r' || at != t.width {
		return misfit("the descriptions of the columns do not fit the width of a row")
	}
	return nil
}

func (t *dbfRows) readable(c dbfColumn) bool {
	switch c.kind {
	case 'C', 'N', 'F', 'L':
		return true
	case 'D':
		return c.hi-c.lo == 8
	case 'I':
		return c.hi-c.lo == 4
	case 'T', 'Y', 'B':
		return t.foxpro && c.hi-c.lo == 8
	}
	return false
}

func (t *dbfRows) next(f *fields) (record, error) {
	var found record
	for {
		if t.at >= t.count {
			return found, io.EOF
		}
		if t.growing {
			if mark, err := t.r.Peek(1); err == nil && mark[0] != ' ' && mark[0] != '*' {
				return found, io.EOF // counted, but not yet written
			}
		}
		if err := t.read(); err != nil {
			return found, err
		}
		if t.buf[0] == '*' && t.d.Deleted == "skip" {
			found.skipped++
			continue
		}
		found.lines, found.text = 1, t.buf
		switch t.buf[0] {
		case ' ':
		case '*':
			found.bad = fault.New(fault.Data, "row_deleted", "the row is marked as deleted in the table").
				WithHint("if it was dispensed and taken back, record that by hand; if such rows were never dispensed, let the configuration say deleted: skip")
		default:
			found.opaque = fault.New(fault.Data, "bad_row", "the row has no mark that tells whether it is deleted, so that nothing can be said of it")
			return found, nil
		}
		f.spans, f.plain, f.line = f.spans[:0], f.plain[:0], t.buf
		for _, c := range t.columns {
			t.value(f, c)
		}
		return found, nil
	}
}

func (t *dbfRows) read() error {
	if _, err := io.ReadFull(t.r, t.buf); err != nil {
		return fmt.Errorf("row %d: %w", t.at+1, err)
	}
	t.digest.Write(t.buf)
	t.at++
	return nil
}

// value appends a column; those that are not mapped are left as bytes.
func (t *dbfRows) value(f *fields, c dbfColumn) {
	b := t.buf[c.lo:c.hi]
	lo := len(f.plain)
	switch {
	case !c.mapped || c.kind == 'C' || c.kind == 'N' || c.kind == 'F' || c.kind == 'L' || c.kind == 'D':
		hi := c.hi
		for hi > c.lo && (t.buf[hi-1] == 0 || t.buf[hi-1] == ' ') {
			hi--
		}
		f.spans = append(f.spans, span{lo: int32(c.lo), hi: int32(hi)})
		return
	case c.kind == 'I':
		f.plain = strconv.AppendInt(f.plain, int64(int32(binary.LittleEndian.Uint32(b))), 10)
	case c.kind == 'B':
		f.plain = strconv.AppendFloat(f.plain, math.Float64frombits(binary.LittleEndian.Uint64(b)), 'f', -1, 64)
	case c.kind == 'Y': // ten-thousandths
		n := int64(binary.LittleEndian.Uint64(b))
		if n < 0 {
			f.plain = append(f.plain, '-')
		}
		u := uint64(max(n, -n))
		f.plain = fmt.Appendf(f.plain, "%d.%04d", u/10_000, u%10_000)
	case c.kind == 'T': // a Julian day, and milliseconds
		day, ms := int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))
		if day != 0 {
			// FoxPro's milliseconds miss the second by one, up or down.
			f.plain = time.Unix((day-unixDay)*86400+(ms+500)/1000, 0).UTC().AppendFormat(f.plain, "20060102150405")
		}
	}
	f.spans = append(f.spans, span{lo: int32(lo), hi: int32(len(f.plain)), unquoted: true})
}

// unixDay is the Julian day of 1970-01-01.
const unixDay = 2_440_588

func (t *dbfRows) place() (offset int64, sum [sha256.Size]byte) {
	t.digest.Sum(sum[:0])
	return t.start + t.at*int64(t.width), sum
}

func (t *dbfRows) encoding() encoding { return t.enc }

func (t *dbfRows) seek(offset int64) (bool, error) {
	n := (offset - t.start) / int64(t.width)
	if offset < t.start || t.start+n*int64(t.width) != offset || n < t.at || n > t.count {
		return false, nil
	}
	for t.at < n {
		if err := t.read(); err != nil {
			return false, err
		}
	}
	return true, nil
}
