package dispense

import (
	"cmp"
	"errors"
	"fmt"
	"path"
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
	// Ignore are patterns of other files in the folder that no export reads; what
	// ends like an export's files and is not among them is told.
	Ignore []string `yaml:"ignore"`
	// Arrival is "whole" for files that come complete, or are rewritten
	// complete: they are read when size and time have not changed for Settle.
	// It is "growing" for files that are appended to: every complete line is
	// read as it comes.
	Arrival string `yaml:"arrival"`
	// Settle is 5 s when left out; it cannot be 0, which would read half a file.
	Settle *time.Duration `yaml:"settle"`
	// Poll is how often the folder is looked at; changes that the system
	// announces are seen earlier.
	Poll time.Duration `yaml:"poll"`
	// Finished says what becomes of a file that is done: "leave", or "move"
	// into the folder Done (a subfolder "done" when left out).
	Finished string `yaml:"finished"`
	Done     string `yaml:"done"`

	// One of these says what the files are; CSV when none does.
	CSV   CSV    `yaml:"csv"`
	Fixed *Fixed `yaml:"fixed"`
	DBF   *DBF   `yaml:"dbf"`
	XML   *XML   `yaml:"xml"`
	HL7   *HL7   `yaml:"hl7"`
	ASAP  *ASAP  `yaml:"asap"`

	Mapping Mapping `yaml:"mapping"`
}

