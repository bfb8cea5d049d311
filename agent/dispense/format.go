package dispense

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"branchline/internal/conf"
)

// rows tells the rows of one file apart, and the columns of each. There is one
// for each format; what a row means, and whether it was there before, is the
// same for all. It is not for concurrent use.
type rows interface {
	// header reads what is before the first row, once, before all else. Names
	// are those of the columns, nil where they have numbers only; columns is
	// how many there are. It is errNotYet where a growing file does not hold
	// its header yet, and a fault "header_changed" for one that does not fit.
	header() (names []string, columns int, lines int64, err error)
	// next puts the columns of the next row into f; they are valid until the
	// next call. It is io.EOF at the end.
	next(f *fields) (record, error)
	// place is how much of the file the rows so far are: an offset in bytes
	// from its start, and the SHA-256 over what must be the same before it for
	// the file to be the same.
	place() (offset int64, sum [sha256.Size]byte)
	// seek consumes the rows before an offset, right behind the header. It is
	// false where that is no place between two rows, or beyond the end; then
	// there is no more use for these rows.
	seek(offset int64) (found bool, err error)
	// encoding is that of the columns.
	encoding() encoding
}

// record is what next says of a row beside its columns. What counts as a line is
// each format's own: a line, a segment, a record.
type record struct {
	// skipped is how many lines before it are no rows, or at the end; lines
	// how many it has.
	skipped, lines int64
	// cut tells that the file ended before the row did: it is given, but place
	// stays before it, as it can still change.
	cut bool
	// opaque is why the columns could not be told apart; text is all of it.
	opaque error
	text   []byte
	// bad is why it goes to a person, with its columns.
	bad error
}

// open gives the rows of a file in the export's format.
func (e *Export) open(f file) (rows, error) {
	switch {
	case e.Fixed != nil:
		return newFixedRows(e, f)
	case e.DBF != nil:
		return newDBFRows(e, f)
	case e.XML != nil:
		return newXMLRows(e, f)
	case e.HL7 != nil:
		return newHL7Rows(e, f)
	case e.ASAP != nil:
		return newASAPRows(e, f)
	}
	return newCSVRows(e, f)
}

// formats are the blocks of an export of which one says what its files are.
func (e *Export) formats() []string {
	var list []string
	for _, b := range []struct {
		name  string
		given bool
	}{{"fixed", e.Fixed != nil}, {"dbf", e.DBF != nil}, {"xml", e.XML != nil}, {"hl7", e.HL7 != nil}, {"asap", e.ASAP != nil}} {
		if b.given {
			list = append(list, b.name)
		}
	}
	return list
}

// validateFormat fills in and checks the one block that is there; csv where
// none is.
func (e *Export) validateFormat() error {
	given := e.formats()
	if len(given) > 1 || len(given) == 1 && !e.CSV.isZero() {
		if !e.CSV.isZero() {
			given = append(given, "csv")
		}
		return conf.Bad(given[1], "", fmt.Sprintf("cannot be beside %s: an export has one format", given[0]))
	}
	switch {
	case e.Fixed != nil:
		return conf.In("fixed", e.Fixed.validate())
	case e.DBF != nil:
		return conf.In("dbf", e.DBF.validate())
	case e.XML != nil && e.Arrival == "growing":
		return conf.Bad("arrival", e.Arrival, "cannot be with xml, as such a file is whole only with its last line")
	case e.XML != nil:
		return conf.In("xml", e.XML.validate())
	case e.HL7 != nil:
		return conf.In("hl7", e.HL7.validate())
	case e.ASAP != nil:
		return conf.In("asap", e.ASAP.validate())
	}
	e.CSV.fill()
	if e.CSV.QuotedNewlines && e.Arrival == "growing" {
		return conf.Bad("csv.quoted_newlines", true, "cannot be with arrival: growing, as nobody can tell whether a row is complete")
	}
	return conf.In("csv", e.CSV.validate())
}

// checkColumn tells why a field of the mapping cannot be that column, as far
// as is known without a file; "" for one that can.
func (e *Export) checkColumn(c Column) string {
	switch {
	case c.Number < 0 || c.Number > maxColumns:
		return "is not the number of a column"
	case e.Fixed != nil:
		return e.Fixed.check(c)
	case e.DBF != nil:
		return ""
	case e.XML != nil:
		return e.XML.check(c)
	case e.HL7 != nil:
		return e.HL7.check(c)
	case e.ASAP != nil:
		return e.ASAP.check(c)
	}
	return e.CSV.check(c)
}

// patternOf is the default of [Export.Pattern].
func (e *Export) patternOf() string {
	switch {
	case e.Fixed != nil:
		return "*.txt"
	case e.DBF != nil:
		return "*.dbf"
	case e.XML != nil:
		return "*.xml"
	case e.HL7 != nil:
		return "*.hl7"
	case e.ASAP != nil:
		return "*.dat"
	}
	return "*.csv"
}

// validateEncoding checks the setting.
func validateEncoding(name string) error {
	if _, known := encodings[name]; !known {
		return conf.Bad("encoding", name, "must be utf-8, utf-16, utf-16be, windows-1252, windows-1250, windows-1251, iso-8859-1, iso-8859-15, cp850, cp852, cp866 or cp437")
	}
	return nil
}

// mappedNames are the columns of the mapping, each once.
func (e *Export) mappedNames() []string {
	var names []string
	for _, f := range e.Mapping.fields() {
		if f.column.Name != "" && !slices.Contains(names, f.column.Name) {
			names = append(names, f.column.Name)
		}
	}
	return names
}
