package odoo

import (
	"context"
	"slices"
	"time"
)

// Expected is an open incoming document of any branch, ready or not.
type Expected struct {
	ID     int64
	Name   string
	TypeID int64
	// Origin is the document it stems from, usually the purchase order's number.
	Origin    string
	Partner   Ref
	Scheduled time.Time
	State     State
	// Changed is when Odoo last wrote it; what happens to its moves alone does
	// not show there, see [Client.ExpectedChanged].
	Changed time.Time
}

// open is the states in which goods are expected.
var open = []string{string(Waiting), string(Confirmed), string(Assigned)}

// Expected reads the open documents of some operation types, in the order of
// their ids.
func (c *Client) Expected(ctx context.Context, typeIDs []int64) ([]Expected, error) {
	if len(typeIDs) == 0 {
		return nil, nil
	}
	rows, err := c.SearchRead(ctx, "stock.picking", Query{
		Domain: Domain{Where("picking_type_id", "in", typeIDs), Where("state", "in", open)},
		Fields: []string{"name", "picking_type_id", "origin", "partner_id", "scheduled_date", "state", "write_date"}})
	if err != nil {
		return nil, err
	}
	out := make([]Expected, len(rows))
	for i, r := range rows {
		out[i] = Expected{ID: r.ID(), Name: r.String("name"), TypeID: r.Int("picking_type_id"), Origin: r.String("origin"), Partner: r.Ref("partner_id"),
			Scheduled: r.Time("scheduled_date"), State: State(r.String("state")), Changed: r.Time("write_date")}
	}
	return out, nil
}

// ExpectedChanged gives the documents of some operation types of which moves
// were changed at or after since; see [Client.Products] for since.
func (c *Client) ExpectedChanged(ctx context.Context, typeIDs []int64, since time.Time) ([]int64, error) {
	rows, err := c.SearchRead(ctx, "stock.move", Query{Fields: []string{"picking_id"}, Domain: Domain{
		Where("picking_id.picking_type_id", "in", typeIDs), Where("write_date", ">=", Moment(since))}})
	if err != nil {
		return nil, err
	}
	ids := make([]int64, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.Int("picking_id"))
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// ExpectedMove is one product of an open document.
type ExpectedMove struct {
	ID, PickingID int64
	// Product is named as people see it.
	Product Ref
	// Quantity is still expected, in UoM.
	Quantity float64
	UoM      Ref
	// OrderLine is the line of the purchase order it stems from, 0 if none.
	OrderLine int64
}

// ExpectedMoves reads the open moves of some documents, in the order of their
// ids.
func (c *Client) ExpectedMoves(ctx context.Context, pickingIDs []int64) ([]ExpectedMove, error) {
	has, err := c.Fields(ctx, "stock.move")
	if err != nil {
		return nil, err
	}
	want := []string{"picking_id", "product_id", "product_uom_qty", "product_uom"}
	if has.Has("purchase_line_id") { // module purchase_stock
		want = append(want, "purchase_line_id")
	}
	var out []ExpectedMove
	for part := range slices.Chunk(pickingIDs, pageSize) {
		rows, err := c.SearchRead(ctx, "stock.move", Query{Fields: want, Domain: Domain{
			Where("picking_id", "in", part), Where("state", "not in", []string{string(Done), string(Cancelled)})}})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out = append(out, ExpectedMove{ID: r.ID(), PickingID: r.Int("picking_id"), Product: r.Ref("product_id"),
				Quantity: r.Float("product_uom_qty"), UoM: r.Ref("product_uom"), OrderLine: r.Int("purchase_line_id")})
		}
	}
	return out, nil
}

// OrderLine is a line of a purchase order. There is no price in it.
type OrderLine struct {
	ID int64
	// Order is the purchase order, Reference the seller's own number for it.
	Order     Ref
	Reference string
	// Received is what has come of it, in UoM.
	Received float64
	UoM      Ref
}

// OrderLines reads some lines of purchase orders; those that do not exist are
// left out.
func (c *Client) OrderLines(ctx context.Context, ids []int64) ([]OrderLine, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	has, err := c.Fields(ctx, "purchase.order.line")
	if err != nil {
		return nil, err
	}
	unit := "product_uom"
	if has.Has("product_uom_id") { // from 19 on
		unit = "product_uom_id"
	}
	var out []OrderLine
	orders := map[int64]bool{}
	for part := range slices.Chunk(ids, pageSize) {
		rows, err := c.SearchRead(ctx, "purchase.order.line", Query{Domain: Domain{Where("id", "in", part)},
			Fields: []string{"order_id", "qty_received", unit}})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out = append(out, OrderLine{ID: r.ID(), Order: r.Ref("order_id"), Received: r.Float("qty_received"), UoM: r.Ref(unit)})
			orders[r.Int("order_id")] = true
		}
	}
	var orderIDs []int64
	for id := range orders {
		orderIDs = append(orderIDs, id)
	}
	slices.Sort(orderIDs)
	references := map[int64]string{}
	for part := range slices.Chunk(orderIDs, pageSize) {
		rows, err := c.SearchRead(ctx, "purchase.order", Query{Domain: Domain{Where("id", "in", part)}, Fields: []string{"partner_ref"}})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			references[r.ID()] = r.String("partner_ref")
		}
	}
	for i := range out {
		out[i].Reference = references[out[i].Order.ID]
	}
	return out, nil
}

// MovedLine is a line that has moved stock.
type MovedLine struct {
	ID        int64
	ProductID int64
	FromID    int64
	ToID      int64
	Changed   time.Time
}

// MovedSince reads the lines that moved stock and were changed at or after since,
// in the order of their ids; see [Client.Products] for since. Stock that
// vanishes leaves nothing behind that could be asked for: these lines tell of it.
func (c *Client) MovedSince(ctx context.Context, since time.Time) ([]MovedLine, error) {
	rows, err := c.SearchRead(ctx, "stock.move.line", Query{
		Domain: Domain{Where("write_date", ">=", Moment(since)), Where("move_id.state", "=", string(Done))},
		Fields: []string{"product_id", "location_id", "location_dest_id", "write_date"}})
	if err != nil {
		return nil, err
	}
	out := make([]MovedLine, len(rows))
	for i, r := range rows {
		out[i] = MovedLine{ID: r.ID(), ProductID: r.Int("product_id"), FromID: r.Int("location_id"), ToID: r.Int("location_dest_id"), Changed: r.Time("write_date")}
	}
	return out, nil
}

// LocationsUnder gives, for each location at or below one of some roots, that
// root; the nearest where one root lies below another.
func (c *Client) LocationsUnder(ctx context.Context, roots []int64) (map[int64]int64, error) {
	under := map[int64]int64{}
	if len(roots) == 0 {
		return under, nil
	}
	rows, err := c.SearchRead(ctx, "stock.location", Query{Domain: Domain{Or, Where("id", "in", roots), Where("location_id", "child_of", roots)},
		Fields: []string{"location_id"}, Archived: true})
	if err != nil {
		return nil, err
	}
	parent := map[int64]int64{}
	for _, r := range rows {
		parent[r.ID()] = r.Int("location_id")
	}
	for id := range parent {
		at := id
		for range len(parent) + 1 {
			if slices.Contains(roots, at) {
				under[id] = at
				break
			}
			at = parent[at]
		}
	}
	return under, nil
}
