package odoo

import (
	"context"
	"strings"
	"time"
)

// State is how far a picking has come.
type State string

const (
	Draft     State = "draft"
	Waiting   State = "waiting"
	Confirmed State = "confirmed"
	Assigned  State = "assigned"
	Done      State = "done"
	Cancelled State = "cancel"
)

// Picking is a stock document.
type Picking struct {
	ID     int64
	Name   string
	State  State
	TypeID int64
	FromID int64
	ToID   int64
	Origin string
	// Note is HTML; see [ReadMarker].
	Note        string
	CompanyID   int64
	BackorderOf int64 // the picking it is the backorder of, or 0
	Done        time.Time
	// Changed is when Odoo last wrote the picking itself, by its own clock, to the
	// second: the beginning of that transaction.
	Changed time.Time
}

var pickingFields = []string{"name", "state", "picking_type_id", "location_id", "location_dest_id", "origin", "note", "company_id", "backorder_id", "date_done", "write_date"}

func toPicking(r Record) Picking {
	return Picking{ID: r.ID(), Name: r.String("name"), State: State(r.String("state")), TypeID: r.Int("picking_type_id"), FromID: r.Int("location_id"),
		ToID: r.Int("location_dest_id"), Origin: r.String("origin"), Note: r.String("note"), CompanyID: r.Int("company_id"),
		BackorderOf: r.Int("backorder_id"), Done: r.Time("date_done"), Changed: r.Time("write_date")}
}

// PickingByID reads a picking; false if it does not exist (any more).
func (c *Client) PickingByID(ctx context.Context, id int64) (Picking, bool, error) {
	return c.onePicking(ctx, Domain{Where("id", "=", id)})
}

// PickingByName finds the one picking of a name in a company; false if there is
// none.
func (c *Client) PickingByName(ctx context.Context, companyID int64, name string) (Picking, bool, error) {
	return c.onePicking(ctx, Domain{Where("name", "=", name), Where("company_id", "=", companyID)})
}

func (c *Client) onePicking(ctx context.Context, d Domain) (Picking, bool, error) {
	list, err := c.pickings(ctx, d, 1)
	if err != nil || len(list) == 0 {
		return Picking{}, false, err
	}
	return list[0], true, nil
}

// PickingsNamedLike lists pickings whose name begins with prefix and whose id
// is above afterID, in the order of their ids, at most limit (0: all).
func (c *Client) PickingsNamedLike(ctx context.Context, prefix string, afterID int64, limit int) ([]Picking, error) {
	return c.pickings(ctx, Domain{Where("name", "=like", likeEscape(prefix)+"%"), Where("id", ">", afterID)}, limit)
}

func (c *Client) pickings(ctx context.Context, d Domain, limit int) ([]Picking, error) {
	rows, err := c.SearchRead(ctx, "stock.picking", Query{Domain: d, Fields: pickingFields, Limit: limit})
	if err != nil {
		return nil, err
	}
	out := make([]Picking, len(rows))
	for i, r := range rows {
		out[i] = toPicking(r)
	}
	return out, nil
}

// likeEscape makes a text literal inside a LIKE pattern.
func likeEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// NewPicking are the values of a document to be made.
type NewPicking struct {
	// Name is the idempotency key. Odoo refuses a second picking of the same
	// name and company with a Data fault.
	Name         string
	TypeID       int64
	FromID, ToID int64
	Origin       string
	// Note is HTML; see [Marker].
	Note string
}

