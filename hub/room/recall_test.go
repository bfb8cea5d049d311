package room_test

import (
	"testing"
	"time"

	"branchline/hub/ledger/ledgertest"
	"branchline/hub/projection"
	"branchline/hub/room/roomtest"
	"branchline/internal/movement"
)

// Goods come in by the barcode of a case of ten and go out by the till's number:
// of the product that both mean the recall tells one sum, in its own unit, and a
// count of it is of both.
func TestARecallIsOfTheProduct(t *testing.T) {
	at := func(hour int, code movement.Product) func(*movement.Movement) {
		return func(m *movement.Movement) {
			m.Lot, m.Product, m.OccurredAt = "A77", code, time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC)
		}
	}
	cases := map[string]struct {
		records [][]byte
		there   string
	}{
		"in by the case, out by the till": {[][]byte{
			ledgertest.Record(movement.Receipt, 2, at(8, roomtest.Case)),
			ledgertest.Record(movement.Dispense, 3, at(9, roomtest.Till)),
		}, "17"},
		"counted between": {[][]byte{
			ledgertest.Record(movement.Receipt, 2, at(8, roomtest.Case)),
			ledgertest.Record(movement.Dispense, 3, at(9, roomtest.Till)),
			ledgertest.Record(movement.Count, 15, at(10, roomtest.Aspirin)),
			ledgertest.Record(movement.Dispense, 1, at(11, roomtest.Till)),
		}, "14"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := roomtest.New(t)
			ledgertest.NewSender("BR01", roomtest.Epoch, movement.Bulk).Commit(t, d.Ledger, c.records...)
			d.Must(projection.New(d.Ledger, d.Log, nil).CatchUp(t.Context()))
			found, err := d.Recall(t.Context(), "A77")
			d.Must(err)
			if len(found) != 1 || len(found[0].Products) != 1 {
				t.Fatalf("%+v", found)
			}
			p := found[0].Products[0]
			if len(p.Branches) != 1 || len(p.Sums) != 1 || p.Sums[0].OnHand.String() != c.there || p.Sums[0].Unit != "Packs" || len(p.Codes) < 2 {
				t.Errorf("%+v", p)
			}
		})
	}
	t.Run("a code that nobody knows", func(t *testing.T) {
		d := roomtest.New(t)
		ledgertest.NewSender("BR01", roomtest.Epoch, movement.Bulk).Commit(t, d.Ledger, ledgertest.Record(movement.Receipt, 2, at(8, roomtest.Case)),
			ledgertest.Record(movement.Receipt, 2, at(8, movement.Product{Scheme: movement.SKU, Code: "X"})))
		d.Must(projection.New(d.Ledger, d.Log, nil).CatchUp(t.Context()))
		if found, err := d.Recall(t.Context(), "A77"); err != nil || len(found[0].Products) != 2 {
			t.Errorf("%+v, %v", found, err)
		}
	})
}

// What could not be read may be of any lot, and a recall says that there is some.
func TestWhatCouldNotBeReadMayBeOfAnyLot(t *testing.T) {
	d := roomtest.New(t)
	d.Fill()
	before, _, err := d.LotUnknown(t.Context())
	d.Must(err)
	ledgertest.NewSender("BR05", roomtest.Epoch, movement.Bulk).Commit(t, d.Ledger, ledgertest.Record(movement.Dispense, 0, func(m *movement.Movement) {
		m.Product, m.Lot, m.Quantity = movement.Product{}, "", 0
		m.Problem = &movement.Problem{Code: "bad_quantity", Text: "no number"}
	}))
	d.Must(projection.New(d.Ledger, d.Log, nil).CatchUp(t.Context()))
	if n, branches, err := d.LotUnknown(t.Context()); err != nil || n != before+1 || branches < 1 {
		t.Errorf("%d at %d, %v", n, branches, err)
	}
}
