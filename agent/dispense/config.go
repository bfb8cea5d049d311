package dispense

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // Windows has no time zone database of its own

	"go.yaml.in/yaml/v3"

	"branchline/internal/conf"
	"branchline/internal/movement"
)

// Config lists the adapters of a branch.
type Config struct {
	Exports []Export `yaml:"exports"`
}

// Export is one adapter: a folder, and what the files in it mean.
type Export struct {
	// Name stands in every movement and in its natural key. Changing it makes
	// every row of every file new.
	Name string `yaml:"name"`
	// Folder is an absolute path; its subfolders are not looked at.
	Folder string `yaml:"folder"`
	// Pattern selects files by name (* ? [ ]), without regard to case.
	// Names that begin with "." or "~", and those that end in .tmp or .part,
	// are never read.
	Pattern string `yaml:"pattern"`
	// Arrival is "whole" for files that come complete, or are rewritten
	// complete: they are read when size and time have not changed for Settle.
	// It is "growing" for files that are appended to: every complete line is
	// read as it comes.
	Arrival string        `yaml:"arrival"`
	Settle  time.Duration `yaml:"settle"`
	// Poll is how often the folder is looked at; changes that the system
	// announces are seen earlier.
	Poll time.Duration `yaml:"poll"`
	// Finished says what becomes of a file that is done: "leave", or "move"
	// into the folder Done (a subfolder "done" when left out).
	Finished string `yaml:"finished"`
	Done     string `yaml:"done"`

	CSV     CSV     `yaml:"csv"`
	Mapping Mapping `yaml:"mapping"`
}

// CSV is the form of the file.
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

// Mapping says which column is which field. A column is named by its header or
// by its number, from 1.
type Mapping struct {
	// Kind is that of every row; dispense when left out.
	Kind movement.Kind `yaml:"kind"`

	Product Column `yaml:"product"`
	// Schemes are the numberings that the product code can follow. With more
	// than one, a code must fit exactly one of them.
	Schemes  []movement.Scheme `yaml:"schemes"`
	Quantity Column            `yaml:"quantity"`
	// Decimal is the decimal sign, "." or ",". Thousands are never separated.
	Decimal string `yaml:"decimal"`
	// MaxQuantity is the most that a row can plausibly be; 1000 when left out.
	// More goes to a person, who can release it.
	MaxQuantity int64 `yaml:"max_quantity"`
	// Unit is a column; FixedUnit is one unit for all rows. Without either it
	// is the product's own.
	Unit      Column `yaml:"unit"`
	FixedUnit string `yaml:"fixed_unit"`
	Lot       Column `yaml:"lot"`
	Expiry    Column `yaml:"expiry"`
	// ExpiryFormats are forms such as DD.MM.YYYY; one without a day (MM/YYYY)
	// means the last day of the month.
	ExpiryFormats []string `yaml:"expiry_formats"`
	Serial        Column   `yaml:"serial"`

	// OccurredAt is when it was dispensed; OccurredTime the time of day, where
	// that stands in a column of its own.
	OccurredAt   Column `yaml:"occurred_at"`
	OccurredTime Column `yaml:"occurred_time"`
	// TimeFormats are forms such as "DD.MM.YYYY HH:mm:ss" of OccurredAt, or of
	// both columns with a space between.
	TimeFormats []string `yaml:"time_formats"`
	// TimeZone is the zone of these times ("Europe/Berlin"); the PC's own when
	// left out.
	TimeZone string `yaml:"time_zone"`

	Document Column `yaml:"document"`
	By       Column `yaml:"by"`
	Reason   Column `yaml:"reason"`

	// Key are the columns that together tell a row from all others, for ever:
	// receipt number and line, say. None may be empty in any row.
	Key []Column `yaml:"key"`
}

// Column names a column by its header or by its number.
type Column struct {
	Name   string
	Number int // from 1; 0 when Name is set or the field is not mapped
}

// UnmarshalYAML takes a whole number for a column's number, and text, also a
// number in quotes, for its name.
func (c *Column) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!int" {
		return n.Decode(&c.Number)
	}
	return n.Decode(&c.Name)
}

// MarshalYAML is the reverse of UnmarshalYAML.
func (c Column) MarshalYAML() (any, error) {
	if c.Number != 0 {
		return c.Number, nil
	}
	return c.Name, nil
}

func (c Column) String() string {
	if c.Number != 0 {
		return "#" + strconv.Itoa(c.Number)
	}
	return c.Name
}

// IsZero tells whether the field is not mapped.
func (c Column) IsZero() bool { return c == Column{} }

