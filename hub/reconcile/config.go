package reconcile

import (
	"fmt"
	"time"
)

// Config says when it is compared, how far back, and what that may cost.
type Config struct {
	// At is the time of day, by the hub's own zone, at which all branches are
	// compared; empty for never.
	At string `yaml:"at"`
	// Days is how many days back records are looked at.
	Days int `yaml:"days"`
	// CallsPerSecond bounds the calls to Odoo, beside those of the posting.
	CallsPerSecond float64 `yaml:"calls_per_second"`
}

// DefaultConfig compares the last five weeks every night.
func DefaultConfig() Config { return Config{At: "02:30", Days: 35, CallsPerSecond: 5} }

// Validate names the setting and its value.
func (c *Config) Validate() error {
	if _, err := time.Parse(clockForm, c.At); c.At != "" && err != nil {
		return fmt.Errorf("at: %q is no time of day such as 02:30", c.At)
	}
	switch {
	case c.Days < 1 || c.Days > 366:
		return fmt.Errorf("days: %d is not between 1 and 366", c.Days)
	case c.CallsPerSecond <= 0 || c.CallsPerSecond > 1000:
		return fmt.Errorf("calls_per_second: %g is not between 0 and 1000", c.CallsPerSecond)
	}
	return nil
}

const clockForm = "15:04"

// due is the last moment at or before now at which the schedule asks; false where it
// never does.
func (c *Config) due(now time.Time) (time.Time, bool) {
	t, err := time.Parse(clockForm, c.At)
	if err != nil {
		return time.Time{}, false
	}
	at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
	if at.After(now) {
		at = time.Date(now.Year(), now.Month(), now.Day()-1, t.Hour(), t.Minute(), 0, 0, now.Location())
	}
	return at, true
}
