package movement

import (
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"
)

// Version is the version of the record that this code writes. Readers accept
// it and the two before it ([Decode]).
const Version = 1

// Kind is the kind of a stock change.
type Kind string

// The kinds, and the sign of their quantity. It is never negative but for an
// adjustment: the kind says which way the goods went.
const (
	Receipt     Kind = "receipt"      // goods came in from a supplier
	Dispense    Kind = "dispense"     // handed out at the counter
	Return      Kind = "return"       // came back from the counter
	Wastage     Kind = "wastage"      // broken, expired, destroyed; Reason says why
	TransferOut Kind = "transfer_out" // left for the branch in Counterpart
	TransferIn  Kind = "transfer_in"  // came from the branch in Counterpart
	Adjustment  Kind = "adjustment"   // a signed correction of the stock
	Count       Kind = "count"        // what was counted, zero included
)

// Kinds lists all kinds.
var Kinds = []Kind{Receipt, Dispense, Return, Wastage, TransferOut, TransferIn, Adjustment, Count}

// Scheme says whose numbering a product code follows.
type Scheme string

const (
	GTIN Scheme = "gtin" // 14 digits, left-padded, check digit right
	NDC  Scheme = "ndc"
	PZN  Scheme = "pzn"
	HIBC Scheme = "hibc"
	SKU  Scheme = "sku" // the chain's own number: Odoo's internal reference
)

// Schemes lists all schemes.
var Schemes = []Scheme{GTIN, NDC, PZN, HIBC, SKU}

// Movement is one captured change of stock. Its strings are UTF-8 and bounded
// as [Movement.Validate] says. It is a value: nobody changes it once recorded.
type Movement struct {
	// V is the record's version; [Movement.AppendJSON] writes [Version].
	V    int  `json:"v"`
	Kind Kind `json:"kind,omitempty"`

	Product Product `json:"product,omitzero"`
	Lot     string  `json:"lot,omitempty"`
	// Expiry is the last day of use; ExpiryRaw what stood on the pack (GS1's
	// six digits), as some authorities compare it.
	Expiry    Date   `json:"expiry,omitzero"`
	ExpiryRaw string `json:"expiry_raw,omitempty"`
	Serial    string `json:"serial,omitempty"`

	Quantity Quantity `json:"quantity,omitzero"`
	// Unit is a unit of measure by its name in Odoo; empty is the product's
	// own stock unit.
	Unit string `json:"unit,omitempty"`

	// OccurredAt is when it happened, with the branch's own offset;
	// RecordedAt when the agent committed it. Both to the millisecond.
	OccurredAt time.Time `json:"occurred_at"`
	RecordedAt time.Time `json:"recorded_at"`

	// Document is the paper or the session that this belongs to.
	Document Document `json:"document,omitzero"`
	// Counterpart is the other branch of a transfer.
	Counterpart string `json:"counterpart,omitempty"`
	// Reason is why, for wastage, adjustments and damaged lines.
	Reason string `json:"reason,omitempty"`

	// NaturalKey is unique within the branch for ever; empty where an event
	// has no key of its own and only its place in the stream identifies it.
	NaturalKey string `json:"natural_key,omitempty"`
	Source     Source `json:"source,omitzero"`
	// By is the initials of the person.
	By string `json:"by,omitempty"`
	// Group holds together the movements that go into one document.
	Group Group `json:"group,omitzero"`

	// Settles is the earlier capture with a problem that a person at the branch
	// has put right by this record.
	Settles Settlement `json:"settles,omitzero"`

	// Paper is the printed form on which it was written while nothing else worked,
	// and from which it was typed in later: OccurredAt is then as the form says.
	// It came to version 1 later than the rest; who does not know it loses the mark
	// and nothing else.
	Paper Paper `json:"paper,omitzero"`

	// Problem is why this capture goes to a person; nil for what was
	// understood.
	Problem *Problem `json:"problem,omitempty"`
}

