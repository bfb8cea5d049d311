package odoo

import (
	"context"

	"branchline/internal/fault"
)

// Warehouse is a branch in Odoo.
type Warehouse struct {
	ID        int64
	Code      string
	Name      string
	CompanyID int64
	// StockID is the location where its stock lies (lot_stock_id), ViewID the
	// one above all its locations.
	StockID, ViewID int64
	// The operation types of receipts, deliveries and internal transfers.
	InTypeID, OutTypeID, IntTypeID int64
}

// Warehouses reads all warehouses the user may see.
func (c *Client) Warehouses(ctx context.Context) ([]Warehouse, error) {
	rows, err := c.SearchRead(ctx, "stock.warehouse", Query{Fields: []string{"code", "name", "company_id", "lot_stock_id",
		"view_location_id", "in_type_id", "out_type_id", "int_type_id"}})
	if err != nil {
		return nil, err
	}
	out := make([]Warehouse, len(rows))
	for i, r := range rows {
		out[i] = Warehouse{ID: r.ID(), Code: r.String("code"), Name: r.String("name"), CompanyID: r.Int("company_id"),
			StockID: r.Int("lot_stock_id"), ViewID: r.Int("view_location_id"),
			InTypeID: r.Int("in_type_id"), OutTypeID: r.Int("out_type_id"), IntTypeID: r.Int("int_type_id")}
	}
	return out, nil
}

// Places are a company's locations outside its warehouses.
type Places struct {
	// Customers is where dispensed goods go and returns come from.
	Customers int64
	// Suppliers is where purchased goods come from.
	Suppliers int64
	// Inventory is the counterpart of corrections of stock.
	Inventory int64
	// Scrap is where wasted goods go. A server that has no location of its own
	// for it has the first of its inventory locations here, as its own scrap
	// orders would take.
	Scrap int64
	// Transit lies between the warehouses of the company.
	Transit int64
}

// Places looks up the locations of a company. One that is not found is 0,
// except Customers and Inventory, without which nothing can be posted.
func (c *Client) Places(ctx context.Context, companyID int64) (Places, error) {
	has, err := c.Fields(ctx, "stock.location")
	if err != nil {
		return Places{}, err
	}
	want := []string{"usage", "company_id", "active", "location_id"}
	scrapFlag := has.Has("scrap_location")
	if scrapFlag {
		want = append(want, "scrap_location")
	}
	// The transit location is archived until routes between warehouses are
	// switched on; moves may use it all the same.
	rows, err := c.SearchRead(ctx, "stock.location", Query{Fields: want, Archived: true, Domain: Domain{
		Where("usage", "in", []string{"customer", "supplier", "inventory", "transit"}),
		Where("company_id", "in", []any{companyID, false}),
	}})
	if err != nil {
		return Places{}, err
	}
	var p Places
	var own, lost []int64
	for _, r := range rows {
		id, ofCompany, active := r.ID(), r.Int("company_id") == companyID, r.Bool("active")
		switch usage := r.String("usage"); {
		case usage == "customer" && active:
			p.Customers = better(p.Customers, id)
		case usage == "supplier" && active:
			p.Suppliers = better(p.Suppliers, id)
		case usage == "transit" && ofCompany:
			// A location without a company lies between companies.
			p.Transit = better(p.Transit, id)
		case usage == "inventory" && active && r.Bool("scrap_location"):
			p.Scrap = better(p.Scrap, id)
		case usage == "inventory" && active:
			own = append(own, id)
			if ofCompany {
				lost = append(lost, id)
			}
		}
	}
	if p.Inventory, err = c.inventoryLoss(ctx, companyID); err != nil {
		return Places{}, err
	}
	if len(lost) == 0 {
		lost = own
	}
	if p.Inventory == 0 && len(lost) > 0 {
		p.Inventory = lost[len(lost)-1]
	}
	if p.Scrap == 0 && !scrapFlag && len(lost) > 0 {
		p.Scrap = lost[0]
	}
	if p.Scrap == 0 {
		p.Scrap = p.Inventory
	}
	if p.Customers == 0 || p.Inventory == 0 {
		return p, fault.New(fault.Setup, "odoo_locations", "Odoo's company %d has no customer location or no inventory loss location", companyID).
			WithHint("make them in Odoo, or give the hub's user access to them")
	}
	return p, nil
}

// inventoryLoss is the location that products of the company name for
// corrections, which is what Odoo's own stock count uses.
func (c *Client) inventoryLoss(ctx context.Context, companyID int64) (int64, error) {
	rows, err := c.searchRead(ctx, "product.template", Query{Fields: []string{"property_stock_inventory"}, Limit: 1, Archived: true},
		map[string]any{"allowed_company_ids": []int64{companyID}})
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return rows[0].Int("property_stock_inventory"), nil
}

// better keeps the first: rows come in the order of their ids.
func better(have, id int64) int64 {
	if have != 0 {
		return have
	}
	return id
}
