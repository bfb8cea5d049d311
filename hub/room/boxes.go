package room

import (
	"context"
	"encoding/csv"
	"io"
	"strings"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/movement"
)

// Box is what one branch sent to another and that one did not take in as it was sent.
type Box struct {
	ledger.OpenTransfer
	FromName, ToName string
	Goods            []BoxLine
}

// BoxLine is a line of it, with what Odoo calls the product; empty where that cannot be
// told.
type BoxLine struct {
	ledger.TransferLine
	Name string
}

// Open is what is still to be taken in, negative where more was.
func (l *BoxLine) Open() movement.Quantity { return l.Sent - l.Arrived }

// Unnumbered tells that it was sent without a number.
func (b *Box) Unnumbered() bool { return strings.HasSuffix(b.Ref, "/"+ledger.Unnumbered) }

// Over tells that more was taken in of it than was sent, Begun that some was.
func (b *Box) Over() (over bool) {
	for i := range b.Goods {
		over = over || b.Goods[i].Counted > b.Goods[i].Sent
	}
	return over
}

// Begun tells that some of it was taken in.
func (b *Box) Begun() (begun bool) {
	for i := range b.Goods {
		begun = begun || b.Goods[i].Arrived > 0
	}
	return begun
}

// Boxes are what is open between the branches, the oldest first, since
// [Room.OpenTransfers] looks back; cut tells that there is more than is told.
func (m *Room) Boxes(ctx context.Context) (all []Box, cut bool, err error) {
	open, err := m.OpenTransfers(ctx)
	if err != nil {
		return nil, false, err
	}
	names := map[string]string{}
	for i := range m.Branches {
		names[m.Branches[i].Code] = m.Branches[i].Name
	}
	for _, t := range open {
		b := Box{OpenTransfer: t, FromName: names[t.From], ToName: names[t.To]}
		for _, l := range t.Lines {
			line := BoxLine{TransferLine: l}
			if found, _ := m.Catalogue.Find(l.Product); len(found) == 1 {
				line.Name = found[0].Name
			}
			b.Goods = append(b.Goods, line)
		}
		all = append(all, b)
	}
	return all, ledger.TransfersCut(open), nil
}

// BoxDays is how many days back it is looked for boxes.
func BoxDays() int { return int(boxesFor / (24 * time.Hour)) }

// WriteBoxes writes them as CSV, a line for each of theirs.
func WriteBoxes(out io.Writer, all []Box) error {
	w := csv.NewWriter(out)
	_ = w.Write([]string{"number", "from", "to", "since", "product", "scheme", "code", "lot", "serial", "unit", "sent", "taken_in", "in_odoo"}) // Flush tells
	for i := range all {
		b := &all[i]
		for j := range b.Goods {
			l := &b.Goods[j]
			_ = w.Write([]string{Cell(b.Ref), Cell(b.From), Cell(b.To), stampOf(b.Since), Cell(l.Name), string(l.Product.Scheme), Cell(l.Product.Code), Cell(l.Lot), Cell(l.Serial),
				Cell(l.Unit), l.Sent.String(), l.Arrived.String(), l.Counted.String()})
		}
	}
	w.Flush()
	return w.Error()
}
