package feed

import (
	"branchline/internal/movement"
)

// OutcomeState is where a movement stands at the hub, as a branch needs to know
// it.
type OutcomeState string

const (
	// Underway is with the hub, which will bring it into Odoo by itself.
	Underway OutcomeState = "underway"
	// Posted stands in a document of Odoo that is done.
	Posted OutcomeState = "posted"
	// WithPerson waits until a person at the hub has looked at it.
	WithPerson OutcomeState = "person"
	// Discarded was taken out by a person, and is not posted.
	Discarded OutcomeState = "discarded"
	// Repeated is the same event as an earlier movement, which counts instead.
	Repeated OutcomeState = "repeated"
	// Corrected goes on as a person at the hub has corrected it, Released as it is;
	// both only of rows of exports.
	Corrected OutcomeState = "corrected"
	Released  OutcomeState = "released"
)

// Outcome is a row of what became of a branch's movements. It is of one of three
// kinds: what became of a session's movements, in runs; one movement that
// waits with a person, with its goods; or rows of exports that a person at the hub
// has settled, in runs, which older agents pass over.
type Outcome struct {
	// Key is the row's own; a session with many runs is in several rows.
	Key string `json:"k"`
	// Session is the group of the movements, empty for one that waits.
	Session string        `json:"s,omitempty"`
	Epoch   string        `json:"e,omitempty"`
	Lane    movement.Lane `json:"l,omitzero"`
	Runs    []OutcomeRun  `json:"r,omitempty"`
	// Goods is set for one that waits, which Runs names.
	Goods *OutcomeGoods `json:"g,omitempty"`
	// More counts, in a row with nothing else, those that wait and are not among
	// the rows, as there are too many.
	More int64 `json:"m,omitempty"`
}

// OutcomeRun is movements that follow each other, and of which the same became.
type OutcomeRun struct {
	First uint64       `json:"f"`
	Last  uint64       `json:"l"`
	State OutcomeState `json:"s"`
	// At is since when, or for what is posted when, in seconds since 1970.
	At int64 `json:"t"`
	// Document is what it is posted as, by the name that it has in Odoo.
	Document string `json:"d,omitempty"`
	// Who has settled a row at the hub; empty for what is none.
	Who string `json:"b,omitempty"`
	// Code and Why say what a person must look at, or why one discarded it; Why
	// is half a sentence.
	Code string `json:"c,omitempty"`
	Why  string `json:"w,omitempty"`
}

// OutcomeGoods says what waits, so that people find it.
type OutcomeGoods struct {
	Kind movement.Kind `json:"k,omitempty"`
	// Product is zero where it could not be read.
	Product  movement.Product  `json:"p,omitzero"`
	Lot      string            `json:"l,omitempty"`
	Quantity movement.Quantity `json:"q,omitzero"`
	// Document is the order or delivery that it belongs to.
	Document movement.Document `json:"d,omitzero"`
	// Happened is when, in seconds since 1970; 0 where it could not be read.
	Happened int64 `json:"h,omitempty"`
	// Detail is a sentence more than the run's Why; may be empty.
	Detail string `json:"t,omitempty"`
}
