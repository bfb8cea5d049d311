package odoo

import (
	"context"

	"branchline/internal/fault"
)

// Replenished is what Odoo did when it was asked to replenish by a reordering rule.
type Replenished struct {
	// Wanted is what by Odoo's own forecast was missing before, Left what still is, in
	// the product's unit. Wanted is 0 where Odoo's forecast reaches the minimum: what is
	// ordered already counts there, drafts included.
	Wanted, Left float64
	// Order is what Odoo calls the order that it made or added to; empty where it tells
	// none.
	Order string
}

// Replenish has Odoo replenish by one rule, as the button Order does in its list of
// replenishments: Odoo chooses the way, such as a draft of a purchase order or a
// transfer from another warehouse. To ask again orders nothing twice, neither later nor
// at once, because Odoo counts what it has ordered; so it may be repeated after an
// unknown outcome. It wants the group Inventory / Administrator: Inventory / User, also
// together with Purchase / User, is refused as [CodeRight] (measured on 17 and 19). Of
// several rules in one call, one without a vendor keeps all of them from being ordered,
// which is why it takes one. A rule that is gone, or by which Odoo cannot order, is a
// fault of class Data, with Odoo's words.
func (c *Client) Replenish(ctx context.Context, ruleID int64) (r Replenished, err error) {
	wanted, found, err := c.toOrder(ctx, ruleID)
	if err != nil {
		return r, err
	}
	if !found {
		return r, fault.New(fault.Data, CodeRefused, "Odoo no longer has the reordering rule").WithHint("the rules are read anew every few minutes: look again then")
	}
	if r.Wanted = max(wanted, 0); r.Wanted == 0 {
		return r, nil
	}
	said, err := c.Call(ctx, "stock.warehouse.orderpoint", "action_replenish", Args{IDs: []int64{ruleID}})
	if err != nil {
		return r, err
	}
	r.Order = orderNamed(said)
	// A rule that Odoo made by itself is gone when nothing is missing any more.
	left, _, err := c.toOrder(ctx, ruleID)
	r.Left = max(left, 0)
	return r, err
}

func (c *Client) toOrder(ctx context.Context, ruleID int64) (quantity float64, found bool, err error) {
	rows, err := c.SearchRead(ctx, "stock.warehouse.orderpoint", Query{Domain: Domain{Where("id", "=", ruleID)}, Fields: []string{"qty_to_order"}})
	if err != nil || len(rows) == 0 {
		return 0, false, err
	}
	return rows[0].Float("qty_to_order"), true, nil
}

// orderNamed finds the order's name in the notification that Odoo would show, which has
// it as the label of its first link.
func orderNamed(said any) string {
	answer, _ := said.(map[string]any)
	params, _ := answer["params"].(map[string]any)
	links, _ := params["links"].([]any)
	if len(links) == 0 {
		return ""
	}
	link, _ := links[0].(map[string]any)
	return clip(String(link["label"]), 100)
}
