// Package counter holds the words that the branch page and the desk share:
// what a person at the counter sees of the goods in hand, and what they can do
// about them. The desk (package receive) gives it, the page shows it; neither
// knows the other.
package counter

import (
	"context"
	"time"

	"branchline/agent/scan"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/paper"
)

// Desk is what the page asks of the desk. All methods are safe for concurrent
// use. An answer comes after the commit; an error means that nothing changed,
// and is worded for the person who reads it.
type Desk interface {
	// Work lists what is open and, for receiving, what is expected: the open
	// first, then the expected by their due dates.
	Work(p scan.Purpose) []Work
	// View is one open session as it stands; a fault of class Data with the
	// code "no_session" when there is none, as after its confirmation.
	View(id string) (View, error)
	// Open begins or joins the session of a document; an empty document opens
	// one without an order. station is where the person stands.
	Open(ctx context.Context, p scan.Purpose, doc movement.Document, station string) (id string, a scan.Answer, err error)
	// OpenTransfer begins a transfer to, or from, another branch, which is among
	// Branches.
	OpenTransfer(ctx context.Context, p scan.Purpose, branch, station string) (id string, a scan.Answer, err error)
	// Branches lists the other branches, by their codes; none where the hub has
	// not sent them.
	Branches() []feed.Branch
	// Do carries out an action on a session.
	Do(ctx context.Context, id string, a Action) (scan.Answer, error)
	// Confirm records all of it as one group of movements, by the person with
	// these initials, and closes the session. It refuses while a question is open.
	Confirm(ctx context.Context, id, by string) (Receipt, error)
	// Cancel throws a session away, with a word why.
	Cancel(ctx context.Context, id, by, why string) error
	// Receipt is what was confirmed, kept for a week; code "no_receipt".
	Receipt(id string) (Receipt, error)
	// Receipts lists what was confirmed lately, the newest first, without the
	// lines.
	Receipts() []Receipt
}

// Work is one line of the list of what there is to do.
type Work struct {
	// ID is the open session's; empty for what is expected and not begun.
	ID       string
	Purpose  scan.Purpose
	Document movement.Document
	// Form is the number of the printed form that is typed in; empty for what is
	// scanned.
	Form paper.Number `json:",omitempty"`
	// Partner is who sends or gets the goods; empty when it is not known.
	Partner string
	// Counterpart is the other branch of a transfer, by its code.
	Counterpart string `json:",omitempty"`
	// Due is zero when it is not known; Opened while it is not begun.
	Due, Opened time.Time
	// Stations work on it.
	Stations []string
	// NotReady says that Odoo does not let it be received yet.
	NotReady bool
	// Ordered is zero without an order. Both are packs.
	Scanned, Ordered movement.Quantity
	// Entries counts scans, Questions what a person must answer or look at.
	Entries, Questions int
}

// View is a session as a person sees it.
type View struct {
	Work
	// Checked tells whether it is compared with an order, as the hub sent it
	// at AsOf.
	Checked bool
	AsOf    time.Time
	// Lines are the products: those of the order as it names them, then those
	// that are not on it.
	Lines []Line
	// Notices are what must be looked at, the newest first.
	Notices []Notice
	// Last is the latest entry's number, 0 for none.
	Last int
	// Kept are the latest scans that went to a person at the hub instead of into the
	// lines, the oldest first; AllKept counts all of them.
	Kept    []Kept `json:",omitempty"`
	AllKept int    `json:",omitempty"`
}

// Kept is a scan that a person at the hub has to look at.
type Kept struct {
	At time.Time `json:"at"`
	// Why is what could not be read of it.
	Why string `json:"why"`
}

// LineState says how a line stands.
type LineState string

const (
	Waiting  LineState = "waiting"  // nothing of it scanned yet
	Partial  LineState = "partial"  // less than ordered
	Complete LineState = "complete" // as ordered
	Over     LineState = "over"     // more than ordered
	Extra    LineState = "extra"    // not on the order
	LookAt   LineState = "look_at"  // a notice stands on it
	Lacking  LineState = "short"    // less than ordered, and a person has said so
	Free     LineState = "free"     // there is no order to compare with
)

