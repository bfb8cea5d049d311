package dispense

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// BadRow is a row that went to a person and that nobody at the branch has settled.
type BadRow struct {
	ID, Adapter, File string
	// Local is the name that the file has at the branch, which must not leave it.
	Local string
	// Line counts from 1, as the format counts.
	Line int64
	// Read is when it was recorded.
	Read      time.Time
	Code, Why string
	// Columns are those that the mapping names, as they were read. Their values
	// are empty where nothing of the row was kept; there are none where it can
	// only be taken as it is, or dismissed.
	Columns []RowColumn
	// Says is what it was understood as, where it was; nil for nothing.
	Says *movement.Movement
}

// RowColumn is one column of a row.
type RowColumn struct{ Name, Value string }

// BadRows lists the rows that wait for a person at the branch, the newest first: at
// most n, without the first from of them. All is how many there are.
func (d *Dispense) BadRows(from, n int) (rows []BadRow, all int, err error) {
	var list []openRow
	for _, a := range d.adapters {
		list = append(list, a.bad.list(a, "")...)
	}
	slices.SortFunc(list, func(x, y openRow) int {
		return cmp.Or(y.read.Compare(x.read), cmp.Compare(x.file, y.file), cmp.Compare(x.line, y.line), cmp.Compare(x.id, y.id))
	})
	all = len(list)
	list = list[min(max(from, 0), all):]
	for _, l := range list[:min(max(n, 0), len(list))] {
		m, ok, err := l.a.bad.get(l.id)
		if err != nil {
			return nil, all, err
		}
		if ok { // nobody has settled it meanwhile
			rows = append(rows, l.a.rowOf(&m))
		}
	}
	return rows, all, nil
}

// BadRow gives one of them. One that is not there, or was settled, is a fault
// of class Data, "no_row".
func (d *Dispense) BadRow(id string) (BadRow, error) {
	a, m, err := d.find(id)
	if err != nil {
		return BadRow{}, err
	}
	return a.rowOf(&m), nil
}

func (d *Dispense) find(id string) (*adapter, movement.Movement, error) {
	for _, a := range d.adapters {
		if m, ok, err := a.bad.get(id); ok || err != nil {
			return a, m, err
		}
	}
	var word *hubRow
	for _, a := range d.adapters {
		word = cmp.Or(word, a.bad.hubWord(id))
	}
	return nil, movement.Movement{}, noRow(word)
}

func (a *adapter) rowOf(m *movement.Movement) BadRow {
	r := BadRow{ID: rowID(m.NaturalKey), Adapter: a.e.Name, File: m.Source.File, Local: a.names.local(m.Source.File), Line: m.Source.Line, Read: m.RecordedAt,
		Code: m.Problem.Code, Why: m.Problem.Text}
	whole := *m
	whole.Problem = nil
	if whole.Validate() == nil {
		r.Says = &whole
	}
	if !repeats(m) {
		r.Columns = a.e.columnsOf(m.Source.Raw)
	}
	return r
}

// repeats tells whether the row has the key of another that was recorded: then
// there is nothing to correct in it.
func repeats(m *movement.Movement) bool {
	return m.Problem.Code == codeConflict || m.Problem.Code == codeUnproved
}

// columnsOf takes the mapped columns apart again that [mapper.raw] has put
// together. Where that is not beyond doubt they are empty.
func (e *Export) columnsOf(raw string) []RowColumn {
	names := e.columnNames()
	list := make([]RowColumn, len(names))
	for i, name := range names {
		list[i].Name = name
		rest, ok := strings.CutPrefix(raw, name+"=")
		if !ok {
			raw = ""
			continue
		}
		value, next := rest, ""
		if i+1 < len(names) {
			sep := "; " + names[i+1] + "="
			if strings.Count(rest, sep) == 1 {
				at := strings.Index(rest, sep)
				value, next = rest[:at], rest[at+2:]
			} else {
				value = ""
			}
		}
		list[i].Value, raw = value, next
	}
	return list
}

