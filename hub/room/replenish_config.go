package room

import "branchline/internal/conf"

// ReplenishmentConfig belongs to hub.yaml under replenishment.
type ReplenishmentConfig struct {
	// ExpiringDays is how many days ahead an expiry is soon.
	ExpiringDays int `yaml:"expiring_days"`
}

// DefaultReplenishmentConfig looks three months ahead.
func DefaultReplenishmentConfig() ReplenishmentConfig { return ReplenishmentConfig{ExpiringDays: 90} }

// Validate names the setting and its value.
func (c *ReplenishmentConfig) Validate() error {
	if c.ExpiringDays < 0 || c.ExpiringDays > 3660 {
		return conf.Bad("expiring_days", c.ExpiringDays, "must be 0 to 3660")
	}
	return nil
}
