package dispense

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"branchline/internal/fault"
	"branchline/internal/movement"
)

// maxShort is the length up to which every field of a movement may be; only
// longer ones need a closer look.
const maxShort = 32

// mapper turns rows into movements. It is compiled once for a file; not for
// concurrent use.
type mapper struct {
	e        *Export
	enc      encoding
	loc      *time.Location
	times    []layout
	expiries []layout
	columns  int // of each row
	decimal  byte

	product, quantity, unit, lot, expiry, serial, at, clock, document, by, reason, kind int
	key                                                                                 []int
	mapped                                                                              []rawColumn

	products map[string]movement.Product
	// Those of the row before, as rows of a file repeat them.
	lastUnit, lastLot, lastSerial, lastBy, lastReason, lastDocument, lastExpiry string
	// The latest time and expiry that were read.
	atText     string
	atTime     time.Time
	expiryText string
	expiryDate movement.Date

	// typed tells that a person has typed the row, who may use words.
	typed bool
	// free are the columns of the free texts, units and reasons what may stand in
	// those of theirs; what [isUnit] and [isReason] know where they are nil.
	free           []freeText // by column
	units, reasons map[string]bool
	// leftOut tells that the reason of the latest row is none that is known, and that
	// the row goes on without it.
	leftOut bool
	// wordy counts the rows that had words in a column where none belong.
	wordy map[int]int64

	row     fields
	field   []byte
	scratch []byte
	keyText []byte
}

// rawColumn is a column that is kept when a row cannot be understood.
type rawColumn struct {
	name  string
	index int
}

// newMapper finds the mapping's columns among those of the file; names is nil
// where they have numbers only. A header that does not fit is a fault of class
// Setup and code "header_changed". Its message never quotes the file, since
// what stands in the header's place can be a patient's row.
func newMapper(e *Export, enc encoding, names []string, columns int) (*mapper, error) {
	m := &mapper{e: e, enc: enc, columns: columns, decimal: e.Mapping.Decimal[0],
		products: map[string]movement.Product{}, wordy: map[int]int64{}}
	var err error
	if m.loc, err = location(e.Mapping.TimeZone); err != nil {
		return nil, err
	}
	if m.times, err = layouts("time_formats", e.Mapping.TimeFormats, true); err != nil {
		return nil, err
	}
	if !e.Mapping.Expiry.IsZero() {
		if m.expiries, err = layouts("expiry_formats", e.Mapping.ExpiryFormats, false); err != nil {
			return nil, err
		}
	}
	targets := []*int{&m.product, &m.quantity, &m.unit, &m.lot, &m.expiry, &m.serial, &m.at, &m.clock, &m.document, &m.by, &m.reason, &m.kind}
	m.key = make([]int, len(e.Mapping.Key))
	for i := range m.key {
		targets = append(targets, &m.key[i])
	}
	seen := map[int]bool{}
	for i, f := range e.Mapping.fields() {
		index, err := m.find(f.column, names)
		if err != nil {
			return nil, err
		}
		*targets[i] = index
		if index >= 0 && !seen[index] {
			seen[index] = true
			m.mapped = append(m.mapped, rawColumn{f.column.String(), index})
		}
	}
	m.freeTexts()
	return m, nil
}

func location(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	return time.LoadLocation(name)
}

func misfit(format string, args ...any) error {
	return fault.New(fault.Setup, "header_changed", format, args...).
		WithHint("compare the export's settings with the mapping; the file was not touched")
}

func (m *mapper) find(c Column, names []string) (int, error) {
	switch {
	case c.IsZero():
		return -1, nil
	case c.Number > m.columns:
		return 0, misfit("the file has %d columns, the mapping names column %d", m.columns, c.Number)
	case c.Number > 0:
		return c.Number - 1, nil
	}
	found := -1
	for i, n := range names {
		if n == c.Name {
			if found >= 0 {
				return 0, misfit("the header has more than one column %q", c.Name)
			}
			found = i
		}
	}
	switch {
	case found >= 0:
		return found, nil
	case m.columns == 1 && len(names) == 1:
		return 0, misfit("the header has no column %q, and only one in all: is the delimiter right", c.Name)
	case slices.ContainsFunc(names, func(n string) bool { return alike(n, c.Name) }):
		return 0, misfit("the header has no column %q, but one that differs in capitals, spaces or signs only", c.Name)
	}
	return 0, misfit("the header has no column %q among its %d", c.Name, m.columns)
}

// alike tells whether two names have the same letters and digits.
func alike(a, b string) bool {
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, s)
	}
	return letters(a) != "" && letters(a) == letters(b)
}

