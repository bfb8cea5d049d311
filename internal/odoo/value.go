package odoo

import (
	"math"
	"strconv"
	"strings"
	"time"

	"branchline/internal/movement"
)

// The getters read a value of an answer. Odoo sends false for an empty field of
// any type, nil or an empty string alike for an empty text, and an integer for
// a whole float; what is not of the wanted type reads as its zero value.

// Int reads a whole number, or the id of a many2one.
func Int(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case string:
		n, _ := strconv.ParseInt(v, 10, 64)
		return n
	case []any:
		if len(v) > 0 {
			if n, ok := v[0].(int64); ok {
				return n
			}
		}
	}
	return 0
}

// Float reads a number.
func Float(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// String reads a text.
func String(v any) string {
	s, _ := v.(string)
	return s
}

// Bool reads a truth.
func Bool(v any) bool {
	b, _ := v.(bool)
	return b
}

// IDs reads a list of ids, or the id a create of one record answers.
func IDs(v any) []int64 {
	switch v := v.(type) {
	case int64:
		return []int64{v}
	case []any:
		out := make([]int64, 0, len(v))
		for _, x := range v {
			if n, ok := x.(int64); ok {
				out = append(out, n)
			}
		}
		return out
	}
	return nil
}

// Ref is a many2one: the record and its display name in the user's language.
type Ref struct {
	ID   int64
	Name string
}

// Many2One reads a many2one; a zero Ref is an empty field.
func Many2One(v any) Ref {
	switch v := v.(type) {
	case int64:
		return Ref{ID: v}
	case []any:
		r := Ref{ID: Int(v)}
		if len(v) > 1 {
			r.Name = String(v[1])
		}
		return r
	}
	return Ref{}
}

// Odoo's text forms of moments (always UTC) and dates.
const (
	momentLayout = "2006-01-02 15:04:05"
	dateLayout   = "2006-01-02"
)

// Time reads a moment or a date as UTC; zero for an empty field.
func Time(v any) time.Time {
	s := String(v)
	if i := strings.IndexByte(s, '.'); i > 0 {
		s = s[:i]
	}
	for _, layout := range []string{momentLayout, dateLayout, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// Moment is t as Odoo wants a moment: UTC, to the second; false for a zero t.
func Moment(t time.Time) any {
	if t.IsZero() {
		return false
	}
	return t.UTC().Format(momentLayout)
}

// Expiry is the moment to give Odoo for an expiry date: noon in the branch's
// zone. A bare date is midnight UTC there, which is the day before in America
// and shows a day off for some users.
func Expiry(d movement.Date, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	if d.IsZero() {
		return time.Time{}
	}
	return d.At(12, zone).UTC()
}

// ExpiryDate is the date a branch reads from a moment in Odoo.
func ExpiryDate(t time.Time, zone *time.Location) movement.Date {
	if t.IsZero() {
		return movement.Date{}
	}
	if zone == nil {
		zone = time.UTC
	}
	return movement.DateOf(t.In(zone))
}

// Record is one row of an answer.
type Record map[string]any

func (r Record) ID() int64                   { return Int(r["id"]) }
func (r Record) Int(field string) int64      { return Int(r[field]) }
func (r Record) Float(field string) float64  { return Float(r[field]) }
func (r Record) String(field string) string  { return String(r[field]) }
func (r Record) Bool(field string) bool      { return Bool(r[field]) }
func (r Record) Ref(field string) Ref        { return Many2One(r[field]) }
func (r Record) IDs(field string) []int64    { return IDs(r[field]) }
func (r Record) Time(field string) time.Time { return Time(r[field]) }
