package ui

import (
	"fmt"
	"time"
)

// Ago says a duration as people do: "8 s", "12 min", "2 h 10 min", "3 d 4 h".
// Below one second and in the future it is "0 s".
func Ago(d time.Duration) string {
	switch d = d.Truncate(time.Second); {
	case d < time.Second:
		return "0 s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// Clock says a moment in the zone of now: "09:41" today, "23 Nov 09:41" else,
// with the year when it is another.
func Clock(t, now time.Time) string {
	t = t.In(now.Location())
	switch {
	case t.Year() != now.Year():
		return t.Format("2 Jan 2006 15:04")
	case t.YearDay() != now.YearDay():
		return t.Format("2 Jan 15:04")
	}
	return t.Format("15:04")
}

// Many says a count with its noun: "1 pack", "2 packs".
func Many[N int | int64 | uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// many is Many for templates, which know no type parameters.
func many(n any, one, more string) (string, error) {
	switch n := n.(type) {
	case int:
		return Many(n, one, more), nil
	case int64:
		return Many(n, one, more), nil
	case uint64:
		return Many(n, one, more), nil
	}
	return "", fmt.Errorf("many counts integers, not %T", n)
}