// columnNames are the mapped columns, each once, as a mapper lists them.
func (e *Export) columnNames() []string {
	var names []string
	for _, f := range e.Mapping.fields() {
		if n := f.column.String(); n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// Settling is what a person decides about a row.
type Settling struct {
	// Values are those of the columns, in the order of [BadRow.Columns].
	Values []string
	// By are the person's initials, and Why a word why; both are required.
	By, Why string
}

const (
	maxValue    = 200 // bytes, of a column
	maxInitials = 16
	maxWhy      = 200 // characters
)

// Preview says what a corrected row would be recorded as. What is still wrong
// with it is a fault of class Data.
func (d *Dispense) Preview(id string, values []string) (movement.Movement, error) {
	a, bad, err := d.find(id)
	if err != nil {
		return movement.Movement{}, err
	}
	return a.corrected(&bad, values)
}

// Correct records the movement that a bad row should have been, linked to it. The
// row itself stays as it was recorded. An error means that nothing was recorded.
func (d *Dispense) Correct(ctx context.Context, id string, s Settling) (movement.Movement, error) {
	return d.settle(ctx, id, &s, func(a *adapter, bad *movement.Movement) (movement.Movement, error) {
		return a.corrected(bad, s.Values)
	})
}

// Dismiss records that nothing was moved by a bad row. An error means that
// nothing was recorded.
func (d *Dispense) Dismiss(ctx context.Context, id string, s Settling) error {
	_, err := d.settle(ctx, id, &s, func(a *adapter, bad *movement.Movement) (movement.Movement, error) {
		return a.dismissal(bad), nil
	})
	return err
}

func (a *adapter) dismissal(bad *movement.Movement) movement.Movement {
	return movement.Movement{OccurredAt: a.Now(), NaturalKey: settledKey(bad), Settles: movement.Settlement{Dismissed: true}}
}

// DismissFile dismisses all rows of a file that wait, and tells how many. What was
// dismissed before an error stays so.
func (d *Dispense) DismissFile(ctx context.Context, adapter, file string, s Settling) (dismissed int, err error) {
	if err := s.check(); err != nil {
		return 0, err
	}
	for _, a := range d.adapters {
		if a.e.Name != adapter || file == "" {
			continue
		}
		for part := range slices.Chunk(a.bad.list(a, file), maxTogether) {
			n, err := a.dismiss(ctx, part, &s)
			if dismissed += n; err != nil {
				return dismissed, err
			}
		}
	}
	return dismissed, nil
}

// dismiss dismisses rows in one commit.
func (a *adapter) dismiss(ctx context.Context, rows []openRow, s *Settling) (int, error) {
	a.bad.settling.Lock()
	defer a.bad.settling.Unlock()
	w := outbox.Write{Lane: movement.Live}
	var settled []*movement.Movement
	var notes []badRow
	for _, l := range rows {
		bad, ok, err := a.bad.get(l.id)
		if err != nil {
			return 0, err
		}
		if !ok { // settled meanwhile
			continue
		}
		m := a.dismissal(&bad)
		s.sign(&m, &bad)
		note, off, err := a.bad.settled(&bad, true)
		if err != nil {
			return 0, err
		}
		settled, notes, w.Notes, w.Movements = append(settled, &bad), append(notes, note), append(w.Notes, off), append(w.Movements, &m)
	}
	if len(settled) == 0 {
		return 0, nil
	}
	if _, err := a.Store.Append(ctx, w); err != nil {
		return 0, err
	}
	for i, bad := range settled {
		a.bad.off(bad, notes[i])
	}
	return len(settled), nil
}

func (d *Dispense) settle(ctx context.Context, id string, s *Settling, make func(*adapter, *movement.Movement) (movement.Movement, error)) (movement.Movement, error) {
	if err := s.check(); err != nil {
		return movement.Movement{}, err
	}
	a, bad, err := d.find(id)
	if err != nil {
		return bad, err
	}
	a.bad.settling.Lock()
	defer a.bad.settling.Unlock()
	if _, bad, err = d.find(id); err != nil { // settled by somebody else meanwhile
		return bad, err
	}
	m, err := make(a, &bad)
	if err != nil {
		return m, err
	}
	s.sign(&m, &bad)
	settled, off, err := a.bad.settled(&bad, m.Settles.Dismissed)
	if err != nil {
		return m, err
	}
	places, err := a.Store.Append(ctx, outbox.Write{Lane: movement.Live, Movements: []*movement.Movement{&m}, Notes: []outbox.Note{off}})
	if err != nil {
		return m, err
	}
	var before error
	if places[0].Known {
		if before, err = a.known(&m, places[0]); err != nil {
			// Nothing was recorded: the row goes back. A kill in between leaves it to
			// the hub's people alone.
			return m, cmp.Or(a.bad.back(context.WithoutCancel(ctx), &bad), err)
		}
	}
	a.bad.off(&bad, settled)
	return m, before
}

// sign makes a movement the one that settles a row.
func (s *Settling) sign(m, bad *movement.Movement) {
	m.By, m.Settles.Key, m.Settles.Why = s.By, bad.NaturalKey, s.Why
	m.Source = movement.Source{Adapter: bad.Source.Adapter, File: bad.Source.File, Line: bad.Source.Line}
}

func (s *Settling) check() error {
	s.By, s.Why = strings.TrimSpace(s.By), strings.TrimSpace(s.Why)
	switch {
	case s.By == "" || len(s.By) > maxInitials || !plain(s.By):
		return fault.New(fault.Data, "no_initials", "whose work is it").WithHint("type your initials")
	case s.Why == "":
		return fault.New(fault.Data, "no_reason", "it needs a word why, and none was given").WithHint("say what you know of the row, without the patient's name")
	case utf8.RuneCountInString(s.Why) > maxWhy || !plain(s.Why):
		return fault.New(fault.Data, "no_reason", "the word why is too long, or of more than one line").WithHint("say it in fewer words")
	}
	return nil
}

func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// known tells what the record is that has the key of a correction. Where that is
// what settles the row, err is nil; before then says so if it is another decision
// than this one, which is not recorded.
func (a *adapter) known(m *movement.Movement, at outbox.Place) (before, err error) {
	earlier, kept, err := (&importer{store: a.Store}).earlier(at)
	switch {
	case err != nil:
		return nil, err
	case kept && earlier.Settles.Key == m.Settles.Key && m.Settles.Dismissed == earlier.Settles.Dismissed && (m.Settles.Dismissed || m.SameEvent(&earlier)):
		return nil, nil
	case kept && earlier.Settles.Key == m.Settles.Key:
		return settledBefore(&earlier), nil
	case kept && m.SameEvent(&earlier):
		return nil, fault.New(fault.Data, "recorded_already", "the same was recorded already, from line %d of %s", earlier.Source.Line, earlier.Source.File).
			WithHint("dismiss this row")
	}
	return nil, fault.New(fault.Data, "key_taken", "another row with the same receipt and line was recorded before").
		WithHint("look at the columns that tell one row from another, or dismiss this row")
}

// settledBefore says by whom a row was settled, and how.
func settledBefore(m *movement.Movement) error {
	how := "dismissed it"
	if !m.Settles.Dismissed {
		how = fmt.Sprintf("corrected it to %s of %s", m.Quantity, m.Product.Words())
		if m.Lot != "" {
			how += ", lot " + m.Lot
		}
	}
	return fault.New(fault.Data, "settled_before", "%s %s on %s, because: %s; nothing was recorded now", m.By, how,
		m.RecordedAt.Format("2 January 2006 15:04"), m.Settles.Why).
		WithHint("if that was wrong, record the difference by hand")
}

// settledKey is the key of what settles a row where it has no other.
func settledKey(bad *movement.Movement) string { return bad.NaturalKey + "!settled" }

// corrected is what a bad row would be with other values: as the mapping reads
// them, so that the same row in a later file is known.
func (a *adapter) corrected(bad *movement.Movement, values []string) (movement.Movement, error) {
	if repeats(bad) {
		m := *bad
		m.Problem, m.RecordedAt, m.NaturalKey = nil, time.Time{}, settledKey(bad)
		return m, nil
	}
	names := a.e.columnNames()
	if len(values) != len(names) {
		return movement.Movement{}, fault.New(fault.Data, "other_columns", "the mapping has changed meanwhile: the row has %d columns now", len(names)).
			WithHint("open the row again")
	}
	e := *a.e
	e.Mapping = e.Mapping.byName()
	mapper, err := newMapper(&e, encodings["utf-8"], names, len(names))
	if err != nil {
		return movement.Movement{}, err
	}
	var line bytes.Buffer
	for i, v := range values {
		if len(v) > maxValue || !plain(v) {
			return movement.Movement{}, fault.New(fault.Data, "bad_value", "column %s is too long, or of more than one line", names[i])
		}
		lo := line.Len()
		line.WriteString(v)
		mapper.row.spans = append(mapper.row.spans, span{lo: int32(lo), hi: int32(line.Len())})
	}
	mapper.row.line, mapper.typed = line.Bytes(), true
	m := movement.Movement{Kind: e.Mapping.kindOrDispense()}
	if err := mapper.understand(&m); errors.Is(err, errLeftOut) {
		return m, fault.New(fault.Data, "left_out", "by the mapping such a row is left out").WithHint("dismiss it")
	} else if err != nil {
		return m, err
	}
	if m.NaturalKey == bad.NaturalKey {
		m.NaturalKey = settledKey(bad)
	}
	whole := m
	whole.RecordedAt = a.Now()
	return m, whole.Validate()
}

// byName is the mapping with each column named as it is shown.
func (m Mapping) byName() Mapping {
	name := func(c Column) Column { return Column{Name: c.String()} }
	for _, c := range []*Column{&m.KindColumn, &m.Product, &m.Quantity, &m.Unit, &m.Lot, &m.Expiry, &m.Serial,
		&m.OccurredAt, &m.OccurredTime, &m.Document, &m.By, &m.Reason} {
		*c = name(*c)
	}
	key := m.Key
	m.Key = make([]Column, len(key))
	for i, c := range key {
		m.Key[i] = name(c)
	}
	return m
}
