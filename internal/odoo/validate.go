package odoo

import (
	"context"
	"fmt"

	"branchline/internal/fault"
)

// Confirm says which of Odoo's questions are answered beforehand.
type Confirm struct {
	// Backorder lets a partial document be done with a backorder for the rest.
	Backorder bool
	// Expired lets expired lots move.
	Expired bool
}

// Dialog is a question that Odoo wants a person to answer. Nothing was posted.
type Dialog struct {
	Model string // the wizard's model, such as expiry.picking.confirmation
	Name  string // its title, in the user's language
}

// Codes of refusals that are about the document and nothing in it: it was deleted,
// or cancelled, by somebody in Odoo.
const (
	CodeDeleted   = "picking_gone"
	CodeCancelled = "picking_cancelled"
)

// The dialogs that are known.
const (
	BackorderDialog = "stock.backorder.confirmation"
	ExpiryDialog    = "expiry.picking.confirmation"
)

// Validated is what became of a validation, read back from Odoo.
type Validated struct {
	State State
	// Dialog is what Odoo asks; nil if the document is done.
	Dialog *Dialog
}

// Done tells that the document is posted.
func (v Validated) Done() bool { return v.State == Done }

// Validate posts a document and reads its state back, which alone counts:
// Odoo's answer may also be a report to print after the document was done.
// Without an error, either the document is done or Dialog says what Odoo asks.
// A document that is done already is left alone. After an [Unknown] error look
// with [Client.PickingByID].
func (c *Client) Validate(ctx context.Context, pickingID int64, confirm Confirm) (Validated, error) {
	before, found, err := c.PickingByID(ctx, pickingID)
	switch {
	case err != nil:
		return Validated{}, err
	case !found:
		return Validated{}, fault.New(fault.Data, CodeDeleted, "Odoo has no picking %d any more", pickingID)
	case before.State == Done:
		return Validated{State: Done}, nil
	case before.State == Cancelled:
		return Validated{State: Cancelled}, fault.New(fault.Data, CodeCancelled, "%s was cancelled in Odoo", before.Name)
	}
	kw := map[string]any{}
	if confirm.Backorder {
		kw["skip_backorder"] = true
	}
	if confirm.Expired {
		kw["skip_expired"] = true
	}
	answer, err := c.Call(ctx, "stock.picking", "button_validate", Args{IDs: []int64{pickingID}, Context: kw})
	if err != nil {
		return Validated{}, err
	}
	after, found, err := c.PickingByID(ctx, pickingID)
	if err != nil {
		return Validated{}, lookAgain(err)
	}
	out := Validated{State: after.State}
	if after.State == Done {
		return out, nil
	}
	if action, ok := answer.(map[string]any); ok && found && String(action["res_model"]) != "" {
		out.Dialog = &Dialog{Model: String(action["res_model"]), Name: clip(String(action["name"]), 200)}
		return out, nil
	}
	return out, fault.New(fault.Defect, CodeDefect, "Odoo answered the validation of %s with %s and left it %s", before.Name, shape(answer), after.State)
}

// lookAgain marks a failed read after a call that may have changed something.
func lookAgain(err error) error {
	if e, ok := errorsAs(err); ok {
		e.Outcome = Perhaps
	}
	return err
}

func shape(v any) string {
	switch v := v.(type) {
	case bool, nil:
		return fmt.Sprint(v)
	case map[string]any:
		return "an action of type " + clip(String(v["type"]), 60)
	}
	return fmt.Sprintf("a %T", v)
}
