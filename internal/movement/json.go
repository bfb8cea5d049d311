package movement

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"branchline/internal/fault"
)

// AppendJSON writes the record: one line of JSON in a fixed order of fields,
// the only bytes that are ever stored, hashed and sent for this movement. It
// is written by hand since every captured movement passes here; a test holds
// it against encoding/json.
func (m *Movement) AppendJSON(b []byte) []byte {
	b = append(b, `{"v":`...)
	b = strconv.AppendInt(b, Version, 10)
	b = appendField(b, "kind", string(m.Kind))
	if m.Product != (Product{}) {
		b = append(b, `,"product":{"scheme":`...)
		b = appendString(b, string(m.Product.Scheme))
		b = appendMember(b, "code", m.Product.Code)
		b = append(b, '}')
	}
	b = appendField(b, "lot", m.Lot)
	if !m.Expiry.IsZero() {
		b = append(b, `,"expiry":"`...)
		b = append(m.Expiry.Append(b), '"')
	}
	b = appendField(b, "expiry_raw", m.ExpiryRaw)
	b = appendField(b, "serial", m.Serial)
	if m.Quantity != 0 {
		b = append(b, `,"quantity":"`...)
		b = append(m.Quantity.Append(b), '"')
	}
	b = appendField(b, "unit", m.Unit)
	b = appendTime(b, "occurred_at", m.OccurredAt)
	b = appendTime(b, "recorded_at", m.RecordedAt)
	if m.Document != (Document{}) {
		b = append(b, `,"document":{"type":`...)
		b = appendString(b, m.Document.Type)
		b = appendMember(b, "ref", m.Document.Ref)
		b = append(b, '}')
	}
	b = appendField(b, "counterpart", m.Counterpart)
	b = appendField(b, "reason", m.Reason)
	b = appendField(b, "natural_key", m.NaturalKey)
	if m.Source != (Source{}) {
		b = m.Source.append(append(b, `,"source":`...))
	}
	b = appendField(b, "by", m.By)
	if m.Group != (Group{}) {
		b = append(b, `,"group":{"id":`...)
		b = appendString(b, m.Group.ID)
		b = append(b, `,"size":`...)
		b = append(strconv.AppendInt(b, int64(m.Group.Size), 10), '}')
	}
	if m.Settles != (Settlement{}) {
		b = append(b, `,"settles":{"key":`...)
		b = appendString(b, m.Settles.Key)
		b = appendMember(b, "why", m.Settles.Why)
		if m.Settles.Dismissed {
			b = append(b, `,"dismissed":true`...)
		}
		b = append(b, '}')
	}
	if m.Paper != (Paper{}) {
		b = append(b, `,"paper":{"form":`...)
		b = appendString(b, m.Paper.Form)
		b = append(b, `,"line":`...)
		b = strconv.AppendInt(b, int64(m.Paper.Line), 10)
		b = append(appendMember(b, "typed_by", m.Paper.TypedBy), '}')
	}
	if m.Problem != nil {
		b = append(b, `,"problem":{"code":`...)
		b = appendString(b, m.Problem.Code)
		b = appendField(b, "field", m.Problem.Field)
		b = appendMember(b, "text", m.Problem.Text)
		b = append(b, '}')
	}
	return append(b, '}')
}

func (s *Source) append(b []byte) []byte {
	start := len(b)
	b = appendField(b, "adapter", s.Adapter)
	b = appendField(b, "file", s.File)
	if s.Line != 0 {
		b = append(b, `,"line":`...)
		b = strconv.AppendInt(b, s.Line, 10)
	}
	b = appendField(b, "raw", s.Raw)
	b = appendField(b, "raw_hex", s.RawHex)
	b[start] = '{'
	return append(b, '}')
}

// MarshalJSON is [Movement.AppendJSON], so that a movement has one form only.
func (m Movement) MarshalJSON() ([]byte, error) { return m.AppendJSON(nil), nil }

// Decode reads a record of the current version or one of the two before. It
// does not validate. Errors are faults of class Data: "unsupported_version"
// for a record of a newer agent, "malformed_movement" for anything that is no
// record.
func Decode(record []byte) (Movement, error) {
	malformed := func(err error) (Movement, error) {
		return Movement{}, fault.New(fault.Data, "malformed_movement", "the record is not a movement: %w", err)
	}
	if len(record) > MaxRecord {
		return Movement{}, fault.New(fault.Data, "malformed_movement",
			"the record has %d bytes, more than %d", len(record), MaxRecord)
	}
	type plain Movement // without methods
	var m plain
	d := json.NewDecoder(bytes.NewReader(record))
	if err := d.Decode(&m); err != nil {
		return malformed(err)
	}
	if d.InputOffset() != int64(len(record)) {
		return Movement{}, fault.New(fault.Data, "malformed_movement", "the record has more after its end")
	}
	if m.V > Version {
		return Movement{}, fault.New(fault.Data, "unsupported_version",
			"the record has version %d, this hub reads up to %d", m.V, Version).
			WithHint("update the hub, then retry")
	}
	if m.V < 1 || m.V < Version-2 {
		return Movement{}, fault.New(fault.Data, "unsupported_version",
			"the record has version %d, which is no longer read", m.V).
			WithHint("update the agent")
	}
	return Movement(m), nil
}

func appendField(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendMember(b, name, value)
}

func appendMember(b []byte, name, value string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	return appendString(append(b, '"', ':'), value)
}

func appendTime(b []byte, name string, t time.Time) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':', '"')
	// time.RFC3339 has a path of its own, four times as fast as timeForm.
	start := len(b)
	b = t.AppendFormat(b, time.RFC3339)
	if seconds := start + len("2006-01-02T15:04:05"); len(b) > seconds && (b[seconds] == 'Z' || b[seconds] == '+' || b[seconds] == '-') {
		ms := t.Nanosecond() / 1e6
		b = slices.Insert(b, seconds, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
		return append(b, '"')
	}
	return append(t.AppendFormat(b[:start], timeForm), '"') // a year that no record has
}

// timeForm is RFC 3339 with milliseconds and the offset.
const timeForm = "2006-01-02T15:04:05.000Z07:00"

const hexDigits = "0123456789abcdef"

// appendString quotes s. What is not UTF-8 becomes U+FFFD; Validate has
// refused it before.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[start:i]...), "\uFFFD"...)
				i++
				start = i
				continue
			}
			i += n
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}
