package roomtest

import (
	"time"

	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/hub/room"
	"branchline/internal/movement"
)

// OpenBoxes gives the room three branches and what is open between them: a box of which
// part was taken in, one of which more was than was sent, one that nobody took in, and
// what was sent without a number.
func (d *Desk) OpenBoxes() {
	d.T.Helper()
	d.Room.Branches = []room.Branch{{Code: "BR01", Name: "Riverside " + Script, Zone: time.UTC}, {Code: "BR02", Name: "Northgate", Zone: time.UTC}, {Code: "BR03", Zone: time.UTC}}
	in := func(number, lot, other string) func(*movement.Movement) {
		return func(m *movement.Movement) {
			m.Product, m.Lot, m.Counterpart = Aspirin, lot, other
			if m.RecordedAt = time.Now().UTC().Add(-50 * time.Hour).Truncate(time.Millisecond); number != "" {
				m.Document = movement.Document{Type: "transfer", Ref: number}
			}
		}
	}
	const part, over, none = "BR01/BR02/T261120-080000", "BR01/BR03/T261121-090000", "BR02/BR03/T261122-100000"
	ledgertest.NewSender("BR01", Epoch, movement.Live).Commit(d.T, d.Ledger, ledgertest.Record(movement.TransferOut, 3, in(part, "A77", "BR02")),
		ledgertest.Record(movement.TransferOut, 5, in(part, "B12", "BR02")), ledgertest.Record(movement.TransferOut, 2, in(over, "A77", "BR03")),
		ledgertest.Record(movement.TransferOut, 9, in("", "U1", "BR02")))
	ledgertest.NewSender("BR02", Epoch, movement.Live).Commit(d.T, d.Ledger, ledgertest.Record(movement.TransferIn, 1, in(part, "A77", "BR01")),
		ledgertest.Record(movement.TransferOut, 4, func(m *movement.Movement) {
			in(none, "X"+Script, "BR03")(m)
			m.Product = movement.Product{Scheme: movement.SKU, Code: "X" + Script}
		}))
	ledgertest.NewSender("BR03", Epoch, movement.Live).Commit(d.T, d.Ledger, ledgertest.Record(movement.TransferIn, 6, in(over, "A77", "BR01")))
	d.Must(projection.New(d.Ledger, d.Log, nil).CatchUp(d.T.Context()))
}
