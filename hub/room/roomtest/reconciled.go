package roomtest

import (
	"time"

	"branchline/hub/ledger"
	"branchline/hub/room"
	"branchline/internal/movement"
)

// Reconcile gives the room three branches: BR01 is otherwise than Odoo in every way,
// BR02 is equal and to be compared again, and BR03 was never compared.
func (d *Desk) Reconcile() {
	d.T.Helper()
	d.Room.Branches = []room.Branch{{Code: "BR01", Name: "Riverside " + Script, Zone: time.UTC}, {Code: "BR02", Name: "High Street", Zone: time.UTC}, {Code: "BR03", Zone: time.UTC}}
	now := time.Now().UTC()
	day := movement.DateOf(now)
	before := movement.DateOf(now.AddDate(0, 0, -1))
	runs := Epoch + "/bulk:1-400,402"
	worst := ledger.Buckets{Captured: 412, Lost: 3, Received: 409, Waiting: 4, Person: 2, Discarded: 1, Repeated: 1, Posted: 401, Found: 1, Changed: 20, Missing: 374, Accepted: 6}
	best := ledger.Buckets{Captured: 311, Received: 311, Posted: 311, Found: 311}
	sum := worst
	sum.Add(best)
	units := movement.Units
	d.save(ledger.Reconciled{Branch: "BR01", BeganAt: now.Add(-time.Minute), At: now, Who: "ann", Differences: 7,
		Summary: ledger.ReconciledSummary{All: sum, Unsent: 37, Heard: true, Records: 5, Stock: 2},
		Result: &ledger.ReconciledResult{From: before, Streams: []ledger.ReconciledStream{{Epoch: Epoch, Lane: movement.Bulk, Appended: 760, Heard: now, Received: 723}},
			Days: []ledger.ReconciledDay{{Day: day, Buckets: worst}, {Day: before, Buckets: best}},
			Records: []ledger.RecordDifference{
				{What: ledger.DocumentGone, Day: day, Text: "it is no longer in Odoo", Count: 20, Movements: runs, Posting: "BL/BR01/aaaa/B1-402/9f2c41d0", OdooModel: "stock.picking", OdooID: 12, OdooName: "WH/IN/00012"},
				{What: ledger.DocumentCancelled, Day: day, Text: "somebody has cancelled it in Odoo", Count: 360, Movements: runs, Posting: "BL/BR01/aaaa/B3-402/9f2c41d1", OdooModel: "stock.picking", OdooID: 13, OdooName: "BL/BR01/aaaa/B3-402/9f2c41d1"},
				{What: ledger.DocumentChanged, Day: day, Text: "3 too few of Aspirin " + Script + ", lot A77-O1", Count: 20, Movements: runs, Posting: "BL/BR01/aaaa/B5-402/9f2c41d2", OdooModel: "stock.picking", OdooID: 14, OdooName: "BL/BR01/aaaa/B5-402/9f2c41d2"},
				{What: ledger.RecordLost, Day: day, Text: "the branch no longer had them when the hub asked for them: count its stock", Count: 3, Movements: Epoch + "/bulk:410-412"},
				{What: ledger.DocumentUnknown, Day: before, Text: "it is done in Odoo and not known here: its marker was altered", Posting: "BL/BR01/aaaa/B7-9/9f2c41d3", OdooModel: "stock.picking", OdooID: 15, OdooName: "WH/IN/00015"},
			},
			Accepted: []ledger.AcceptedRecord{{RecordDifference: ledger.RecordDifference{What: ledger.DocumentChanged, Day: day, Text: "1 too few of Metformin 850 mg tabs 56", Count: 6,
				Posting: "BL/BR01/aaaa/B9-402/9f2c41d4", OdooModel: "stock.picking", OdooID: 16, OdooName: "BL/BR01/aaaa/B9-402/9f2c41d4"}, At: now, Who: "pia", Why: "broken on the way " + Script}},
			Stock: ledger.ReconciledStock{At: now, Start: now.AddDate(0, 0, -20), StartWho: "ann", Compared: 2412, MovesLeft: true,
				Left: []ledger.StockLeft{{Product: movement.Product{Scheme: movement.PZN, Code: "01234567"}, Lot: "X" + Script, Why: "Odoo has no product by this code and unit any more, or several"}},
				Differences: []ledger.StockDifference{
					{ProductID: 1, Name: "Aspirin " + Script, Code: "ASP500", Unit: "Units", Lot: "A77-O1", Start: units(40), Moved: units(-12), Expected: units(28), Odoo: units(20), Waiting: units(-2),
						Moves: []ledger.ForeignMove{{At: now.AddDate(0, 0, -1), Who: "Mitchell " + Script, Document: "Product Quantity Updated", Lot: "A77-O1", Quantity: units(-5)},
							{At: now, Who: "Marc Demo", Document: "WH/OUT/00031", OdooID: 31, Lot: "A77-O1", Quantity: units(-3)},
							{At: now, Who: "Mitchell Admin", Document: "BL/BR01/aaaa/B5-402/9f2c41d2", OdooID: 14, Lot: "A77-O1", Quantity: units(-12), Ours: true}}},
					{ProductID: 2, Name: "Metformin 850 mg tabs 56", Unit: "Units", Together: "moved without a lot at the branch, so all lots together", Start: units(100), Moved: units(1), Expected: units(101), Odoo: units(102)},
				}}}})
	d.save(ledger.Reconciled{Branch: "BR02", BeganAt: now.Add(-9 * time.Hour), At: now.Add(-9 * time.Hour), Who: ledger.Schedule,
		Summary: ledger.ReconciledSummary{All: best, NoStock: "the hub knows no warehouse BR02 in Odoo"}, Result: &ledger.ReconciledResult{From: before, Days: []ledger.ReconciledDay{{Day: before, Buckets: best}},
			Stock: ledger.ReconciledStock{Why: "the hub knows no warehouse BR02 in Odoo"}}})
	d.Must(d.Ledger.AskReconcile(d.T.Context(), []string{"BR02"}, "bob", now))
	d.Room.Reconciling = func() room.Reconciling {
		return room.Reconciling{Branch: "BR02", Since: now, Documents: 120, Of: 311, Waiting: "Odoo is not asked now: it did not answer", WaitingSince: now.Add(-time.Minute)}
	}
}

func (d *Desk) save(c ledger.Reconciled) {
	d.T.Helper()
	d.Must(d.Ledger.SaveReconciled(d.T.Context(), c, nil))
}
