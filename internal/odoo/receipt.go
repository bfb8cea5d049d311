package odoo

import (
	"context"
	"slices"
	"time"
)

// Receipt is a delivery that a branch expects: a picking of its incoming type
// that is ready.
type Receipt struct {
	ID   int64
	Name string
	// Origin is the document it comes from, usually the purchase order's number.
	Origin      string
	Partner     Ref
	Scheduled   time.Time
	FromID      int64
	ToID        int64
	CompanyID   int64
	BackorderOf int64
	// Note is HTML that people may have written; see [Marker.With].
	Note  string
	Moves []ReceiptMove
}

// ReceiptMove is one product of an expected delivery.
type ReceiptMove struct {
	ID        int64
	ProductID int64
	// Ordered is the quantity still expected, in UoM.
	Ordered      float64
	UoM          Ref
	FromID, ToID int64
	// Lines are the move lines that Odoo has prepared; they are replaced.
	Lines []int64
	// OrderLine is the line of the purchase order it stems from, 0 if none.
	OrderLine int64
}

// OpenReceipts reads what a branch expects, in the order of ids. Receipts that
// wait for something else are not among them.
func (c *Client) OpenReceipts(ctx context.Context, w Warehouse) ([]Receipt, error) {
	return c.receipts(ctx, Domain{Where("picking_type_id", "=", w.InTypeID), Where("state", "=", string(Assigned))})
}

// ReceiptByID reads one expected delivery; false if it is no longer expected
// (done, cancelled, gone).
func (c *Client) ReceiptByID(ctx context.Context, id int64) (Receipt, bool, error) {
	list, err := c.receipts(ctx, Domain{Where("id", "=", id), Where("state", "=", string(Assigned))})
	if err != nil || len(list) == 0 {
		return Receipt{}, false, err
	}
	return list[0], true, nil
}

func (c *Client) receipts(ctx context.Context, d Domain) ([]Receipt, error) {
	rows, err := c.SearchRead(ctx, "stock.picking", Query{Domain: d, Fields: []string{"name", "origin", "partner_id", "scheduled_date",
		"location_id", "location_dest_id", "company_id", "backorder_id", "note"}})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	out := make([]Receipt, len(rows))
	at := make(map[int64]int, len(rows))
	ids := make([]int64, len(rows))
	for i, r := range rows {
		out[i] = Receipt{ID: r.ID(), Name: r.String("name"), Origin: r.String("origin"), Partner: r.Ref("partner_id"), Scheduled: r.Time("scheduled_date"),
			FromID: r.Int("location_id"), ToID: r.Int("location_dest_id"), CompanyID: r.Int("company_id"), BackorderOf: r.Int("backorder_id"), Note: r.String("note")}
		at[r.ID()], ids[i] = i, r.ID()
	}
	has, err := c.Fields(ctx, "stock.move")
	if err != nil {
		return nil, err
	}
	want := []string{"picking_id", "product_id", "product_uom_qty", "product_uom", "location_id", "location_dest_id", "move_line_ids"}
	if has.Has("purchase_line_id") { // module purchase_stock
		want = append(want, "purchase_line_id")
	}
	for part := range slices.Chunk(ids, pageSize) {
		moves, err := c.SearchRead(ctx, "stock.move", Query{Fields: want, Domain: Domain{
			Where("picking_id", "in", part), Where("state", "not in", []string{string(Done), string(Cancelled)})}})
		if err != nil {
			return nil, err
		}
		for _, m := range moves {
			i, ok := at[m.Int("picking_id")]
			if !ok {
				continue
			}
			out[i].Moves = append(out[i].Moves, ReceiptMove{ID: m.ID(), ProductID: m.Int("product_id"), Ordered: m.Float("product_uom_qty"),
				UoM: m.Ref("product_uom"), FromID: m.Int("location_id"), ToID: m.Int("location_dest_id"), Lines: m.IDs("move_line_ids"),
				OrderLine: m.Int("purchase_line_id")})
		}
	}
	return out, nil
}

// ReceiptLine is what arrived of one move and lot.
type ReceiptLine struct {
	// MoveID is 0 for goods that were not ordered.
	MoveID    int64
	ProductID int64
	// LotID or LotName is set for a product that is tracked. LotID, of a lot from
	// [Client.EnsureLot], is the better way. By its name, Odoo finds the lot or
	// makes it when the receipt is validated, and
	//   - two receipts that are validated at once make it twice;
	//   - a lot made without Expires expires on the scheduled day of the receipt,
	//     if the product has expiry;
	//   - from 19 on, a known lot without Expires is taken for expired, and a
	//     dialog asks. So does one by LotID that has no expiry.
	LotID   int64
	LotName string
	// Expires goes with LotName. Odoo keeps the expiry of a lot that it knows,
	// without a word, so compare first.
	Expires  time.Time
	Quantity float64
	// UoMID is the unit of Quantity; 0 means the move's.
	UoMID        int64
	FromID, ToID int64
}

// WriteReceipt replaces the lines of an expected delivery by what arrived, and
// its note, in one call: all or none. Goods that were not ordered, in a line
// without a move, need the right to change purchase orders from 19 on; for
// another user the validation then fails with a Setup fault. Repeating it with the lines that were
// found before would add to them: after an [Unknown] error read
// [Client.PickingByID] and [Client.Lines] first, and never write to a picking
// that is done.
func (c *Client) WriteReceipt(ctx context.Context, pickingID int64, replace []int64, lines []ReceiptLine, note string) error {
	has, err := c.Fields(ctx, "stock.move.line")
	if err != nil {
		return err
	}
	commands := make([]any, 0, len(replace)+len(lines))
	for _, id := range replace {
		commands = append(commands, linkDelete(id))
	}
	for _, l := range lines {
		values := map[string]any{"picking_id": pickingID, "product_id": l.ProductID, "quantity": l.Quantity, "picked": true,
			"location_id": l.FromID, "location_dest_id": l.ToID}
		if l.MoveID != 0 {
			values["move_id"] = l.MoveID
		}
		setLot(values, has, l.LotID, l.LotName, l.Expires)
		if l.UoMID != 0 {
			values["product_uom_id"] = l.UoMID
		}
		commands = append(commands, linkNew(values))
	}
	values := map[string]any{"move_line_ids": commands}
	if note != "" {
		values["note"] = note
	}
	return c.Write(ctx, "stock.picking", []int64{pickingID}, values)
}
