package plan

import (
	"fmt"
	"time"

	"branchline/internal/movement"
)

// Config is how branches are planned.
type Config struct {
	Settings `yaml:",inline"`
	// Timezone is the branches' IANA zone ("Europe/Berlin"); empty is the
	// hub's own.
	Timezone string `yaml:"timezone"`
	// Branches are those of this hub, with what differs by branch; nil is all
	// branches, each the warehouse whose code it is. A hub that is not told its
	// branches yet has none.
	Branches map[string]BranchConfig `yaml:"branches"`
}

// BranchConfig is what differs at one branch.
type BranchConfig struct {
	// Warehouse is the code of the branch's warehouse in Odoo.
	Warehouse string `yaml:"warehouse"`
	Timezone  string `yaml:"timezone"`
}

// DefaultConfig plans every branch alike.
func DefaultConfig() Config { return Config{Settings: DefaultSettings()} }

// Validate names the field and its value.
func (c *Config) Validate() error {
	if err := c.Settings.Validate(); err != nil {
		return err
	}
	if _, err := zone(c.Timezone); err != nil {
		return fmt.Errorf("timezone: %w", err)
	}
	for code, b := range c.Branches {
		if !movement.ValidBranch(code) {
			return fmt.Errorf("branches: %q cannot name a branch", code)
		}
		if _, err := zone(b.Timezone); err != nil {
			return fmt.Errorf("branches.%s.timezone: %w", code, err)
		}
	}
	return nil
}

func zone(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is no time zone such as Europe/Berlin", name)
	}
	return loc, nil
}

// serves tells whether the branch is this hub's.
func (c *Config) serves(branch string) bool {
	_, named := c.Branches[branch]
	return named || c.Branches == nil
}

// site gives a branch's warehouse code and zone.
func (c *Config) site(branch string) (warehouse string, loc *time.Location) {
	b := c.Branches[branch]
	if warehouse = b.Warehouse; warehouse == "" {
		warehouse = branch
	}
	name := b.Timezone
	if name == "" {
		name = c.Timezone
	}
	loc, err := zone(name)
	if err != nil {
		loc = time.UTC // Validate has refused it
	}
	return warehouse, loc
}
