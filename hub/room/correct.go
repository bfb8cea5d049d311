package room

import (
	"context"
	"slices"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/fault"
	"branchline/internal/movement"
	"branchline/internal/productcode"
)

// Correction is what a person says that a movement should have been.
type Correction struct {
	Movement string `json:"movement"`
	// Shown is the reason that the person saw, empty for whatever it is.
	Shown string `json:"shown,omitempty"`
	// Fields are those of [CorrectFields] that are given, as text; what is the same
	// already is left as it is.
	Fields map[string]string `json:"fields"`
	Who    string            `json:"who"`
	Why    string            `json:"why"`
	// Again says that it is another row than the one that stood in the same line of
	// a file of the same name and was corrected before.
	Again bool `json:"again,omitempty"`
	// MayApprove says that who has the approver's right, which a substitution needs.
	MayApprove bool `json:"-"`
}

// CodeNeedsApprover is of what an operator may not say alone.
const CodeNeedsApprover = "needs_approver"

// Substitute is what [Parts.SecondPerson] calls another product in the place of
// the one that a movement names.
const Substitute = "substitute"

// CorrectFields are the fields that can be corrected. An expiry is a date as
// 2028-05-31; a unit is empty for the product's own.
var CorrectFields = []string{"scheme", "code", "lot", "expiry", "serial", "quantity", "unit", "document_type", "document_ref"}

// Correct says what a movement that waits for a person should have been; it goes
// on as that, under its own name, and its record stays as it came. Another product
// in the place of one that was read is for an approver to say, and for a second
// one to confirm where the configuration says so. Faults are those of
// [ledger.Ledger.Correct], and of class Data for a field that cannot be read,
// "bad_field", and for a substitution by who may not, "needs_approver".
func (m *Room) Correct(ctx context.Context, c Correction) (done Decided, err error) {
	done.Of = 1
	name, err := movement.ParseID(c.Movement)
	if err != nil {
		return done, fault.New(fault.Data, "unknown_movement", "%w", err)
	}
	t, err := m.Trace(ctx, name)
	if err != nil {
		return done, err
	}
	is := t.is()
	to, err := c.to(is)
	if err != nil {
		return done, err
	}
	correcting := ledger.Correcting{Movement: t.Movement.ID, To: to, Shown: c.Shown, Again: c.Again, Who: c.Who, Why: c.Why, At: time.Now()}
	if to.Product != nil && is.Product.Code != "" {
		if !c.MayApprove {
			return done, fault.New(fault.Data, CodeNeedsApprover, "%s %s stays as it was read: another product in its place is for an approver to say", is.Product.Scheme, is.Product.Code).
				WithHint("ask an approver; what else is wrong you can correct")
		}
		if slices.Contains(m.SecondPerson, Substitute) {
			done.Proposal, err = m.Ledger.ProposeCorrection(ctx, loginOf(c.Who), correcting)
			return done, err
		}
	}
	if err := m.Ledger.Correct(ctx, correcting); err != nil {
		return done, err
	}
	done.Done = 1
	return done, nil
}

// to reads the fields; is is what the movement is by now.
func (c *Correction) to(is movement.Movement) (to ledger.Correction, err error) {
	text := func(field string) *string {
		v, ok := c.Fields[field]
		if !ok {
			return nil
		}
		v = strings.TrimSpace(v)
		return &v
	}
	or := func(v *string, is string) string {
		if v == nil {
			return is
		}
		return *v
	}
	if scheme, code := text("scheme"), text("code"); scheme != nil || code != nil {
		p := movement.Product{Scheme: movement.Scheme(or(scheme, string(is.Product.Scheme))), Code: or(code, is.Product.Code)}
		if p != is.Product {
			if p, err = productcode.Normal(p); err != nil {
				return to, err
			}
			to.Product = &p
		}
	}
	to.Lot, to.Serial, to.Unit = text("lot"), text("serial"), text("unit")
	if v := text("expiry"); v != nil && *v != is.Expiry.String() {
		var d movement.Date
		if *v != "" {
			if d, err = movement.ParseDate(*v); err != nil {
				return to, badField("expiry", *v, "write the date as 2028-05-31")
			}
		}
		to.Expiry = &d
	}
	if v := text("quantity"); v != nil && *v != is.Quantity.String() {
		q, err := movement.ParseQuantity(*v)
		if err != nil {
			return to, badField("quantity", *v, "write it as 12 or 0.5")
		}
		to.Quantity = &q
	}
	if kind, ref := text("document_type"), text("document_ref"); kind != nil || ref != nil {
		d := movement.Document{Type: or(kind, is.Document.Type), Ref: or(ref, is.Document.Ref)}
		if d.Ref == "" {
			d = movement.Document{}
		}
		to.Document = &d
	}
	return to, nil
}

func badField(field, value, hint string) error {
	return fault.New(fault.Data, "bad_field", "%.60q is no %s", value, field).WithHint(hint)
}
