package room

import "branchline/internal/conf"

// ReplenishmentConfig belongs to hub.yaml under replenishment.
type ReplenishmentConfig struct {
	// ExpiringDays is how many days ahead an expiry is soon.
	ExpiringDays int `yaml:"expiring_days"`
	// Order is by whom Odoo is asked to order.
	Order OrderConfig `yaml:"order"`
}

// OrderConfig is an Odoo user by whom Odoo is asked to replenish. It wants more rights
// there than the hub's own user, and is used for nothing else.
type OrderConfig struct {
	// User is empty where nobody orders from the control room.
	User string `yaml:"user"`
	// KeyFile holds the user's API key, alone in the file.
	KeyFile conf.Secret `yaml:"key_file"`
}

// DefaultReplenishmentConfig looks three months ahead.
func DefaultReplenishmentConfig() ReplenishmentConfig { return ReplenishmentConfig{ExpiringDays: 90} }

// Validate names the setting and its value.
func (c *ReplenishmentConfig) Validate() error {
	if c.ExpiringDays < 0 || c.ExpiringDays > 3660 {
		return conf.Bad("expiring_days", c.ExpiringDays, "must be 0 to 3660")
	}
	if (c.Order.User == "") != c.Order.KeyFile.IsZero() {
		return conf.Bad("order", c.Order.User, "wants a user and a key_file, or neither")
	}
	return nil
}
