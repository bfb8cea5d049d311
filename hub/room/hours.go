package room

import (
	"fmt"
	"strings"
	"time"
)

// Hours are when a branch is open, in its own time. The zero value is open
// always.
type Hours struct {
	// of are the spans of each day, Sunday first.
	of  [7][]span
	set bool
}

// span is from a minute of the day to another; one that goes beyond midnight is
// kept as two.
type span struct{ from, to int }

var dayNames = []string{"Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"}

// ParseHours reads "Mo-Fr 08:00-18:30, Sa 09:00-13:00", as signs on doors and
// OpenStreetMap write it. An empty text is open always.
func ParseHours(s string) (h Hours, err error) {
	if strings.TrimSpace(s) == "" {
		return h, nil
	}
	for _, part := range strings.Split(s, ",") {
		days, hours, ok := strings.Cut(strings.TrimSpace(part), " ")
		if !ok {
			return Hours{}, fmt.Errorf("%q has no days or no hours", strings.TrimSpace(part))
		}
		first, last, err := daysOf(days)
		if err != nil {
			return Hours{}, err
		}
		from, to, err := hoursOf(strings.TrimSpace(hours))
		if err != nil {
			return Hours{}, err
		}
		for d := first; ; d = (d + 1) % 7 {
			h.add(d, from, to)
			if d == last {
				break
			}
		}
	}
	h.set = true
	return h, nil
}

func (h *Hours) add(day, from, to int) {
	if from < to {
		h.of[day] = append(h.of[day], span{from, to})
		return
	}
	h.of[day] = append(h.of[day], span{from, 24 * 60})
	if to > 0 {
		next := (day + 1) % 7
		h.of[next] = append(h.of[next], span{0, to})
	}
}

func daysOf(s string) (first, last int, err error) {
	a, b, many := strings.Cut(s, "-")
	if !many {
		b = a
	}
	first, last = -1, -1
	for i, name := range dayNames {
		if strings.EqualFold(name, a) {
			first = i
		}
		if strings.EqualFold(name, b) {
			last = i
		}
	}
	if first < 0 || last < 0 {
		return 0, 0, fmt.Errorf("%q are no days: write Mo, Tu, We, Th, Fr, Sa, Su or Mo-Fr", s)
	}
	return first, last, nil
}

func hoursOf(s string) (from, to int, err error) {
	a, b, ok := strings.Cut(s, "-")
	if ok {
		if from, err = minuteOf(a); err == nil {
			to, err = minuteOf(b)
		}
	}
	if !ok || err != nil || from == 24*60 {
		return 0, 0, fmt.Errorf("%q are no hours: write 08:00-18:30", s)
	}
	return from, to, nil
}

func minuteOf(s string) (int, error) {
	s = strings.TrimSpace(s)
	if s == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", s)
	return t.Hour()*60 + t.Minute(), err
}

// OpenFor is how long the branch has been open without a break at a moment of
// its own time; 0 when it is closed. always is true where it never closes.
func (h Hours) OpenFor(at time.Time) (d time.Duration, always bool) {
	if !h.set {
		return 0, true
	}
	minute := at.Hour()*60 + at.Minute()
	day := int(at.Weekday())
	for range 8 { // a week and a bit: beyond that it never closes
		start := -1
		for _, s := range h.of[day] {
			if s.from <= minute && minute < s.to || minute == 24*60 && s.to == 24*60 {
				start = s.from
			}
		}
		if start < 0 {
			break
		}
		open := time.Duration(minute-start) * time.Minute
		if minute < 24*60 && d == 0 {
			open += time.Duration(at.Second())*time.Second + time.Duration(at.Nanosecond())
		}
		d += open
		if start > 0 {
			return d, false
		}
		day, minute = (day+6)%7, 24*60
	}
	return d, d >= 7*24*time.Hour
}