// Line is one product of a session.
type Line struct {
	Product movement.Product
	// Name is empty when the product is not known here.
	Name, Unit string
	// Already was received before, against the same order.
	Ordered, Already, Scanned movement.Quantity
	State                     LineState
	// Lots sums the entries by lot and expiry, in the order of scanning.
	Lots    []Lot
	Entries []Entry
}

// Lot is what a line holds of one lot.
type Lot struct {
	Lot      string
	Expiry   movement.Date
	Serials  int
	Quantity movement.Quantity
}

// Entry is one scan.
type Entry struct {
	Number int
	// Line is its line on a printed form, TypedBy who typed it in.
	Line     int    `json:",omitempty"`
	TypedBy  string `json:",omitempty"`
	Lot      string
	Expiry   movement.Date
	Serial   string
	Quantity movement.Quantity
	// Own is the quantity in the line's unit.
	Own movement.Quantity
	At  time.Time
	By  string
	// Seq is the place of its movement in the receipt's epoch, in the live lane; 0
	// before it is confirmed, and where that is not known.
	Seq uint64 `json:",omitempty"`
	// Set is what a person said of it: "damaged", "short" or empty; Reason why.
	Set, Reason string
	// Code is the notice's that stands on it, empty for none.
	Code string
}

// Notice is something that a person must look at, or answer before the session
// can be confirmed.
type Notice struct {
	// Entry is what it is about.
	Entry int
	Code  string
	// Text is one sentence.
	Text string
	// Open tells that it must be answered before confirming; otherwise it only
	// stays in sight.
	Open bool
	// Actions are what can be done, the most likely first.
	Actions []Offer
	// Lots are offered for the question which lot it is.
	Lots []Lot
	// Alike counts the entries of the product that are asked the same; 0 for what
	// is no question.
	Alike int
}

// Offer is an action with the word on its button.
type Offer struct {
	Action Action
	Label  string
}

// Page is the station of a person who works on the branch page.
const Page = "page"

// Verb is what a person can do to an entry.
type Verb string

const (
	Undo     Verb = "undo"     // take back the entry; with no entry, the station's latest
	Quantity Verb = "quantity" // say how many packs it stands for
	Correct  Verb = "correct"  // lot, expiry or quantity as the pack shows them
	Accept   Verb = "accept"   // it is right as it is, with the warning kept in the record
	Damaged  Verb = "damaged"  // it came, and cannot be sold; with a reason
	Short    Verb = "short"    // it is missing though it was sent; with a reason
	Person   Verb = "person"   // leave the question to a person at the hub
)

// Action is something done to an entry.
type Action struct {
	Verb Verb
	// Entry is 0 for the latest of the station.
	Entry int
	// Code is the notice that Accept is about; empty for what was told first.
	Code string
	// Same answers a question, by Correct, Accept or Person, for all entries of the
	// product that are asked the same.
	Same    bool
	Station string
	// Product is what is missing, for Short of a line that has no entries.
	Product movement.Product
	// Quantity is in packs; zero leaves it. Lot, Expiry and Serial for Correct,
	// where empty leaves them. For Damaged it is how many of the entry's packs,
	// zero for all; for Short how many are missing, zero for all that the order
	// still expects.
	Quantity movement.Quantity
	Lot      string
	Expiry   movement.Date
	Serial   string
	Reason   string
	By       string
}

// Receipt is what was confirmed, for print and for its way to Odoo; or what was
// thrown away instead, so that nobody wonders where it is.
type Receipt struct {
	View
	Group       string
	By          string
	ConfirmedAt time.Time
	// Thrown is why it was thrown away, at ConfirmedAt; empty for what was
	// confirmed.
	Thrown string `json:",omitempty"`
	// Again counts the lines of a form that had been recorded before, and were not
	// recorded again.
	Again int `json:",omitempty"`
	// Differ counts those that said something else before, and go to a person.
	Differ int `json:",omitempty"`
	// Epoch, and First to Through, are the places of its movements in the live
	// lane of the outbox.
	Epoch          string
	First, Through uint64
}
