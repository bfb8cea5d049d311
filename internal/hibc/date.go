package hibc

import (
	"strconv"
	"time"

	"branchline/internal/gs1"
)

// format is how a date is written; 2 to 6 are the flags of the standard.
type format uint8

const (
	monthYear    format = iota // MMYY, the month's last day
	fullDate                   // YYYYMMDD
	monthDayYear               // MMDDYY
	yearMonthDay               // YYMMDD
	withHour                   // YYMMDDHH
	yearDay                    // YYJJJ
	yearDayHour                // YYJJJHH
)

var lengths = [...]int{monthYear: 4, fullDate: 8, monthDayYear: 6, yearMonthDay: 6, withHour: 8, yearDay: 5, yearDayHour: 7}

// read gives the date; ok is false for one that is not in the calendar. The
// hour must exist and is left out: an expiry is a day here.
func (f format) read(v string, now time.Time) (d gs1.Date, ok bool) {
	if len(v) != lengths[f] || !digits(v) {
		return d, false
	}
	n := func(from, to int) int { i, _ := strconv.Atoi(v[from:to]); return i }
	d = gs1.Date{Raw: v, DayGiven: true}
	hour := 0
	switch f {
	case monthYear:
		d.Month, d.Year, d.DayGiven = n(0, 2), century(n(2, 4), now), false
		if d.Month >= 1 && d.Month <= 12 {
			d.Day = time.Date(d.Year, time.Month(d.Month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
		}
	case fullDate:
		d.Year, d.Month, d.Day = n(0, 4), n(4, 6), n(6, 8)
	case monthDayYear:
		d.Month, d.Day, d.Year = n(0, 2), n(2, 4), century(n(4, 6), now)
	case yearMonthDay, withHour:
		d.Year, d.Month, d.Day = century(n(0, 2), now), n(2, 4), n(4, 6)
		if f == withHour {
			hour = n(6, 8)
		}
	case yearDay, yearDayHour:
		d.Year = century(n(0, 2), now)
		day := n(2, 5)
		t := time.Date(d.Year, 1, day, 0, 0, 0, 0, time.UTC)
		if day < 1 || t.Year() != d.Year {
			return gs1.Date{}, false
		}
		d.Month, d.Day = int(t.Month()), t.Day()
		if f == yearDayHour {
			hour = n(5, 7)
		}
	}
	t := time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC)
	if d.Year < 1 || t.Year() != d.Year || int(t.Month()) != d.Month || t.Day() != d.Day || hour > 23 {
		return gs1.Date{}, false
	}
	return d, true
}

// century gives the year that two digits mean: at most 50 ahead of now, at
// most 49 behind it. The standard leaves it open; GS1 has the same rule.
func century(yy int, now time.Time) int {
	first := now.Year() - 49
	return first + ((yy-first)%100+100)%100
}
