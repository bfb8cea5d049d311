package odoo

import (
	"context"
	"maps"
	"slices"
	"time"
)

// PickingsByID reads pickings, in the order of their ids; those that do not exist
// (any more) are left out.
func (c *Client) PickingsByID(ctx context.Context, ids []int64) ([]Picking, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return c.pickings(ctx, Domain{Where("id", "in", ids)}, 0)
}

// LinesOf reads the lines of all moves of some pickings, as [Client.DocumentLines]
// does of one, by picking. Pickings without lines are not in it.
func (c *Client) LinesOf(ctx context.Context, pickingIDs []int64) (map[int64][]Line, error) {
	if len(pickingIDs) == 0 {
		return nil, nil
	}
	moves, err := c.SearchRead(ctx, "stock.move", Query{Domain: Domain{Where("picking_id", "in", pickingIDs)}, Fields: []string{"picking_id"}})
	if err != nil {
		return nil, err
	}
	of := make(map[int64]int64, len(moves))
	for _, m := range moves {
		of[m.ID()] = m.Int("picking_id")
	}
	all, err := c.lines(ctx, Domain{Where("move_id.picking_id", "in", pickingIDs)})
	if err != nil {
		return nil, err
	}
	out := map[int64][]Line{}
	for _, l := range all {
		if p := of[l.MoveID]; p != 0 { // 0: the move came between the two calls
			out[p] = append(out[p], l)
		}
	}
	return out, nil
}

// PickingsWritten tells of which pickings lines that are done, from or to a location
// or those below it, were written at or after since, by Odoo's own clock.
func (c *Client) PickingsWritten(ctx context.Context, locationID int64, since time.Time) (map[int64]bool, error) {
	inside, err := c.LocationsUnder(ctx, []int64{locationID})
	if err != nil {
		return nil, err
	}
	places := slices.Sorted(maps.Keys(inside))
	rows, err := c.SearchRead(ctx, "stock.move.line", Query{Fields: []string{"move_id"}, Domain: Domain{Where("write_date", ">=", Moment(since)),
		Where("move_id.state", "=", string(Done)), Or, Where("location_id", "in", places), Where("location_dest_id", "in", places)}})
	if err != nil {
		return nil, err
	}
	of, err := c.pickingsOf(ctx, rows)
	out := map[int64]bool{}
	for _, p := range of {
		if p.ID != 0 {
			out[p.ID] = true
		}
	}
	return out, err
}

// pickingsOf tells the picking of each line's move: the line itself can be without.
func (c *Client) pickingsOf(ctx context.Context, lines []Record) (map[int64]Ref, error) {
	moves := make([]int64, 0, len(lines))
	for _, r := range lines {
		moves = append(moves, r.Int("move_id"))
	}
	slices.Sort(moves)
	rows, err := c.Read(ctx, "stock.move", slices.Compact(moves), "picking_id")
	if err != nil {
		return nil, err
	}
	of := make(map[int64]Ref, len(rows))
	for _, m := range rows {
		of[m.ID()] = m.Ref("picking_id")
	}
	return of, nil
}

// StockMove is a line that is done and that brought stock to a place or took it away.
type StockMove struct {
	ID        int64
	PickingID int64 // 0 for none, as in a stock count
	// Document names the picking, or what Odoo says of the move where there is none.
	Document  string
	ProductID int64
	LotName   string
	// Quantity is in UoMID's unit, negative for what left the place.
	Quantity float64
	UoMID    int64
	// At is the date that it bears, Who the user who last wrote it.
	At  time.Time
	Who string
}

// StockMovesSince reads what was moved into a location and those below it from outside of
// them, or out of them, of some products, and was written at or after since by
// Odoo's own clock, the newest of them at most limit. more tells that there were
// others. Lines that are done are seldom written again, but they can be: some may
// have moved before.
func (c *Client) StockMovesSince(ctx context.Context, locationID int64, productIDs []int64, since time.Time, limit int) (all []StockMove, more bool, err error) {
	if len(productIDs) == 0 {
		return nil, false, nil
	}
	inside, err := c.LocationsUnder(ctx, []int64{locationID})
	if err != nil {
		return nil, false, err
	}
	places := slices.Sorted(maps.Keys(inside))
	rows, err := c.rows(ctx, "stock.move.line", "search_read", Args{Named: map[string]any{
		"domain": Domain{Where("move_id.state", "=", "done"), Where("product_id", "in", productIDs), Where("write_date", ">=", Moment(since)),
			Or, Where("location_id", "in", places), Where("location_dest_id", "in", places)},
		"fields": []string{"move_id", "reference", "product_id", "lot_id", "quantity", "product_uom_id", "date", "write_uid", "location_id", "location_dest_id"},
		"limit":  limit + 1, "order": "id desc",
	}})
	if err != nil {
		return nil, false, err
	}
	if more = len(rows) > limit; more {
		rows = rows[:limit]
	}
	pickings, err := c.pickingsOf(ctx, rows)
	if err != nil {
		return nil, false, err
	}
	for _, r := range rows {
		from, to := inside[r.Int("location_id")] != 0, inside[r.Int("location_dest_id")] != 0
		if from == to {
			continue // from one shelf to another
		}
		picking := pickings[r.Int("move_id")]
		m := StockMove{ID: r.ID(), PickingID: picking.ID, Document: picking.Name, ProductID: r.Int("product_id"), LotName: r.Ref("lot_id").Name,
			Quantity: r.Float("quantity"), UoMID: r.Int("product_uom_id"), At: r.Time("date"), Who: r.Ref("write_uid").Name}
		if m.PickingID == 0 {
			m.Document = r.String("reference")
		}
		if from {
			m.Quantity = -m.Quantity
		}
		all = append(all, m)
	}
	return all, more, nil
}