// Paper is a line of a printed form.
type Paper struct {
	// Form is its number, without the dashes that it is printed with.
	Form string `json:"form"`
	// Line counts from 1.
	Line int `json:"line"`
	// TypedBy is the initials of who typed it in; By is who did what it says.
	TypedBy string `json:"typed_by"`
}

// Settlement says what a person at the branch decided about an earlier capture
// with a problem. That one stays as it was recorded; By says who decided.
type Settlement struct {
	// Key is the natural key of the earlier capture: its place can change, in a
	// fork.
	Key string `json:"key"`
	// Why is a word why, for the people who look at it later.
	Why string `json:"why"`
	// Dismissed says that nothing was moved: the record then has no product, no
	// kind and no quantity. Otherwise it is the movement that the earlier
	// capture should have been.
	Dismissed bool `json:"dismissed,omitempty"`
}

// sessionKey begins the key by which a session is settled as a whole. No capture
// has such a key: those of a session go on with a number.
const sessionKey = "session/"

// ThrowAway makes of m the record that people have thrown away what they had
// collected in a session, by which nothing is moved. Its document is that of the
// session, which may be none, its reason what was in it.
func (m *Movement) ThrowAway(session, why string) {
	m.NaturalKey = sessionKey + session + "/thrown away"
	m.Settles = Settlement{Key: sessionKey + session, Why: why, Dismissed: true}
}

// ThrownAway is the session that m says was thrown away; ok is false where it is
// another record.
func (m *Movement) ThrownAway() (session string, ok bool) {
	session, ok = strings.CutPrefix(m.Settles.Key, sessionKey)
	return session, ok && m.Settles.Dismissed && m.NaturalKey == m.Settles.Key+"/thrown away"
}

// Product is a product code and whose code it is.
type Product struct {
	Scheme Scheme `json:"scheme"`
	Code   string `json:"code"`
}

// Words is the code with its scheme, as people know it: "GTIN 04012345678901".
func (p Product) Words() string { return strings.ToUpper(string(p.Scheme)) + " " + p.Code }

// Document names the paper that a movement belongs to.
type Document struct {
	// Type is "order" (a purchase order), "delivery", "session", "dispensing"
	// or "transfer".
	Type string `json:"type"`
	// Ref is its number.
	Ref string `json:"ref"`
}

// DocumentTypes lists what a document can be.
var DocumentTypes = []string{"order", "delivery", "session", "dispensing", "transfer"}

// Source says where the movement was read, down to the line.
type Source struct {
	// Adapter is the scanner or export adapter by its name in the
	// configuration.
	Adapter string `json:"adapter,omitempty"`
	File    string `json:"file,omitempty"`
	// Line counts from 1.
	Line int64 `json:"line,omitempty"`
	// Raw is what was read: a scanned code with its control characters, or
	// the mapped columns of a line. Never a column that is not mapped.
	Raw string `json:"raw,omitempty"`
	// RawHex is used in Raw's place for bytes that are not UTF-8.
	RawHex string `json:"raw_hex,omitempty"`
}

// SetRaw keeps raw as text where it is UTF-8, else in hexadecimal, so that no
// byte is lost; past the bound ([MaxRaw] bytes) it is cut.
func (s *Source) SetRaw(raw []byte) {
	s.Raw, s.RawHex = "", ""
	if len(raw) > MaxRaw {
		raw = raw[:MaxRaw]
	}
	if utf8.Valid(raw) {
		s.Raw = string(raw)
	} else {
		s.RawHex = hex.EncodeToString(raw)
	}
}

// Group is the set of movements that were confirmed together. It is complete
// when Size of them with the same ID, branch and epoch have come.
type Group struct {
	ID   string `json:"id"`
	Size int    `json:"size"`
}

// Problem is why a person must look at a capture.
type Problem struct {
	// Code is a reason code as in package fault.
	Code string `json:"code"`
	// Field is the field it is about, by its JSON name; may be empty.
	Field string `json:"field,omitempty"`
	// Text is the reason in a sentence for the person.
	Text string `json:"text"`
}
