package counter

import (
	"context"
	"time"

	"branchline/agent/scan"
	"branchline/internal/movement"
	"branchline/internal/paper"
)

// Forms is what the page asks of the desk to type in printed forms. A form that is
// typed in is a session like others: View, Do, Confirm and Cancel of [Desk] are for
// it, too.
type Forms interface {
	// Forms lists those that are being typed in, the oldest first.
	Forms() []Work
	// OpenForm begins to type a form in, or goes on with it. document is the order
	// or delivery as it stands on a form of goods received; empty for none.
	OpenForm(ctx context.Context, n paper.Number, document string) (id string, a scan.Answer, err error)
	// TypeIn saves one line of it.
	TypeIn(ctx context.Context, id string, l FormLine) (scan.Answer, error)
	// Expected lists the deliveries that can be printed on forms.
	Expected() []paper.Order
}

// FormOld is the code by which [Forms.TypeIn] asks whether the date on a form is
// right.
const FormOld = "form_old"

// FormLine is a line of a printed form as somebody types it in.
type FormLine struct {
	// Line is its number on the form, from 1.
	Line int
	// At is the date and time that stand on the form. Sure says that somebody has
	// looked at it once more; it is asked of what is older than two days.
	At   time.Time
	Sure bool
	// Product is what was chosen by its name. Otherwise Text is the code as it was
	// scanned or typed, and Physical the same as a US keyboard would have it.
	Product        movement.Product
	Text, Physical string
	// Person says that the product is none that can be chosen here: a person at the
	// hub decides what it is, by Text.
	Person bool
	Lot    string
	Expiry movement.Date
	// Quantity is in packs with that code.
	Quantity movement.Quantity
	// By are the initials on the form, TypedBy those of who types it in.
	By, TypedBy string
	// Change puts it in the place of what was typed in of that line before.
	Change bool
}
