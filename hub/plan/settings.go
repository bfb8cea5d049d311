package plan

import (
	"fmt"
	"slices"
	"time"

	"branchline/internal/movement"
)

// Settings say when postings are cut and what is let through.
type Settings struct {
	// Every is how long a movement waits at most to be summed with others, for
	// all kinds but receipts.
	Every time.Duration `yaml:"every"`
	// Movements and Lines bound one posting.
	Movements int `yaml:"movements"`
	Lines     int `yaml:"lines"`
	// GroupPatience is how long an incomplete group is waited for. Then what
	// has come of it is posted.
	GroupPatience time.Duration `yaml:"group_patience"`
	// NewLotsOn are the kinds that may make a lot that Odoo does not know.
	NewLotsOn []movement.Kind `yaml:"new_lots_on"`
	// AcceptExpired lets receipts and dispensings of expired lots through.
	AcceptExpired bool `yaml:"accept_expired"`
	// WithoutLot is what becomes of a dispensing without a lot of a product
	// that Odoo tracks by lot: "person" or "earliest", the lot that expires
	// first as Odoo's stock is when it is planned.
	WithoutLot string `yaml:"without_lot"`
	// MissInterval bounds how often unknown codes make the hub ask Odoo.
	MissInterval time.Duration `yaml:"miss_interval"`
	// Recheck is how soon movements that wait for something else than time are
	// looked at again.
	Recheck time.Duration `yaml:"recheck"`
}

// DefaultSettings suit a branch with a few hundred dispensings a day.
func DefaultSettings() Settings {
	return Settings{Every: 5 * time.Minute, Movements: 400, Lines: 200, GroupPatience: 6 * time.Hour,
		NewLotsOn: []movement.Kind{movement.Receipt}, WithoutLot: LotByPerson, MissInterval: 30 * time.Second, Recheck: 5 * time.Second}
}

// Validate names the field and its value.
func (s *Settings) Validate() error {
	switch {
	case s.Every < 0 || s.Every > 24*time.Hour:
		return fmt.Errorf("every: %s is not between 0s and 24h", s.Every)
	case s.Movements < 1 || s.Movements > 5000:
		return fmt.Errorf("movements: %d is not between 1 and 5000", s.Movements)
	case s.Lines < 1 || s.Lines > 1000:
		return fmt.Errorf("lines: %d is not between 1 and 1000", s.Lines)
	case s.GroupPatience < time.Minute:
		return fmt.Errorf("group_patience: %s is less than 1m", s.GroupPatience)
	case s.WithoutLot != LotByPerson && s.WithoutLot != LotByEarliest:
		return fmt.Errorf("without_lot: %q is not person or earliest", s.WithoutLot)
	case s.MissInterval < time.Second:
		return fmt.Errorf("miss_interval: %s is less than 1s", s.MissInterval)
	case s.Recheck < time.Second:
		return fmt.Errorf("recheck: %s is less than 1s", s.Recheck)
	}
	for _, k := range s.NewLotsOn {
		if !slices.Contains(movement.Kinds, k) {
			return fmt.Errorf("new_lots_on: %q is not a kind of movement", k)
		}
	}
	return nil
}