// CreatePicking makes a draft. After a Data fault or an [Unknown] error, look
// with [Client.PickingByName] and go on from the state found.
func (c *Client) CreatePicking(ctx context.Context, p NewPicking) (int64, error) {
	ids, err := c.Create(ctx, "stock.picking", pickingValues(p))
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

func pickingValues(p NewPicking) map[string]any {
	values := map[string]any{"name": p.Name, "picking_type_id": p.TypeID, "location_id": p.FromID, "location_dest_id": p.ToID}
	if p.Origin != "" {
		values["origin"] = p.Origin
	}
	if p.Note != "" {
		values["note"] = p.Note
	}
	return values
}

// NewMove is one product and lot of a document to be made.
type NewMove struct {
	ProductID int64
	// LotID is 0 for a product that is not tracked, or with LotName.
	LotID int64
	// LotName makes Odoo find or make the lot, in documents of an incoming type;
	// [Client.EnsureLot] and LotID are the better way, see [ReceiptLine].
	LotName  string
	Expires  time.Time
	Quantity float64
	// UoMID is the unit of Quantity; 0 means the product's own.
	UoMID int64
}

// setLot puts a lot into the values of a move line.
func setLot(line map[string]any, has Fields, id int64, name string, expires time.Time) {
	switch {
	case id != 0:
		line["lot_id"] = id
	case name != "":
		line["lot_name"] = name
		if !expires.IsZero() && has.Has("expiration_date") {
			line["expiration_date"] = Moment(expires)
		}
	}
}

// CreateMoves adds moves to a picking, each with its one line, in one call: all
// or none. After an [Unknown] error read [Client.Lines] before repeating.
func (c *Client) CreateMoves(ctx context.Context, p Picking, moves []NewMove) error {
	if len(moves) == 0 {
		return nil
	}
	values, err := c.moveValues(ctx, p, moves)
	if err != nil {
		return err
	}
	_, err = c.Create(ctx, "stock.move", values...)
	return err
}

// moveValues are the values of moves with a line each; a p without an ID stands
// for a picking that is made together with them.
func (c *Client) moveValues(ctx context.Context, p Picking, moves []NewMove) ([]map[string]any, error) {
	has, err := c.Fields(ctx, "stock.move")
	if err != nil {
		return nil, err
	}
	lineHas, err := c.Fields(ctx, "stock.move.line")
	if err != nil {
		return nil, err
	}
	values := make([]map[string]any, len(moves))
	for i, m := range moves {
		line := map[string]any{"product_id": m.ProductID, "quantity": m.Quantity, "picked": true,
			"location_id": p.FromID, "location_dest_id": p.ToID}
		move := map[string]any{"product_id": m.ProductID, "product_uom_qty": m.Quantity, "picked": true,
			"location_id": p.FromID, "location_dest_id": p.ToID, "move_line_ids": []any{linkNew(line)}}
		if p.ID != 0 {
			line["picking_id"], move["picking_id"] = p.ID, p.ID
		}
		setLot(line, lineHas, m.LotID, m.LotName, m.Expires)
		if m.UoMID != 0 {
			line["product_uom_id"] = m.UoMID
			move["product_uom"] = m.UoMID
		}
		if has.Has("name") { // gone in 19
			move["name"] = p.Name
		}
		values[i] = move
	}
	return values, nil
}

// Line is a move line: what a document moves, or has moved, of one lot.
type Line struct {
	ID        int64
	MoveID    int64
	ProductID int64
	LotID     int64
	// LotName is the lot's name, also of one that Odoo has yet to make.
	LotName  string
	Quantity float64
	UoMID    int64
	Picked   bool
	Expires  time.Time
	FromID   int64
	ToID     int64
	State    State
}

// Lines reads the move lines of a picking, in the order of their ids.
func (c *Client) Lines(ctx context.Context, pickingID int64) ([]Line, error) {
	return c.lines(ctx, Domain{Where("picking_id", "=", pickingID)})
}

func (c *Client) lines(ctx context.Context, d Domain) ([]Line, error) {
	has, err := c.Fields(ctx, "stock.move.line")
	if err != nil {
		return nil, err
	}
	want := []string{"move_id", "product_id", "lot_id", "lot_name", "quantity", "product_uom_id", "picked", "location_id", "location_dest_id", "state"}
	if has.Has("expiration_date") {
		want = append(want, "expiration_date")
	}
	rows, err := c.SearchRead(ctx, "stock.move.line", Query{Domain: d, Fields: want})
	if err != nil {
		return nil, err
	}
	out := make([]Line, len(rows))
	for i, r := range rows {
		lot := r.Ref("lot_id")
		out[i] = Line{ID: r.ID(), MoveID: r.Int("move_id"), ProductID: r.Int("product_id"), LotID: lot.ID, LotName: r.String("lot_name"),
			Quantity: r.Float("quantity"), UoMID: r.Int("product_uom_id"), Picked: r.Bool("picked"), Expires: r.Time("expiration_date"),
			FromID: r.Int("location_id"), ToID: r.Int("location_dest_id"), State: State(r.String("state"))}
		if lot.ID != 0 {
			out[i].LotName = lot.Name
		}
	}
	return out, nil
}

// DeletePicking deletes a draft that has no moves yet. With moves, Odoo allows
// it to an inventory administrator only: see [Client.WithdrawPicking].
func (c *Client) DeletePicking(ctx context.Context, id int64) error {
	return c.Unlink(ctx, "stock.picking", []int64{id})
}

// SetDates gives a done document and its moves the moment at which the goods
// really moved. It may be repeated.
func (c *Client) SetDates(ctx context.Context, pickingID int64, at time.Time) error {
	if err := c.Write(ctx, "stock.picking", []int64{pickingID}, map[string]any{"date_done": Moment(at)}); err != nil {
		return err
	}
	for _, model := range []string{"stock.move", "stock.move.line"} {
		rows, err := c.SearchRead(ctx, model, Query{Domain: Domain{Where("picking_id", "=", pickingID)}, Fields: []string{"id"}})
		if err != nil {
			return err
		}
		ids := make([]int64, len(rows))
		for i, r := range rows {
			ids[i] = r.ID()
		}
		if len(ids) == 0 {
			continue
		}
		if err := c.Write(ctx, model, ids, map[string]any{"date": Moment(at)}); err != nil {
			return err
		}
	}
	return nil
}
