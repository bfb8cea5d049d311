package dispense

import (
	"testing"
	"time"
)

// A form of a time is taken only when what it reads can be read in one way.
func TestFormsOfTimes(t *testing.T) {
	cases := []struct {
		form, text string
		want       string // of RFC 3339; empty where the form is refused
	}{
		{"YYYY-MM-DD HH:mm:ss", "2026-11-23 14:05:09", "2026-11-23T14:05:09Z"},
		{"DD.MM.YYYY HH:mm", "02.11.2026 14:05", "2026-11-02T14:05:00Z"},
		{"D.M.YY", "2.1.26", "2026-01-02T00:00:00Z"},
		{"YYYYMMDDHHmmss", "20261123140509", "2026-11-23T14:05:09Z"},
		{"YYYYMMDDHHmmssZZZZ", "20261123140509+0100", "2026-11-23T13:05:09Z"},
		{"MM/DD/YYYY", "11/02/2026", "2026-11-02T00:00:00Z"},
		{form: "DD.MM.YYYY HH:MM:ss"}, // the month in the place of the minute
		{form: "DD.MM.YYYY MM:ss"},
		{form: "DD.mm.YYYY"},
		{form: "DD.DD.MM.YYYY"},
		{form: "DD.D.MM.YYYY"},
		{form: "DD.MM.YYYY YY"},
		{form: "DD.MM.YYYY HH:mm:mm"},
		{form: "DD.MM.YYYY HH HH"},
		{form: "DD.MM.YYYY mm:ss"}, // a minute of which hour
		{form: "DD.MM.YYYY HH ss"},
		{form: "YYYYMD"}, // 2026111
		{form: "YYYY-MM-DDxHH:mm"},
		{form: "YYYY-DD"},
		{form: "DD.MM"},
		{form: ""},
	}
	for _, c := range cases {
		l, err := newLayout(c.form, true)
		if (err == nil) != (c.want != "") {
			t.Errorf("%q: %v", c.form, err)
		}
		if err != nil || c.want == "" {
			continue
		}
		at, _, err := parseTime(c.text, []layout{l}, time.UTC)
		if err != nil || at.UTC().Format(time.RFC3339) != c.want {
			t.Errorf("%q reads %q as %s, %v", c.form, c.text, at, err)
		}
	}
}
