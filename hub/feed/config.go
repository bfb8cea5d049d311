package feed

import (
	"fmt"
	"time"
)

// Config says how fresh the branches' copies are, and what that may cost.
type Config struct {
	// DeliveriesEvery and StockEvery are how often changes are read in Odoo,
	// FullEvery how often everything. The catalogue follows the hub's own.
	DeliveriesEvery time.Duration `yaml:"deliveries_every"`
	StockEvery      time.Duration `yaml:"stock_every"`
	FullEvery       time.Duration `yaml:"full_every"`
	// OutcomesEvery is how often the branches are told what became of their
	// movements, where something has, and OutcomesFor how long they are told of a
	// session after it was confirmed.
	OutcomesEvery time.Duration `yaml:"outcomes_every"`
	OutcomesFor   time.Duration `yaml:"outcomes_for"`
	// CallsPerSecond bounds the calls to Odoo.
	CallsPerSecond float64 `yaml:"calls_per_second"`
	// BytesPerSecond bounds what is sent to all branches together.
	BytesPerSecond int `yaml:"bytes_per_second"`
	// OldAfter is the age at which a branch's copy is an alarm.
	OldAfter time.Duration `yaml:"old_after"`
}

// DefaultConfig suits some hundred branches.
func DefaultConfig() Config {
	return Config{DeliveriesEvery: 2 * time.Minute, StockEvery: 10 * time.Minute, FullEvery: 24 * time.Hour,
		OutcomesEvery: 2 * time.Second, OutcomesFor: 8 * 24 * time.Hour,
		CallsPerSecond: 5, BytesPerSecond: 2 << 20, OldAfter: 24 * time.Hour}
}

// Validate names the field and its value.
func (c *Config) Validate() error {
	switch {
	case c.DeliveriesEvery < time.Second:
		return fmt.Errorf("deliveries_every: %s is less than 1s", c.DeliveriesEvery)
	case c.StockEvery < time.Second:
		return fmt.Errorf("stock_every: %s is less than 1s", c.StockEvery)
	case c.FullEvery < max(c.StockEvery, c.DeliveriesEvery):
		return fmt.Errorf("full_every: %s is less than deliveries_every or stock_every", c.FullEvery)
	case c.OutcomesEvery < 100*time.Millisecond || c.OutcomesEvery > time.Hour:
		return fmt.Errorf("outcomes_every: %s is not between 100ms and 1h", c.OutcomesEvery)
	case c.OutcomesFor < time.Hour || c.OutcomesFor > 31*24*time.Hour:
		return fmt.Errorf("outcomes_for: %s is not between 1h and 744h", c.OutcomesFor)
	case c.CallsPerSecond <= 0 || c.CallsPerSecond > 1000:
		return fmt.Errorf("calls_per_second: %g is not between 0 and 1000", c.CallsPerSecond)
	case c.BytesPerSecond < 16<<10:
		return fmt.Errorf("bytes_per_second: %d is less than %d", c.BytesPerSecond, 16<<10)
	case c.OldAfter < max(c.StockEvery, c.DeliveriesEvery):
		return fmt.Errorf("old_after: %s is less than deliveries_every or stock_every", c.OldAfter)
	}
	return nil
}
