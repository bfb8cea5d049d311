// Package scan holds the words that scanners, the receiving desk and the
// branch's page share: what was scanned, for what, and what to answer.
package scan

import (
	"slices"
	"strings"
	"time"

	"branchline/internal/fault"
	"branchline/internal/gs1"
	"branchline/internal/movement"
)

// Purpose is what a scanner is for.
type Purpose string

const (
	Receive     Purpose = "receive"
	Dispense    Purpose = "dispense"
	Return      Purpose = "return"
	Wastage     Purpose = "wastage"
	TransferOut Purpose = "transfer_out"
	TransferIn  Purpose = "transfer_in"
	Count       Purpose = "count"
	// LookUp asks what is known of a code. Nothing of it is recorded.
	LookUp Purpose = "look_up"
)

// Purposes lists all of them.
var Purposes = []Purpose{Receive, Dispense, Return, Wastage, TransferOut, TransferIn, Count, LookUp}

// Valid tells whether p is one of [Purposes].
func (p Purpose) Valid() bool { return slices.Contains(Purposes, p) }

// Kind is the kind of movement that a scan for p makes; none for LookUp.
func (p Purpose) Kind() movement.Kind {
	switch p {
	case Receive:
		return movement.Receipt
	case LookUp:
		return ""
	}
	return movement.Kind(p)
}

// InSession tells whether scans for p are collected until they are confirmed
// together; otherwise each scan is one movement.
func (p Purpose) InSession() bool { return p == Receive || p == Count }

// Scan is one code as a scanner or the page delivered it.
type Scan struct {
	// Station is where the person stands: the scanner's name, unless several
	// scanners were told to share one station.
	Station string
	// Scanner is the scanner's name in the configuration.
	Scanner string
	Purpose Purpose
	// Raw is what came, without the terminator. It may be no UTF-8. It must
	// not be kept when Err has the code gs1.CodePersonal.
	Raw []byte
	// Code is what Raw means, when Err is nil; otherwise Err says why that is
	// not certain, as a fault of class Data.
	Code gs1.Code
	// Goods is what a code of another standard than GS1 says; nil for GS1.
	// [Scan.Item] gives what is said, whichever it is.
	Goods *Item
	// Standard is the one whose rules Raw was read by.
	Standard Standard
	Err      error
	// Second is what the second code of a pack says, which names no product, so
	// that Err is set, too; nil for all others.
	Second *Second
	// At is when it was scanned, with the branch's own offset.
	At time.Time
	// By, Reason and Counterpart are fixed by the scanner's profile.
	By, Reason, Counterpart string
}

// Text is Raw without symbology identifier and white space around it, for
// codes that are no products: commands, document numbers.
func (s *Scan) Text() string {
	t := strings.TrimSpace(string(s.Raw))
	if len(t) > 3 && t[0] == ']' {
		t = strings.TrimSpace(t[3:])
	}
	return t
}

// Personal tells whether the code is about a person and must not be kept.
func (s *Scan) Personal() bool { return s.Err != nil && fault.CodeOf(s.Err) == gs1.CodePersonal }

// Sound is what the person at the counter hears.
type Sound uint8

const (
	// Refused: nothing was counted, or it is not safe.
	Refused Sound = iota
	// Warn: look at the page, which says whether it counts.
	Warn
	// OK: counted, and safe on disk.
	OK
)

func (s Sound) String() string {
	switch s {
	case OK:
		return "ok"
	case Warn:
		return "warn"
	}
	return "refused"
}

// Answer is what becomes of a scan. It is given after the commit, never before.
type Answer struct {
	Sound Sound
	// Code is the reason code for Warn and Refused.
	Code string
	// Text is one sentence for the person.
	Text string
	// Unrecorded tells that nothing was recorded though all is well: something
	// was only looked up.
	Unrecorded bool
	// Action tells that what was scanned made something be done (a command, a
	// document that opens a delivery), and is itself nothing that counts.
	Action bool
}

// Refuse answers with the reason that err gives.
func Refuse(err error) Answer {
	return Answer{Sound: Refused, Code: fault.CodeOf(err), Text: err.Error()}
}

// CommandPrefix begins every command barcode.
const CommandPrefix = "BL-"

// IsCommand tells whether a scanned text is a command and no product.
func IsCommand(text string) bool { return strings.HasPrefix(text, CommandPrefix) }
