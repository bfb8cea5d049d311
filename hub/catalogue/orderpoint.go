package catalogue

import (
	"slices"

	"branchline/internal/odoo"
)

// OrderPoints gives the reordering rules of a warehouse that are not archived, in the
// order of their ids. why says why they are not known, or not as they are now; empty
// where they are.
func (c *Catalogue) OrderPoints(warehouseID int64) (rules []odoo.OrderPoint, why string) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if why = c.data.NoOrderPoints; c.data.OrderPoints == nil {
		why = "the hub has not read Odoo's reordering rules yet"
	}
	return slices.Clone(c.index.rules[warehouseID]), why
}
