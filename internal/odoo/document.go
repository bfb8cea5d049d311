package odoo

import (
	"context"
	"fmt"
	"strings"
)

// CreateDocument makes a draft with all its moves in one call: whole or not at
// all. Odoo allows a name once in a company, and a second call of the same name
// waits for the first one's transaction, so that repeating it can never double
// anything, not even while an earlier call is still at work in Odoo. After a
// Data fault or an [Unknown] error, look with [Client.PickingByName] and go on
// from the state found.
//
// Odoo does not show lines made this way on the picking, nor look at their
// expiry, until [Client.ShowLines] has been called.
func (c *Client) CreateDocument(ctx context.Context, p NewPicking, moves []NewMove) (int64, error) {
	made, err := c.moveValues(ctx, Picking{Name: p.Name, FromID: p.FromID, ToID: p.ToID}, moves)
	if err != nil {
		return 0, err
	}
	values := pickingValues(p)
	commands := make([]any, len(made))
	for i, m := range made {
		commands[i] = linkNew(m)
	}
	values["move_ids"] = commands
	ids, err := c.Create(ctx, "stock.picking", values)
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// DocumentLines reads the lines of all moves of a picking, in the order of their
// ids, also those that the picking does not show.
func (c *Client) DocumentLines(ctx context.Context, pickingID int64) ([]Line, error) {
	return c.lines(ctx, Domain{Where("move_id.picking_id", "=", pickingID)})
}

// ShowLines makes lines of a picking's moves appear on the picking itself. It
// may be repeated.
func (c *Client) ShowLines(ctx context.Context, pickingID int64, lines []Line) error {
	ids := make([]int64, len(lines))
	for i, l := range lines {
		ids[i] = l.ID
	}
	if len(ids) == 0 {
		return nil
	}
	return c.Write(ctx, "stock.move.line", ids, map[string]any{"picking_id": pickingID})
}

// ResetReceipt gives an expected delivery the lines that Odoo itself prepares,
// one a move without a lot and not picked, in place of lines that were written
// and not validated. A receipt without any lines is prepared so, too, since
// [Client.WriteReceipt] is only safe to repeat when it replaces something.
// Repeated with the same lines it is a Data fault: they are gone.
func (c *Client) ResetReceipt(ctx context.Context, r Receipt, lines []Line, note string) error {
	commands := make([]any, 0, len(lines)+len(r.Moves))
	for _, l := range lines {
		commands = append(commands, linkDelete(l.ID))
	}
	moves := make([]int64, len(r.Moves))
	for i, m := range r.Moves {
		moves[i] = m.ID
		commands = append(commands, linkNew(map[string]any{"move_id": m.ID, "picking_id": r.ID, "product_id": m.ProductID, "quantity": m.Ordered,
			"product_uom_id": m.UoM.ID, "picked": false, "location_id": m.FromID, "location_dest_id": m.ToID}))
	}
	if err := c.Write(ctx, "stock.picking", []int64{r.ID}, map[string]any{"move_line_ids": commands, "note": note}); err != nil {
		return err
	}
	return c.Write(ctx, "stock.move", moves, map[string]any{"picked": false})
}

// WithdrawPicking cancels a document that is not done and gives it another
// name, so that the name is free again. It does not delete: only
// administrators may delete moves. Odoo refuses it for a document that is done.
// It may be repeated.
func (c *Client) WithdrawPicking(ctx context.Context, p Picking) error {
	if p.State != Cancelled {
		if _, err := c.Call(ctx, "stock.picking", "action_cancel", Args{IDs: []int64{p.ID}}); err != nil {
			return err
		}
	}
	suffix := fmt.Sprintf("/X%d", p.ID)
	if strings.HasSuffix(p.Name, suffix) {
		return nil
	}
	return c.Write(ctx, "stock.picking", []int64{p.ID}, map[string]any{"name": p.Name + suffix})
}

// Withdrawn tells that a document was withdrawn by [Client.WithdrawPicking].
func (p Picking) Withdrawn() bool {
	return p.State == Cancelled && strings.HasSuffix(p.Name, fmt.Sprintf("/X%d", p.ID))
}
