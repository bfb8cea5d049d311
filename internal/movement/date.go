package movement

import (
	"fmt"
	"time"
)

// Date is a calendar date without a time or zone, as an expiry is printed on a
// pack. The zero Date means "not known".
type Date struct {
	Year  int16
	Month uint8
	Day   uint8
}

// NewDate checks that the date exists, in the years 1900 to 2199.
func NewDate(year, month, day int) (Date, error) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if year < 1900 || year > 2199 || t.Year() != year || int(t.Month()) != month || t.Day() != day {
		return Date{}, fmt.Errorf("date %04d-%02d-%02d does not exist", year, month, day)
	}
	return Date{int16(year), uint8(month), uint8(day)}, nil
}

// ParseDate reads YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("date %q is not a calendar date YYYY-MM-DD", clip(s, 32))
	}
	return NewDate(t.Year(), int(t.Month()), t.Day())
}

// DateOf is the date that a clock on t's own wall shows.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{int16(y), uint8(m), uint8(d)}
}

// IsZero tells whether the date is not known.
func (d Date) IsZero() bool { return d == Date{} }

// At is the moment at which a clock in loc shows the hour on this date.
func (d Date) At(hour int, loc *time.Location) time.Time {
	return time.Date(int(d.Year), time.Month(d.Month), int(d.Day), hour, 0, 0, 0, loc)
}

// Before tells whether d is an earlier day than o.
func (d Date) Before(o Date) bool {
	if d.Year != o.Year {
		return d.Year < o.Year
	}
	if d.Month != o.Month {
		return d.Month < o.Month
	}
	return d.Day < o.Day
}

// Append writes YYYY-MM-DD, or nothing for the zero Date.
func (d Date) Append(b []byte) []byte {
	if d.IsZero() {
		return b
	}
	two := func(b []byte, n int) []byte { return append(b, byte('0'+n/10%10), byte('0'+n%10)) }
	y := int(d.Year)
	return two(append(two(append(two(two(b, y/100), y%100), '-'), int(d.Month)), '-'), int(d.Day))
}

func (d Date) String() string { return string(d.Append(nil)) }

// MarshalText gives YYYY-MM-DD, or nothing for the zero Date.
func (d Date) MarshalText() ([]byte, error) { return d.Append(nil), nil }

// UnmarshalText reads YYYY-MM-DD, or nothing.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	v, err := ParseDate(string(b))
	if err == nil {
		*d = v
	}
	return err
}
