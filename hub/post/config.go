package post

import (
	"fmt"
	"time"

	"branchline/hub/ledger"
)

// Config says how hard Odoo is worked.
type Config struct {
	// Parallel is how many branches are posted at once; one branch has one
	// writer.
	Parallel int `yaml:"parallel"`
	// CallsPerSecond bounds the calls to Odoo, Burst how many may come at once.
	CallsPerSecond float64 `yaml:"calls_per_second"`
	Burst          int     `yaml:"burst"`
	// RetryFirst and RetryMost are the first and the longest pause before a
	// posting is tried again; each is jittered by half.
	RetryFirst time.Duration `yaml:"retry_first"`
	RetryMost  time.Duration `yaml:"retry_most"`
	// BreakAfter failures of Odoo in a row hold all calls back for BreakFor,
	// then one is let through.
	BreakAfter int           `yaml:"break_after"`
	BreakFor   time.Duration `yaml:"break_for"`
	// SetupPause is how long all posting stops when Odoo's setup is at fault.
	SetupPause time.Duration `yaml:"setup_pause"`
	// DefectPause is the pause after a failure that nobody foresaw; after
	// DefectTries a posting of several movements is halved.
	DefectPause time.Duration `yaml:"defect_pause"`
	DefectTries int           `yaml:"defect_tries"`
	// SweepEvery is how often documents left behind in Odoo are looked for.
	SweepEvery time.Duration `yaml:"sweep_every"`
	// Branches are those of this hub: documents of others in the same Odoo are
	// left alone. Nil is all; a hub that is not told its branches yet has none,
	// and touches no other hub's documents.
	Branches []string `yaml:"-"`
}

// maxPause keeps every pause, jittered by half, below [ledger.MaxPause].
const maxPause = ledger.MaxPause / 2

// DefaultConfig suits an Odoo of four workers.
func DefaultConfig() Config {
	return Config{Parallel: 4, CallsPerSecond: 50, Burst: 20, RetryFirst: 2 * time.Second, RetryMost: 5 * time.Minute,
		BreakAfter: 5, BreakFor: 15 * time.Second, SetupPause: time.Minute, DefectPause: 5 * time.Minute, DefectTries: 3,
		SweepEvery: time.Hour}
}

// Validate names the field and its value.
func (c *Config) Validate() error {
	switch {
	case c.Parallel < 1 || c.Parallel > 64:
		return fmt.Errorf("parallel: %d is not between 1 and 64", c.Parallel)
	case c.CallsPerSecond <= 0 || c.CallsPerSecond > 10_000:
		return fmt.Errorf("calls_per_second: %g is not between 0 and 10000", c.CallsPerSecond)
	case c.Burst < maxCost || c.Burst > 10_000:
		return fmt.Errorf("burst: %d is not between %d and 10000", c.Burst, maxCost)
	case c.RetryFirst < time.Millisecond:
		return fmt.Errorf("retry_first: %s is less than 1ms", c.RetryFirst)
	case c.RetryMost < c.RetryFirst:
		return fmt.Errorf("retry_most: %s is less than retry_first, %s", c.RetryMost, c.RetryFirst)
	case c.RetryMost > maxPause:
		return fmt.Errorf("retry_most: %s is more than %s", c.RetryMost, maxPause)
	case c.BreakAfter < 1:
		return fmt.Errorf("break_after: %d is less than 1", c.BreakAfter)
	case c.BreakFor <= 0:
		return fmt.Errorf("break_for: %s must be positive", c.BreakFor)
	case c.SetupPause <= 0 || c.SetupPause > maxPause:
		return fmt.Errorf("setup_pause: %s must be positive and at most %s", c.SetupPause, maxPause)
	case c.DefectPause <= 0 || c.DefectPause > maxPause:
		return fmt.Errorf("defect_pause: %s must be positive and at most %s", c.DefectPause, maxPause)
	case c.DefectTries < 1:
		return fmt.Errorf("defect_tries: %d is less than 1", c.DefectTries)
	case c.SweepEvery < time.Second:
		return fmt.Errorf("sweep_every: %s is less than 1s", c.SweepEvery)
	}
	return nil
}
