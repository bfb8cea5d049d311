package room_test

import (
	"testing"
	"time"

	"branchline/hub/room"
)

func TestHours(t *testing.T) {
	// 2026-11-23 is a Monday.
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		hours  string
		at     time.Time
		open   time.Duration
		always bool
	}{
		"no hours at all":           {"", at(23, 3, 0), 0, true},
		"before it opens":           {"Mo-Fr 08:00-18:30", at(23, 7, 59), 0, false},
		"just opened":               {"Mo-Fr 08:00-18:30", at(23, 8, 0), 0, false},
		"an hour after":             {"Mo-Fr 08:00-18:30", at(23, 9, 0), time.Hour, false},
		"closed":                    {"Mo-Fr 08:00-18:30", at(23, 18, 30), 0, false},
		"on a Sunday":               {"Mo-Fr 08:00-18:30", at(22, 12, 0), 0, false},
		"on a Saturday":             {"Mo-Fr 08:00-18:30, Sa 09:00-13:00", at(28, 10, 0), time.Hour, false},
		"after the break":           {"Mo 08:00-12:00, Mo 14:00-18:00", at(23, 15, 0), time.Hour, false},
		"over the end of the week":  {"Fr-Mo 10:00-11:00", at(22, 10, 30), 30 * time.Minute, false},
		"at night, the day after":   {"Mo 20:00-06:00", at(24, 1, 0), 5 * time.Hour, false},
		"at night, in the morning":  {"Mo 20:00-06:00", at(24, 6, 0), 0, false},
		"to midnight":               {"Mo 20:00-24:00", at(23, 23, 0), 3 * time.Hour, false},
		"day and night":             {"Mo-Su 00:00-24:00", at(25, 12, 0), 7*24*time.Hour + 12*time.Hour, true},
		"small letters, no spaces ": {"mo-fr 8:00-18:30", at(23, 9, 0), time.Hour, false},
	} {
		h, err := room.ParseHours(c.hours)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		open, always := h.OpenFor(c.at)
		if always != c.always || !always && open != c.open {
			t.Errorf("%s: open for %v, always %v; want %v, %v", name, open, always, c.open, c.always)
		}
	}
	for _, bad := range []string{"Mo", "08:00-18:00", "Mo-Xx 08:00-18:00", "Mo 8-18", "Mo 08:00", "Mo 25:00-26:00", "Mo 24:00-08:00", ",", "Mo 08:00-18:00,"} {
		if _, err := room.ParseHours(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
