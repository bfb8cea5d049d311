package dispense

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/movement"
)

// A mapping is made better in the weeks after the start, and then reads more of each
// row than what was recorded of it. In a file that is rewritten whole every row is then
// another than before, though nothing has happened. So it is remembered what was read
// from when on, and a row and its record are compared by what both had.

// readSpace is where the outbox keeps it, by adapter.
const readSpace = "dispense-read"

// maxReadings bounds how many changes are remembered of one adapter.
const maxReadings = 32

// reading is what a mapping reads of a row beside what it always does, from a time on.
type reading struct {
	Since  time.Time `json:"since"`
	Fields []string  `json:"fields"`
}

// readings are those of one adapter, the oldest first and never none; what was recorded
// before the first counts as read by it. They are not changed after the start.
type readings struct {
	list []reading
	loc  *time.Location
}

// fieldsRead are the fields of an event that a mapping can do without, of those that it
// has.
func (m *Mapping) fieldsRead() (names []string) {
	for _, f := range m.fields() {
		switch f.name {
		case "unit", "lot", "expiry", "serial", "document", FieldReason, "occurred_time":
			if !f.column.IsZero() || f.name == "unit" && m.FixedUnit != "" {
				names = append(names, f.name)
			}
		}
	}
	return names
}

// loadReadings gives what was read when, up to now.
func loadReadings(store Store, e *Export, now time.Time) (*readings, error) {
	loc, err := location(e.Mapping.TimeZone)
	if err != nil {
		return nil, err
	}
	r := &readings{loc: loc}
	for n, err := range store.Notes(readSpace, e.Name) {
		if err != nil {
			return nil, err
		}
		if n.Key == e.Name && json.Unmarshal(n.Value, &r.list) != nil {
			r.list = nil // of a later version, say
		}
	}
	fields := e.Mapping.fieldsRead()
	if n := len(r.list); n > 0 && slices.Equal(r.list[n-1].Fields, fields) {
		return r, nil
	}
	r.list = append(r.list, reading{now, fields})
	r.list = r.list[max(0, len(r.list)-maxReadings):]
	value, err := json.Marshal(r.list)
	if err != nil {
		return nil, err
	}
	_, err = store.Append(context.Background(), outbox.Write{Lane: movement.Bulk, Notes: []outbox.Note{{Space: readSpace, Key: e.Name, Value: value}}})
	return r, err
}

// at are the fields that were read at a time.
func (r *readings) at(t time.Time) []string {
	fields := r.list[0].Fields
	for _, l := range r.list[1:] {
		if !l.Since.After(t) {
			fields = l.Fields
		}
	}
	return fields
}

func (r *readings) now() []string { return r.list[len(r.list)-1].Fields }

// same tells whether a row says the same as its record does, as far as both were read.
func (r *readings) same(m, earlier *movement.Movement) bool {
	then, now := r.at(earlier.RecordedAt), r.now()
	a, b := narrowed(m, then), narrowed(earlier, now)
	if withoutReason(m) || withoutReason(earlier) {
		a.Reason, b.Reason = "", ""
	}
	if moreTime(then, now) {
		a.OccurredAt = r.dayOf(a.OccurredAt, b.OccurredAt)
	} else if moreTime(now, then) {
		b.OccurredAt = r.dayOf(b.OccurredAt, a.OccurredAt)
	}
	return a.SameEvent(&b)
}

// print tells whether a row says the same as a record of which only the number is known,
// that was recorded by a time (zero for lately), as far as it was read. A reason that
// has become known since makes no difference.
func (r *readings) print(m *movement.Movement, p outbox.Place) bool {
	day := r.midnight(m.OccurredAt)
	for i, l := range r.list {
		if i > 0 && !p.By.IsZero() && l.Since.After(p.By) {
			break
		}
		a := narrowed(m, l.Fields)
		times := []time.Time{m.OccurredAt, day}
		if !moreTime(l.Fields, r.now()) {
			times = times[:1]
		}
		for _, a.OccurredAt = range times {
			bare := a
			bare.Reason = ""
			if a.Print() == p.Print || bare.Print() == p.Print {
				return true
			}
		}
	}
	return false
}

// moreTime tells whether now has the time of day in a column of its own, and then had not.
func moreTime(then, now []string) bool {
	return !slices.Contains(then, "occurred_time") && slices.Contains(now, "occurred_time")
}

// dayOf is t, or the beginning of its day where that is what other says.
func (r *readings) dayOf(t, other time.Time) time.Time {
	if day := r.midnight(t); day.Equal(other) {
		return day
	}
	return t
}

func (r *readings) midnight(t time.Time) time.Time {
	t = t.In(r.loc)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, r.loc)
}

// narrowed is what a row says with no other fields than these.
func narrowed(m *movement.Movement, fields []string) movement.Movement {
	n := *m
	for name, text := range map[string]*string{"unit": &n.Unit, "lot": &n.Lot, "serial": &n.Serial, FieldReason: &n.Reason} {
		if !slices.Contains(fields, name) {
			*text = ""
		}
	}
	if !slices.Contains(fields, "expiry") {
		n.Expiry, n.ExpiryRaw = movement.Date{}, ""
	}
	if !slices.Contains(fields, "document") {
		n.Document = movement.Document{}
	}
	return n
}

// withoutReason tells whether the reason was left out of a row as none that is known.
func withoutReason(m *movement.Movement) bool {
	return m.Reason == "" && strings.Contains(m.Source.Raw, "="+NotKept)
}
