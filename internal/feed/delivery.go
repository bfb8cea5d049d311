package feed

import (
	"slices"
	"strings"
	"time"

	"branchline/internal/movement"
)

// Delivery is goods that a branch expects: an open incoming document in Odoo.
type Delivery struct {
	// Key is the delivery's own for ever.
	Key string `json:"k"`
	// Name is the document's number in Odoo.
	Name string `json:"n"`
	// Order is the number of the purchase order, or several with commas
	// between, or whatever else it stems from; may be empty.
	Order string `json:"o,omitempty"`
	// Partner is who sends it, by name; Reference the sender's own number for
	// the order. Either may be empty.
	Partner   string `json:"p,omitempty"`
	Reference string `json:"r,omitempty"`
	// Due is when it is expected; zero if not known.
	Due time.Time `json:"d,omitzero"`
	// Ready is false while Odoo does not let it be received yet.
	Ready bool `json:"y"`
	// Lines are the products, each once.
	Lines []DeliveryLine `json:"l"`
}

// Document is what a delivery is received by: its order where it is of one,
// as Odoo's documents are filled by order.
func (d *Delivery) Document() movement.Document {
	if order := strings.TrimSpace(d.Order); order != "" && !strings.Contains(order, ",") && len(order) <= 64 {
		return movement.Document{Type: "order", Ref: order}
	}
	return movement.Document{Type: "delivery", Ref: d.Name}
}

// DeliveryLine is one product of a delivery.
type DeliveryLine struct {
	// Product is its key in the catalogue. Name and Code are said here too,
	// since the catalogue may be older; Code may be zero.
	Product string           `json:"k"`
	Name    string           `json:"n"`
	Code    movement.Product `json:"c,omitzero"`
	// Ordered is all of it that the order names, Received what came before of
	// the same order; what is still expected is the difference. Both are in
	// Unit, the product's own.
	Ordered  movement.Quantity `json:"q"`
	Received movement.Quantity `json:"a,omitzero"`
	Unit     string            `json:"u"`
}

// Open is what is still expected.
func (l *DeliveryLine) Open() movement.Quantity { return max(0, l.Ordered-l.Received) }

// For tells whether the delivery is meant by a document: an order by its
// number, a delivery by Odoo's or the sender's.
func (d *Delivery) For(doc movement.Document) bool {
	switch {
	case doc.Ref == "":
		return false
	case doc.Type == "order":
		for part := range strings.SplitSeq(d.Order, ",") {
			if strings.TrimSpace(part) == doc.Ref {
				return true
			}
		}
		return false
	case doc.Type == "delivery":
		return d.Name == doc.Ref || d.Reference == doc.Ref
	}
	return false
}

// Join makes one delivery of those of one order: everything that is still
// expected of each product, under the first one's names. No deliveries give a
// zero one.
func Join(list []Delivery) Delivery {
	if len(list) == 0 {
		return Delivery{}
	}
	sum := list[0]
	sum.Lines = slices.Clone(sum.Lines)
	for _, d := range list[1:] {
		sum.Ready = sum.Ready || d.Ready
		for _, l := range d.Lines {
			i := slices.IndexFunc(sum.Lines, func(o DeliveryLine) bool { return o.Product == l.Product })
			if i < 0 {
				sum.Lines = append(sum.Lines, l)
				continue
			}
			o := &sum.Lines[i]
			open := o.Open() + l.Open()
			// The same earlier receipts stand in both.
			o.Received = max(o.Received, l.Received)
			o.Ordered = o.Received + open
		}
	}
	return sum
}

// Stock is what a branch has of one product.
type Stock struct {
	// Product is the product's key.
	Product string `json:"k"`
	// Lots are in the order in which they should go: the earliest expiry
	// first, those without one last.
	Lots []LotStock `json:"l"`
}

// LotStock is what is on hand of one lot.
type LotStock struct {
	// Lot is empty for goods without one.
	Lot    string        `json:"l,omitempty"`
	Expiry movement.Date `json:"e,omitzero"`
	// Quantity is in the product's own unit. It can be negative.
	Quantity movement.Quantity `json:"q"`
}