// DefaultExport is what a setting that is left out means.
func DefaultExport() Export {
	yes := true
	return Export{
		Pattern: "*.csv", Arrival: "whole", Settle: 5 * time.Second, Poll: 5 * time.Second, Finished: "leave",
		CSV:     CSV{Delimiter: ",", Quote: `"`, Encoding: "utf-8", Header: &yes},
		Mapping: Mapping{Kind: movement.Dispense, Schemes: []movement.Scheme{movement.GTIN}, Decimal: ".", MaxQuantity: 1000},
	}
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`)

// Validate fills in the defaults, checks every adapter, and names setting and
// value of the first that cannot be.
func (c *Config) Validate() error {
	if len(c.Exports) > 32 {
		return conf.Bad("exports", len(c.Exports), "are more than 32")
	}
	names := map[string]int{}
	for i := range c.Exports {
		e, at := &c.Exports[i], fmt.Sprintf("exports[%d]", i)
		if err := e.Validate(); err != nil {
			return conf.In(at, err)
		}
		if first, taken := names[e.Name]; taken {
			return conf.Bad(at+".name", e.Name, fmt.Sprintf("is the same as in exports[%d]", first))
		}
		names[e.Name] = i
	}
	return nil
}

// Validate fills in the defaults of one adapter and checks it.
func (e *Export) Validate() error {
	e.fill()
	switch {
	case !nameForm.MatchString(e.Name):
		return conf.Bad("name", e.Name, "must be 1 to 32 letters, digits, - and _")
	case !filepath.IsAbs(e.Folder):
		return conf.Bad("folder", e.Folder, "must be an absolute path")
	case e.Arrival != "whole" && e.Arrival != "growing":
		return conf.Bad("arrival", e.Arrival, "must be whole or growing")
	case e.Settle < 0 || e.Settle > time.Hour:
		return conf.Bad("settle", e.Settle, "must be at most 1h")
	case e.Poll < 100*time.Millisecond || e.Poll > time.Hour:
		return conf.Bad("poll", e.Poll, "must be 100ms to 1h")
	case e.Finished != "leave" && e.Finished != "move":
		return conf.Bad("finished", e.Finished, "must be leave or move")
	case e.Finished == "move" && e.Arrival == "growing":
		return conf.Bad("finished", e.Finished, "cannot be with arrival: growing, as such a file is never done")
	case e.Finished == "leave" && e.Done != "":
		return conf.Bad("done", e.Done, "needs finished: move")
	case e.Finished == "move" && !filepath.IsAbs(e.Done):
		return conf.Bad("done", e.Done, "must be an absolute path")
	case e.Finished == "move" && filepath.Clean(e.Done) == filepath.Clean(e.Folder):
		return conf.Bad("done", e.Done, "must not be the folder itself")
	}
	if _, err := filepath.Match(e.Pattern, ""); err != nil || e.Pattern == "" {
		return conf.Bad("pattern", e.Pattern, "is not a pattern of file names")
	}
	if e.CSV.QuotedNewlines && e.Arrival == "growing" {
		return conf.Bad("csv.quoted_newlines", true, "cannot be with arrival: growing, as nobody can tell whether a row is complete")
	}
	if err := e.CSV.validate(); err != nil {
		return conf.In("csv", err)
	}
	return conf.In("mapping", e.Mapping.validate(&e.CSV))
}

func (e *Export) fill() {
	d := DefaultExport()
	e.Pattern = cmp.Or(e.Pattern, d.Pattern)
	e.Arrival = cmp.Or(e.Arrival, d.Arrival)
	e.Settle = cmp.Or(e.Settle, d.Settle)
	e.Poll = cmp.Or(e.Poll, d.Poll)
	e.Finished = cmp.Or(e.Finished, d.Finished)
	if e.Finished == "move" {
		e.Done = cmp.Or(e.Done, filepath.Join(e.Folder, "done"))
	}
	e.CSV.Delimiter = cmp.Or(e.CSV.Delimiter, d.CSV.Delimiter)
	e.CSV.Quote = cmp.Or(e.CSV.Quote, d.CSV.Quote)
	e.CSV.Encoding = cmp.Or(e.CSV.Encoding, d.CSV.Encoding)
	e.CSV.Header = cmp.Or(e.CSV.Header, d.CSV.Header)
	e.Mapping.Kind = cmp.Or(e.Mapping.Kind, d.Mapping.Kind)
	e.Mapping.MaxQuantity = cmp.Or(e.Mapping.MaxQuantity, d.Mapping.MaxQuantity)
	e.Mapping.Decimal = cmp.Or(e.Mapping.Decimal, d.Mapping.Decimal)
	if len(e.Mapping.Schemes) == 0 {
		e.Mapping.Schemes = d.Mapping.Schemes
	}
}

func (c *CSV) validate() error {
	if _, err := character("delimiter", c.Delimiter); err != nil {
		return err
	}
	if _, err := character("quote", c.Quote); err != nil {
		return err
	}
	if _, known := encodings[c.Encoding]; !known {
		return conf.Bad("encoding", c.Encoding, "must be utf-8, utf-16, utf-16be, windows-1252, windows-1250, iso-8859-1, iso-8859-15, cp850 or cp437")
	}
	switch {
	case c.Delimiter == c.Quote:
		return conf.Bad("quote", c.Quote, "is the delimiter, too")
	case c.SkipLines < 0 || c.SkipLines > 1000:
		return conf.Bad("skip_lines", c.SkipLines, "must be 0 to 1000")
	case c.Columns < 0 || c.Columns > maxColumns:
		return conf.Bad("columns", c.Columns, fmt.Sprintf("must be at most %d", maxColumns))
	case !*c.Header && c.Columns == 0:
		return conf.Bad("columns", c.Columns, "must say how many columns there are, as no header does")
	case !*c.Header && len(c.Expect) > 0:
		return conf.Bad("expect", c.Expect, "needs a header")
	}
	return nil
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

func (m *Mapping) validate(c *CSV) error {
	for _, f := range m.fields() {
		switch {
		case f.column.IsZero() && f.required:
			return conf.Bad(f.name, "", "must name a column")
		case f.column.Name != "" && !*c.Header:
			return conf.Bad(f.name, f.column, "must be a column's number, as the file has no header")
		case f.column.Number < 0 || f.column.Number > maxColumns || c.Columns > 0 && f.column.Number > c.Columns:
			return conf.Bad(f.name, f.column.Number, "is not the number of a column")
		}
	}
	switch {
	case len(m.Key) == 0:
		return conf.Bad("key", "", "must name the columns that tell a row from all others")
	case len(m.Key) > 8:
		return conf.Bad("key", len(m.Key), "columns are more than 8")
	case m.Kind != movement.Dispense && m.Kind != movement.Return && m.Kind != movement.Wastage:
		return conf.Bad("kind", m.Kind, "must be dispense, return or wastage")
	case m.Decimal != "." && m.Decimal != ",":
		return conf.Bad("decimal", m.Decimal, `must be "." or ","`)
	case !m.Unit.IsZero() && m.FixedUnit != "":
		return conf.Bad("fixed_unit", m.FixedUnit, "cannot be beside a column for the unit")
	case m.MaxQuantity < 1 || m.MaxQuantity > 1_000_000:
		return conf.Bad("max_quantity", m.MaxQuantity, "is not between 1 and 1000000")
	case len(m.FixedUnit) > maxShort:
		return conf.Bad("fixed_unit", m.FixedUnit, "is too long")
	case !m.Expiry.IsZero() && len(m.ExpiryFormats) == 0:
		return conf.Bad("expiry_formats", "", "must say how the expiry is written, such as DD.MM.YYYY")
	}
	for i, s := range m.Schemes {
		switch {
		case !slices.Contains(movement.Schemes, s):
			return conf.Bad("schemes", s, "is not one of gtin, ndc, pzn, hibc, sku")
		case slices.Contains(m.Schemes[:i], s):
			return conf.Bad("schemes", s, "is there twice")
		case len(m.Schemes) > 1 && s == movement.SKU:
			return conf.Bad("schemes", s, "cannot be beside others, as every code is one")
		}
	}
	if _, err := layouts("time_formats", m.TimeFormats, true); err != nil {
		return err
	}
	if _, err := layouts("expiry_formats", m.ExpiryFormats, false); err != nil && !m.Expiry.IsZero() {
		return err
	}
	if _, err := time.LoadLocation(m.TimeZone); err != nil {
		return conf.Bad("time_zone", m.TimeZone, "is not a time zone such as Europe/Berlin")
	}
	return nil
}

// mapped is one field of the mapping.
type mapped struct {
	name     string
	column   Column
	required bool
}

func (m *Mapping) fields() []mapped {
	list := []mapped{
		{"product", m.Product, true}, {"quantity", m.Quantity, true}, {"unit", m.Unit, false},
		{"lot", m.Lot, false}, {"expiry", m.Expiry, false}, {"serial", m.Serial, false},
		{"occurred_at", m.OccurredAt, true}, {"occurred_time", m.OccurredTime, false},
		{"document", m.Document, false}, {"by", m.By, false}, {"reason", m.Reason, false},
	}
	for i, k := range m.Key {
		list = append(list, mapped{fmt.Sprintf("key[%d]", i), k, true})
	}
	return list
}

var errFormat = errors.New("format")

// layouts turns forms such as DD.MM.YYYY into layouts of package time.
func layouts(setting string, forms []string, needDay bool) ([]layout, error) {
	if len(forms) == 0 {
		return nil, conf.Bad(setting, "", "must say how the times are written, such as YYYY-MM-DD HH:mm:ss")
	}
	var list []layout
	for _, form := range forms {
		l, err := newLayout(form, needDay)
		if err != nil {
			return nil, conf.Bad(setting, form, "must be made of YYYY or YY, MM or M, DD or D, HH, mm, ss and signs between them")
		}
		list = append(list, l)
	}
	return list, nil
}
