package roomtest

import (
	"context"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/hub/room"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// Replenish gives the room two branches. Of Aspirin there are to be at least four at
// BR01: Odoo has nine, seven of them in lot A77 that expires in ten days; six were
// dispensed of that lot, by what the till calls it, and are not in Odoo, nor are two of
// what nobody knows. Of BR02 nothing is known.
func (d *Desk) Replenish() {
	d.T.Helper()
	d.Room.Branches = []room.Branch{{Code: "BR01", Name: "Riverside " + Script, Zone: time.UTC}, {Code: "BR02", Zone: time.UTC}}
	dispensed := func(code movement.Product) func(*movement.Movement) {
		return func(m *movement.Movement) { m.Product, m.Lot, m.Unit = code, "A77", "" }
	}
	ledgertest.NewSender("BR01", Epoch, movement.Bulk).Commit(d.T, d.Ledger, ledgertest.Record(movement.Dispense, 6, dispensed(Till)),
		ledgertest.Record(movement.Dispense, 2, dispensed(movement.Product{Scheme: movement.SKU, Code: "X" + Script})))
	d.Must(projection.New(d.Ledger, d.Log, nil).CatchUp(d.T.Context()))
	d.Room.Refill = &room.Refill{Days: 30,
		Rules: func(string) ([]odoo.OrderPoint, int64, string) {
			return []odoo.OrderPoint{{ID: 1, Name: "OP/1 " + Script, ProductID: aspirin.ID, LocationID: 8, Min: 4, Max: 10, Auto: true, Active: true},
				{ID: 2, Name: "OP/2", ProductID: aspirin.ID, LocationID: 9, Min: 4, Max: 10, Active: true}}, 8, ""
		},
		OnHand: func(branch string) ([]feed.Stock, time.Time, bool, error) {
			now := time.Now().UTC()
			return []feed.Stock{{Product: "1", Lots: []feed.LotStock{{Lot: "A77", Expiry: movement.DateOf(now.AddDate(0, 0, 10)), Quantity: movement.Units(7)},
				{Lot: "A78", Expiry: movement.DateOf(now.AddDate(0, 0, 90)), Quantity: movement.Units(2)}}}}, now.Add(-time.Minute), branch == "BR01", nil
		},
		Meant: func(_ context.Context, all []ledger.Movement) ([]ledger.PostingLine, bool, error) {
			found, _ := goods{}.Find(all[0].Product)
			if len(found) == 0 {
				return nil, false, nil
			}
			return []ledger.PostingLine{{ProductID: found[0].ID, Lot: all[0].Lot, Parts: []ledger.PostingPart{{Quantity: all[0].Quantity}}}}, true, nil
		}}
	d.Must(d.Room.RefillOnce(d.T.Context()))
}

// Order lets the room have Odoo order, which answers as given.
func (d *Desk) Order(answer func(ruleID int64) (odoo.Replenished, error)) {
	d.Room.Refill.Order = func(_ context.Context, ruleID int64) (odoo.Replenished, error) { return answer(ruleID) }
}
