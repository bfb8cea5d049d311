package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"branchline/internal/movement"
)

// PostingBody is what a posting is to do in Odoo: the planner writes it, the
// poster carries it out. Ids are Odoo's unless said otherwise.
type PostingBody struct {
	V         int   `json:"v"`
	CompanyID int64 `json:"company"`
	// WarehouseID is the branch's; TypeID, FromID and ToID make the document.
	WarehouseID int64  `json:"warehouse"`
	TypeID      int64  `json:"type"`
	FromID      int64  `json:"from"`
	ToID        int64  `json:"to"`
	Origin      string `json:"origin,omitempty"`
	// ReceiptID is the open receipt of Odoo that the goods go into, 0 for a
	// document of our own; Order is the purchase order that it belongs to.
	ReceiptID int64  `json:"receipt,omitempty"`
	Order     string `json:"order,omitempty"`
	// Day is the branch's day on which all of it happened, At the last moment
	// of it.
	Day movement.Date `json:"day"`
	At  time.Time     `json:"at"`
	// Incoming says that the goods come into the branch.
	Incoming bool `json:"incoming,omitempty"`
	// Aliases is the generation of the aliases that it was planned by.
	Aliases int64         `json:"aliases,omitempty"`
	Lines   []PostingLine `json:"lines"`
}

// PostingLine is one product and lot of a posting.
type PostingLine struct {
	ProductID int64  `json:"product"`
	UoMID     int64  `json:"uom"`
	Lot       string `json:"lot,omitempty"`
	// LotID is 0 for no lot, or for one that is new to Odoo.
	LotID   int64         `json:"lot_id,omitempty"`
	Expiry  movement.Date `json:"expiry,omitzero"`
	Expires time.Time     `json:"expires,omitzero"`
	// Over allows more than was ordered: a person has released it.
	Over  bool          `json:"over,omitempty"`
	Parts []PostingPart `json:"parts"`
}

// PostingPart is one movement's share of a line, positive, in the line's unit.
type PostingPart struct {
	Movement MovementID        `json:"m"`
	Quantity movement.Quantity `json:"q"`
	// Chosen says that the movement names no lot, and the hub chose the line's
	// because it is the one that expires first.
	Chosen bool `json:"chosen,omitempty"`
}

// Quantity is the line's sum.
func (l *PostingLine) Quantity() (sum movement.Quantity) {
	for _, p := range l.Parts {
		sum += p.Quantity
	}
	return sum
}

// Movements lists what is inside, line by line. A movement may be in several
// lines.
func (b *PostingBody) Movements() []MovementID {
	var ids []MovementID
	seen := map[MovementID]bool{}
	for _, l := range b.Lines {
		for _, p := range l.Parts {
			if !seen[p.Movement] {
				seen[p.Movement] = true
				ids = append(ids, p.Movement)
			}
		}
	}
	return ids
}

const bodyVersion = 1

// Encode gives the bytes that are kept.
func (b *PostingBody) Encode() ([]byte, error) {
	b.V = bodyVersion
	return json.Marshal(b)
}

// DecodeBody reads what Encode wrote.
func DecodeBody(data []byte) (*PostingBody, error) {
	b := new(PostingBody)
	if err := json.Unmarshal(data, b); err != nil {
		return nil, fmt.Errorf("a posting's body cannot be read: %w", err)
	}
	if b.V != bodyVersion {
		return nil, fmt.Errorf("a posting's body has version %d, this hub reads %d", b.V, bodyVersion)
	}
	return b, nil
}
