package app

import (
	"branchline/hub/room"
	"branchline/internal/odoo"
)

// refill joins what the replenishment signals are made of: the catalogue's rules, the
// feed's stock, and the planner's meaning of codes.
func (a *App) refill() *room.Refill {
	warehouses := map[string]string{}
	for _, b := range a.cfg.Branches {
		warehouses[b.Code] = b.Warehouse
	}
	r := &room.Refill{Days: a.cfg.Replenishment.ExpiringDays, OnHand: a.feed.OnHand, Meant: a.planner.Meant,
		Rules: func(branch string) (rules []odoo.OrderPoint, stock int64, why string) {
			w, _, ok := a.catalogue.Site(warehouses[branch])
			if !ok {
				return nil, 0, "the hub knows no warehouse " + warehouses[branch] + " in Odoo"
			}
			rules, why = a.catalogue.OrderPoints(w.ID)
			return rules, w.StockID, why
		}}
	if a.orders != nil {
		r.Order = a.orders.Replenish
	}
	return r
}
