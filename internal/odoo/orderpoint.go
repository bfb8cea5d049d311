package odoo

import (
	"context"
	"time"
)

// OrderPoint is a reordering rule: how much of a product is to be at a place.
type OrderPoint struct {
	ID          int64
	Name        string
	ProductID   int64
	WarehouseID int64
	// LocationID is the place whose stock it is about, with all below it. Odoo keeps
	// at most one rule, archived ones included, for a product, place and company.
	LocationID int64
	CompanyID  int64
	// Min is what the stock should not fall below, Max what it is brought up to, both
	// in the product's own unit.
	Min, Max float64
	// Auto tells that Odoo's scheduler replenishes by it; otherwise a person does.
	Auto bool
	// Active is false for an archived rule, by which nothing is replenished.
	Active bool
}

// OrderPoints reads all reordering rules, archived ones included, or only those that
// were changed at or after since; see [Client.Products] for since. One that was
// deleted is only missed among all.
func (c *Client) OrderPoints(ctx context.Context, since time.Time) ([]OrderPoint, error) {
	var d Domain
	if !since.IsZero() {
		d = Domain{Where("write_date", ">=", Moment(since))}
	}
	rows, err := c.SearchRead(ctx, "stock.warehouse.orderpoint", Query{Domain: d, Archived: true,
		Fields: []string{"name", "product_id", "warehouse_id", "location_id", "company_id", "product_min_qty", "product_max_qty", "trigger", "active"}})
	if err != nil {
		return nil, err
	}
	out := make([]OrderPoint, len(rows))
	for i, r := range rows {
		out[i] = OrderPoint{ID: r.ID(), Name: r.String("name"), ProductID: r.Int("product_id"), WarehouseID: r.Int("warehouse_id"), LocationID: r.Int("location_id"),
			CompanyID: r.Int("company_id"), Min: r.Float("product_min_qty"), Max: r.Float("product_max_qty"), Auto: r.String("trigger") == "auto", Active: r.Bool("active")}
	}
	return out, nil
}