// column gives one column of the row as UTF-8 without white space around it.
// It is valid until the next call.
func (m *mapper) column(index int) ([]byte, error) {
	if index < 0 {
		return nil, nil
	}
	b := trim(m.row.get(index))
	var ok bool
	if m.field, ok = m.enc.decode(m.field[:0], b); !ok {
		return nil, fault.New(fault.Data, "bad_encoding", "column %s is not text in the encoding %s",
			m.name(index), m.enc.name)
	}
	return m.field, nil
}

func (m *mapper) name(index int) string {
	for _, c := range m.mapped {
		if c.index == index {
			return c.name
		}
	}
	return ""
}

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// understand fills out from the row in m.row. An error is why it cannot be
// recorded as it stands; out then holds what was understood before, and the
// natural key if the row has one.
func (m *mapper) understand(out *movement.Movement) error {
	m.leftOut = false
	kind, strange := m.kindOf()
	if strange == errLeftOut {
		return strange
	}
	key, err := m.naturalKey()
	if err != nil {
		return err
	}
	out.NaturalKey = key
	if out.OccurredAt, err = m.occurredAt(); err != nil {
		return err
	}
	if strange != nil {
		return strange
	}
	out.Kind = kind
	if out.Product, err = m.productOf(); err != nil {
		return err
	}
	b, err := m.column(m.quantity)
	if err != nil {
		return err
	}
	if out.Quantity, err = parseQuantity(b, m.decimal); err != nil {
		return err
	}
	if out.Quantity < 0 {
		if m.e.Mapping.Negative != "return" || out.Kind != movement.Dispense {
			return fault.New(fault.Data, "negative_quantity", "quantity %.40q is negative, which can be a void or a return", b).
				WithHint("record what it undoes by hand, or let the mapping say negative: return")
		}
		out.Kind, out.Quantity = movement.Return, -out.Quantity
	}
	out.Unit = m.e.Mapping.FixedUnit
	for _, f := range []struct {
		index int
		to    *string
		last  *string
	}{{m.unit, &out.Unit, &m.lastUnit}, {m.lot, &out.Lot, &m.lastLot}, {m.serial, &out.Serial, &m.lastSerial},
		{m.by, &out.By, &m.lastBy}, {m.reason, &out.Reason, &m.lastReason}} {
		if f.index < 0 {
			continue
		}
		if b, err = m.column(f.index); err != nil {
			return err
		}
		if f.index == m.by && !initials(b) {
			return noInitials()
		}
		if string(b) != *f.last {
			if f.index == m.reason && m.dispensable(f.index, b) {
				m.leftOut = true
				continue
			}
			if err := m.fitting(f.index, b); err != nil {
				return err
			}
		}
		*f.to = text(f.last, b)
	}
	if b, err = m.column(m.document); err != nil {
		return err
	} else if len(b) > 0 {
		if string(b) != m.lastDocument {
			if err := m.fitting(m.document, b); err != nil {
				return err
			}
		}
		out.Document = movement.Document{Type: "dispensing", Ref: text(&m.lastDocument, b)}
	}
	return m.expiryOf(out)
}

// errLeftOut says that the mapping leaves a row out.
var errLeftOut = errors.New("left out")

// kindOf looks up what the row says of its kind; it is errLeftOut for rows that
// the mapping leaves out.
func (m *mapper) kindOf() (movement.Kind, error) {
	if m.kind < 0 {
		return m.e.Mapping.Kind, nil
	}
	b, err := m.column(m.kind)
	if err != nil {
		return "", err
	}
	switch kind := m.e.Mapping.Kinds[string(b)]; kind {
	case kindIgnore:
		return "", errLeftOut
	case "":
		return "", fault.New(fault.Data, "unknown_kind", "column %s says what the mapping's kinds do not name", m.name(m.kind)).
			WithHint("look at the line in the file: add what it says to kinds, or record what it is by hand; it may be shifted")
	case kindPerson:
		return "", fault.New(fault.Data, "kind_for_person", "column %s says %.40q, which the mapping gives to a person", m.name(m.kind), b)
	default:
		return movement.Kind(kind), nil
	}
}

func (m *mapper) productOf() (movement.Product, error) {
	b, err := m.column(m.product)
	if err != nil {
		return movement.Product{}, err
	}
	if p, known := m.products[string(b)]; known {
		return p, nil
	}
	if wordy(b) && numeric(m.e.Mapping.Schemes) || !m.typed && !m.isCode(b) {
		return movement.Product{}, fault.New(fault.Data, "no_code", "the column of the product holds words, and no code").
			WithHint("compare the row with the header: it may be shifted; look at the line in the file")
	}
	scheme, code, err := parseProduct(b, m.e.Mapping.Schemes, m.scratch)
	if err != nil {
		return movement.Product{}, err
	}
	p := movement.Product{Scheme: scheme, Code: string(code)}
	if len(m.products) == cacheSize {
		clear(m.products)
	}
	m.products[string(b)] = p
	return p, nil
}