// Mapping says which column is which field. A column is named by its header or
// by its number, from 1.
type Mapping struct {
	// Kind is that of every row; dispense when left out. Empty beside KindColumn.
	Kind movement.Kind `yaml:"kind"`
	// KindColumn is a column that says what a row is, where not all are the
	// same; Kinds says for each of its values the kind, or "ignore" for rows
	// that are left out, or "person" for those that go to one, as those of any
	// other value do.
	KindColumn Column            `yaml:"kind_column"`
	Kinds      map[string]string `yaml:"kinds"`
	// Negative is what a dispensing of less than nothing is: "person" for one
	// that goes to a person, or "return".
	Negative string `yaml:"negative"`

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

	// Units and Reasons are what may stand in the columns of these names, without
	// regard to case: a row that says another goes to a person, as it can be about a
	// patient. Left out: common ones, and what has three letters at most.
	Units   []string `yaml:"units"`
	Reasons []string `yaml:"reasons"`
	// Codes and Documents are patterns of product codes and of receipts that would be
	// taken for words otherwise: "AMOX-*", "Köln Nord/*".
	Codes     []string `yaml:"codes"`
	Documents []string `yaml:"documents"`

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
	yes, settle := true, 5*time.Second
	return Export{
		Pattern: "*.csv", Arrival: "whole", Settle: &settle, Poll: 5 * time.Second, Finished: "leave",
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
	case *e.Settle <= 0 || *e.Settle > time.Hour:
		return conf.Bad("settle", *e.Settle, "must be more than nothing and at most 1h: a file that is read at once can still be being written; leave it out for 5s")
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
	for _, pattern := range e.Ignore {
		if _, err := filepath.Match(pattern, ""); err != nil || pattern == "" {
			return conf.Bad("ignore", pattern, "is not a pattern of file names")
		}
	}
	if err := e.validateFormat(); err != nil {
		return err
	}
	return conf.In("mapping", e.Mapping.validate(e))
}

func (e *Export) fill() {
	d := DefaultExport()
	e.Pattern = cmp.Or(e.Pattern, e.patternOf())
	e.Arrival = cmp.Or(e.Arrival, d.Arrival)
	e.Settle = cmp.Or(e.Settle, d.Settle)
	e.Poll = cmp.Or(e.Poll, d.Poll)
	e.Finished = cmp.Or(e.Finished, d.Finished)
	if e.Finished == "move" {
		e.Done = cmp.Or(e.Done, filepath.Join(e.Folder, "done"))
	}
	if e.Mapping.KindColumn.IsZero() {
		e.Mapping.Kind = cmp.Or(e.Mapping.Kind, d.Mapping.Kind)
	}
	e.Mapping.Negative = cmp.Or(e.Mapping.Negative, "person")
	e.Mapping.MaxQuantity = cmp.Or(e.Mapping.MaxQuantity, d.Mapping.MaxQuantity)
	e.Mapping.Decimal = cmp.Or(e.Mapping.Decimal, d.Mapping.Decimal)
	if len(e.Mapping.Schemes) == 0 {
		e.Mapping.Schemes = d.Mapping.Schemes
	}
}

func (m *Mapping) validate(e *Export) error {
	for _, f := range m.fields() {
		switch {
		case f.column.IsZero() && f.required:
			return conf.Bad(f.name, "", "must name a column")
		case f.column.IsZero():
			continue
		}
		if why := e.checkColumn(f.column); why != "" {
			return conf.Bad(f.name, cmp.Or(f.column.Name, strconv.Itoa(f.column.Number)), why)
		}
	}
	if err := cmp.Or(m.validateKinds(), patterns("codes", m.Codes), patterns("documents", m.Documents)); err != nil {
		return err
	}
	switch {
	case len(m.Key) == 0:
		return conf.Bad("key", "", "must name the columns that tell a row from all others")
	case len(m.Key) > 8:
		return conf.Bad("key", len(m.Key), "columns are more than 8")
	case !slices.Contains(exportKinds, m.kindOrDispense()):
		return conf.Bad("kind", m.Kind, "must be dispense, return or wastage")
	case m.Decimal != "." && m.Decimal != ",":
		return conf.Bad("decimal", m.Decimal, `must be "." or ","`)
	case !m.Unit.IsZero() && m.FixedUnit != "":
		return conf.Bad("fixed_unit", m.FixedUnit, "cannot be beside a column for the unit")
	case m.MaxQuantity < 1 || m.MaxQuantity > 1_000_000:
		return conf.Bad("max_quantity", m.MaxQuantity, "is not between 1 and 1000000")
	case m.Unit.IsZero() && len(m.Units) > 0:
		return conf.Bad("units", len(m.Units), "needs unit to name a column")
	case m.Reason.IsZero() && len(m.Reasons) > 0:
		return conf.Bad("reasons", len(m.Reasons), "needs reason to name a column")
	case len(m.Units) > 1000 || len(m.Reasons) > 1000:
		return conf.Bad("units", max(len(m.Units), len(m.Reasons)), "are more than 1000, or reasons are")
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

// exportKinds are what a row of an export can be.
var exportKinds = []movement.Kind{movement.Dispense, movement.Return, movement.Wastage}

const (
	kindIgnore = "ignore"
	kindPerson = "person"
)

// patterns refuses what is no pattern, or fits everything.
func patterns(setting string, all []string) error {
	if len(all) > 1000 {
		return conf.Bad(setting, len(all), "are more than 1000")
	}
	for _, p := range all {
		if _, err := path.Match(p, ""); err != nil || strings.Trim(p, "*?") == "" || len(p) > 100 {
			return conf.Bad(setting, p, `is no pattern of texts, such as "AMOX-*"`)
		}
	}
	return nil
}

// kindOrDispense is the kind of every row, and what a row is taken for until its own
// column is read.
func (m *Mapping) kindOrDispense() movement.Kind { return cmp.Or(m.Kind, movement.Dispense) }

func (m *Mapping) validateKinds() error {
	switch {
	case m.Negative != "person" && m.Negative != "return":
		return conf.Bad("negative", m.Negative, "must be person or return")
	case !m.KindColumn.IsZero() && m.Kind != "":
		return conf.Bad("kind", string(m.Kind), "cannot stand beside kind_column, which says it of each row: leave one of them out")
	case m.KindColumn.IsZero() && len(m.Kinds) > 0:
		return conf.Bad("kind_column", "", "must name the column whose values are in kinds")
	case !m.KindColumn.IsZero() && len(m.Kinds) == 0:
		return conf.Bad("kinds", "", "must say what each value of kind_column is, such as {V: return}")
	}
	for value, kind := range m.Kinds {
		if kind != kindIgnore && kind != kindPerson && !slices.Contains(exportKinds, movement.Kind(kind)) {
			return conf.Bad(fmt.Sprintf("kinds[%q]", value), kind, "must be dispense, return, wastage, ignore or person")
		}
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
		{"kind_column", m.KindColumn, false},
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
			return nil, conf.Bad(setting, form, "must be made of YYYY or YY, MM or M (month), DD or D, HH, mm (minute), ss and signs between them, each once, and tell one date from another")
		}
		list = append(list, l)
	}
	return list, nil
}
