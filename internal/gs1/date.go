package gs1

import "time"

// Date is a calendar date as a code carries it, without time zone.
type Date struct {
	Year, Month, Day int
	// Raw holds the six digits YYMMDD of the code: some authorities compare
	// these and not the date.
	Raw string
	// DayGiven is false when the code says day 00, which stands for the last
	// day of the month; Day is that day then.
	DayGiven bool
}

// IsZero tells whether there is no date.
func (d Date) IsZero() bool { return d.Month == 0 }

// yearsAhead is how far a two-digit year reaches into the future. General
// Specifications 7.12: a difference of 51 to 99 to the present year means the
// century before, -99 to -50 the one after; so a year is at most 50 ahead and
// at most 49 behind.
const yearsAhead = 50

// fullYear gives the year that yy (0 to 99) means in the year now.
func fullYear(yy, now int) int {
	first := now + yearsAhead - 99
	return first + ((yy-first)%100+100)%100
}

// readDate reads YYMMDD; the caller has made sure of six digits. ok is false
// for a date that is not in the calendar.
func readDate(raw string, now int) (d Date, ok bool) {
	d = Date{
		Year: fullYear(atoi(raw[:2]), now), Month: atoi(raw[2:4]), Day: atoi(raw[4:6]),
		Raw: raw, DayGiven: true,
	}
	if d.Month < 1 || d.Month > 12 {
		return Date{}, false
	}
	last := daysIn(d.Year, d.Month)
	if d.Day == 0 {
		d.Day, d.DayGiven = last, false
	}
	if d.Day > last {
		return Date{}, false
	}
	return d, true
}

func daysIn(year, month int) int {
	switch time.Month(month) {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