// cacheSize bounds what a mapper remembers of one kind.
const cacheSize = 8192

// text gives b as a string, without a copy where the row before had the same.
// A map of all texts costs more than the copies it saves.
func text(before *string, b []byte) string {
	if string(b) != *before {
		*before = string(b)
	}
	return *before
}

func (m *mapper) occurredAt() (time.Time, error) {
	b, err := m.column(m.at)
	if err != nil {
		return time.Time{}, err
	}
	if m.clock >= 0 {
		m.scratch = append(append(m.scratch[:0], b...), ' ')
		if b, err = m.column(m.clock); err != nil {
			return time.Time{}, err
		}
		m.scratch = append(m.scratch, b...)
		b = m.scratch
	}
	if m.atText != "" && string(b) == m.atText {
		return m.atTime, nil
	}
	t, _, err := parseTime(string(b), m.times, m.loc)
	if err != nil {
		return time.Time{}, err
	}
	if y := t.Year(); y < 2000 || y > 2199 {
		return time.Time{}, fault.New(fault.Data, "bad_date", "%.40q is not in the years 2000 to 2199", b)
	}
	m.atText, m.atTime = string(b), t
	return t, nil
}

func (m *mapper) expiryOf(out *movement.Movement) error {
	b, err := m.column(m.expiry)
	if err != nil || len(b) == 0 {
		return err
	}
	raw := text(&m.lastExpiry, b)
	if raw != m.expiryText {
		if m.expiryDate, err = parseExpiry(raw, m.expiries); err != nil {
			m.expiryText = ""
			return err
		}
		m.expiryText = raw
	}
	out.Expiry, out.ExpiryRaw = m.expiryDate, raw
	return nil
}

// naturalKey is the adapter's name and the key columns, each set off by "/".
func (m *mapper) naturalKey() (string, error) {
	k := append(m.keyText[:0], m.e.Name...)
	for _, index := range m.key {
		b, err := m.column(index)
		if err != nil {
			return "", err
		}
		if len(b) == 0 {
			return "", fault.New(fault.Data, "missing_key", "column %s is empty, which tells the row from all others", m.name(index))
		}
		if !m.typed && m.free[index].shape == keyText && severalWords(b) {
			return "", fault.New(fault.Data, "no_key", "column %s, which tells the row from all others, holds words", m.name(index)).
				WithHint("compare the row with the header: it may be shifted; look at the line in the file")
		}
		k = append(k, '/')
		for _, c := range b {
			if c == '/' || c == '\\' || c == '!' {
				k = append(k, '\\')
			}
			k = append(k, c)
		}
	}
	m.keyText = k
	return string(shorten(k, len(m.e.Name))), nil
}

// maxKey leaves room for what is appended to a natural key of 200 bytes.
const maxKey = 150

// raw lists the mapped columns, and only those, as name=value. Of a row with words
// where none belong it is not whole; where they stand for a number, a date, a code or
// a kind the row is shifted, and no text of it is kept.
func (m *mapper) raw() (b []byte, whole bool) {
	shifted := m.shifted()
	whole = true
	for i, c := range m.mapped {
		if i > 0 {
			b = append(b, "; "...)
		}
		b = append(append(b, c.name...), '=')
		text, ok := m.enc.decode(nil, trim(m.row.get(c.index)))
		if !ok {
			text = hex.AppendEncode([]byte("hex "), m.row.get(c.index))
		}
		if !m.telling(c.index, text) || shifted && m.free[c.index].shape != noText && len(text) > 0 && !m.codeOf(c.index, text) {
			text, whole = []byte(NotKept), false
		}
		b = append(b, text...)
	}
	if len(b) > movement.MaxRaw {
		b = b[:movement.MaxRaw]
		for len(b) > 0 && !utf8.Valid(b) {
			b = b[:len(b)-1]
		}
	}
	return b, whole
}

// everything hashes the mapped columns as they are, with words and all.
func (m *mapper) everything(h hash.Hash) []byte {
	h.Reset()
	for _, c := range m.mapped {
		fmt.Fprintf(h, "%s\x00%d\x00", c.name, len(m.row.get(c.index)))
		h.Write(m.row.get(c.index))
	}
	return h.Sum(nil)
}

// fits tells that no field can be beyond a movement's bounds.
func fits(m *movement.Movement) bool {
	return len(m.Product.Code) <= maxShort && len(m.Lot) <= maxShort && len(m.Serial) <= maxShort && len(m.Unit) <= maxShort &&
		len(m.By) <= maxShort && len(m.Reason) <= maxShort && len(m.Document.Ref) <= maxShort && len(m.ExpiryRaw) <= maxShort
}
