package plan_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/ledger/ledgertest"
	"branchline/hub/plan"
	"branchline/hub/projection"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// desk is a runner on a real ledger.
type desk struct {
	ledger    *ledger.Ledger
	projector *projection.Projector
	master    *kept
	receipts  *receipts
	runner    *plan.Runner
	sender    *ledgertest.Sender
	at        time.Time
}

func newDesk(t testing.TB) *desk {
	log := slog.New(slog.DiscardHandler)
	d := &desk{ledger: ledgertest.Open(t), receipts: &receipts{}, at: ledgertest.Noon, sender: ledgertest.NewSender("BR01", "abcdefghijkl", movement.Bulk)}
	d.master = &kept{ledger: d.ledger, clock: func() time.Time { return d.at }}
	d.projector = projection.New(d.ledger, log, nil)
	d.runner = plan.NewRunner(plan.DefaultConfig(), d.ledger, d.master, d.receipts, log, func() time.Time { return d.at }, nil)
	return d
}

func (d *desk) send(t testing.TB, all ...[]byte) {
	t.Helper()
	d.sender.Commit(t, d.ledger, all...)
	if err := d.projector.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) once(t testing.TB) time.Time {
	t.Helper()
	next, err := d.runner.Once(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func (d *desk) open(t testing.TB) int {
	t.Helper()
	all, err := d.ledger.OpenPostings(t.Context(), "BR01", time.Time{}, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func (d *desk) reasons(t testing.TB) map[string]int64 {
	t.Helper()
	all, err := d.ledger.CountExceptions(t.Context(), "BR01")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, r := range all {
		out[r.Reason] += r.Count
	}
	return out
}

func sku(code string) func(*movement.Movement) {
	return func(m *movement.Movement) { m.Product = movement.Product{Scheme: movement.SKU, Code: code} }
}

func TestTheRunnerWaitsForTheWindow(t *testing.T) {
	d := newDesk(t)
	d.send(t, ledgertest.Record(movement.Dispense, 1, sku("B")))
	if next := d.once(t); d.open(t) != 0 || !next.Equal(d.at.Add(5*time.Minute)) {
		t.Fatalf("%d postings, next look at %s", d.open(t), next)
	}
	d.at = d.at.Add(5 * time.Minute)
	if d.once(t); d.open(t) != 1 {
		t.Fatalf("%d postings after the window", d.open(t))
	}
}

func TestAnUnknownCodeAsksOdooOnceInAWhile(t *testing.T) {
	d := newDesk(t)
	d.at = d.at.Add(10 * time.Minute)
	d.once(t) // reads the catalogue
	before := d.master.refreshed
	for range 5 {
		d.at = d.at.Add(time.Minute)
		d.send(t, ledgertest.Record(movement.Dispense, 1, sku("NONE")), ledgertest.Record(movement.Dispense, 1, sku("NONE")))
		d.once(t)
	}
	if n := d.master.refreshed - before; n != 5 {
		t.Errorf("Odoo was asked %d times in five minutes, want once a look", n)
	}
	for range 5 {
		d.at = d.at.Add(time.Second)
		d.send(t, ledgertest.Record(movement.Dispense, 1, sku("NONE")))
		d.once(t)
	}
	if n := d.master.refreshed - before; n != 5 {
		t.Errorf("Odoo was asked %d times, also for codes that came within seconds", n)
	}
	if got := d.reasons(t); got["unknown_product"] != 15 {
		t.Errorf("exceptions: %v", got)
	}
}

func TestWhileOdooIsAwayNothingIsUnknown(t *testing.T) {
	d := newDesk(t)
	d.once(t)
	d.at = d.at.Add(time.Hour)
	d.master.away, d.receipts.err = true, errors.New("connection refused")
	d.send(t, ledgertest.Record(movement.Dispense, 1, sku("NONE")), ledgertest.Record(movement.Dispense, 1, sku("B")),
		ledgertest.Record(movement.Receipt, 1, sku("B"), func(m *movement.Movement) { m.Document = movement.Document{Type: "order", Ref: "P1"} }))
	d.once(t)
	if got := d.reasons(t); len(got) != 0 || d.open(t) != 1 {
		t.Fatalf("exceptions %v, %d postings", got, d.open(t))
	}
	// Once it is back, everything is decided.
	d.master.away, d.receipts.err = false, nil
	d.at = d.at.Add(time.Minute)
	d.once(t)
	if got := d.reasons(t); got["unknown_product"] != 1 || got["order_not_open"] != 1 {
		t.Fatalf("exceptions %v", got)
	}
}

// What has no lot gets the one that expires first as Odoo's stock is now; while
// Odoo cannot be asked it waits, and holds up nothing else.
func TestTheStockIsAskedForWhatHasNoLot(t *testing.T) {
	d := newDesk(t)
	cfg := plan.DefaultConfig()
	cfg.WithoutLot = plan.LotByEarliest
	d.runner = plan.NewRunner(cfg, d.ledger, d.master, d.receipts, slog.New(slog.DiscardHandler), func() time.Time { return d.at }, nil)
	d.once(t)
	d.at = d.at.Add(time.Hour)
	d.receipts.err = errors.New("connection refused")
	d.send(t, ledgertest.Record(movement.Dispense, 2, sku("A")), ledgertest.Record(movement.Dispense, 1, sku("B")))
	d.once(t)
	if d.open(t) != 1 || len(d.reasons(t)) != 0 {
		t.Fatalf("%d postings, exceptions %v", d.open(t), d.reasons(t))
	}
	known, _ := d.master.Lot(prodA, 1, "KNOWN")
	d.receipts.err = nil
	d.receipts.stock = map[int64][]odoo.OnHand{input().Branch.Warehouse.StockID: {{ProductID: prodA, LotID: known.ID, LotName: "KNOWN", Quantity: 9}}}
	d.at = d.at.Add(time.Minute)
	d.once(t)
	all, err := d.ledger.OpenPostings(t.Context(), "BR01", time.Time{}, 10)
	if err != nil || len(all) != 2 {
		t.Fatalf("%d postings, %v; exceptions %v", len(all), err, d.reasons(t))
	}
	body, err := ledger.DecodeBody(all[1].Body)
	if err != nil || len(body.Lines) != 1 || body.Lines[0].LotID != known.ID || !body.Lines[0].Parts[0].Chosen {
		t.Errorf("planned %+v, %v", body, err)
	}
}

// Goods whose receipt waits bring their lot all the same.
func TestALotInAWaitingReceiptIsOnItsWay(t *testing.T) {
	lot := func(m *movement.Movement) { m.Lot, m.Expiry = "NEW", movement.Date{Year: 2029, Month: 1, Day: 1} }
	for name, change := range map[string]func(*movement.Movement){
		"for an order, while Odoo is away": func(m *movement.Movement) { m.Document = movement.Document{Type: "order", Ref: "P1"} },
		"in an incomplete group":           func(m *movement.Movement) { m.Group = movement.Group{ID: "g", Size: 2} },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.receipts.err = errors.New("connection refused")
			d.at = d.at.Add(10 * time.Minute)
			d.send(t, ledgertest.Record(movement.Receipt, 1, sku("A"), lot, change))
			d.once(t)
			// What comes now is due before the receipt is looked at again.
			for range 3 {
				d.send(t, ledgertest.Record(movement.Dispense, 1, sku("A"), lot))
				d.at = d.at.Add(time.Second)
				d.once(t)
			}
			if got := d.reasons(t); len(got) != 0 {
				t.Errorf("exceptions: %v", got)
			}
		})
	}
}

// A lot that a receipt has just made is not unknown, however fresh the catalogue
// was before.
func TestTheCatalogueIsNotFreshAfterOurOwnReceipt(t *testing.T) {
	d := newDesk(t)
	d.at = d.at.Add(10 * time.Minute)
	d.once(t) // reads the catalogue
	lot := func(m *movement.Movement) { m.Lot, m.Expiry = "NEW", movement.Date{Year: 2029, Month: 1, Day: 1} }
	d.send(t, ledgertest.Record(movement.Receipt, 1, sku("A"), lot))
	d.at = d.at.Add(time.Second)
	d.once(t)
	open, err := d.ledger.OpenPostings(t.Context(), "BR01", time.Time{}, 10)
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	d.at = d.at.Add(time.Second)
	if _, err := d.ledger.ChangePosting(t.Context(), open[0].ID, ledger.PostingChange{At: d.at, State: ledger.PostingDone}); err != nil {
		t.Fatal(err)
	}
	d.at = d.at.Add(time.Second)
	d.send(t, ledgertest.Record(movement.Dispense, 1, sku("A"), lot))
	d.once(t)
	if got := d.reasons(t); len(got) != 0 {
		t.Fatalf("exceptions: %v", got)
	}
	// Read again, it is unknown indeed.
	d.at = d.at.Add(time.Minute)
	d.once(t)
	if got := d.reasons(t); got["unknown_lot"] != 1 {
		t.Fatalf("exceptions: %v", got)
	}
}

func TestABranchWithoutAWarehouseWaitsWithAnAlarm(t *testing.T) {
	d := newDesk(t)
	d.master.sites = map[string]bool{}
	d.at = d.at.Add(time.Hour)
	d.send(t, ledgertest.Record(movement.Dispense, 1, sku("B")))
	d.once(t)
	if d.open(t) != 0 || len(d.runner.Alarms()["BR01"]) != 1 {
		t.Fatalf("%d postings, alarms %v", d.open(t), d.runner.Alarms())
	}
	d.master.sites["BR01"] = true
	d.at = d.at.Add(time.Minute)
	d.once(t)
	if d.open(t) != 1 || len(d.runner.Alarms()) != 0 {
		t.Fatalf("%d postings, alarms %v", d.open(t), d.runner.Alarms())
	}
}

// What waits of a branch that was taken out of the configuration is not posted,
// and told.
func TestABranchThatIsNotConfiguredWaits(t *testing.T) {
	d := newDesk(t)
	cfg := plan.DefaultConfig()
	cfg.Branches = map[string]plan.BranchConfig{"BR02": {}}
	d.runner = plan.NewRunner(cfg, d.ledger, d.master, d.receipts, slog.New(slog.DiscardHandler), func() time.Time { return d.at }, nil)
	d.at = d.at.Add(time.Hour)
	d.send(t, ledgertest.Record(movement.Dispense, 1, sku("B")))
	if d.once(t); d.open(t) != 0 || len(d.runner.Alarms()["BR01"]) != 1 {
		t.Errorf("%d postings, alarms %v", d.open(t), d.runner.Alarms())
	}
}

func TestAnIncompleteGroupIsWaitedFor(t *testing.T) {
	d := newDesk(t)
	g := func(m *movement.Movement) { m.Group = movement.Group{ID: "delivery 7", Size: 2} }
	d.send(t, ledgertest.Record(movement.Receipt, 1, sku("B"), g))
	if d.once(t); d.open(t) != 0 {
		t.Fatal("half a delivery was planned")
	}
	d.send(t, ledgertest.Record(movement.Receipt, 2, sku("B"), g))
	if d.once(t); d.open(t) != 1 {
		t.Fatal("the complete delivery was not planned")
	}
	// One whose rest was lost at the branch is planned after a while.
	d.send(t, ledgertest.Record(movement.Receipt, 1, sku("B"), func(m *movement.Movement) { m.Group = movement.Group{ID: "delivery 8", Size: 2} }))
	next := d.once(t)
	if d.open(t) != 1 || next.IsZero() {
		t.Fatalf("%d postings, next %s", d.open(t), next)
	}
	d.at = next
	if d.once(t); d.open(t) != 2 {
		t.Fatalf("%d postings after the patience", d.open(t))
	}
}

// However much cannot leave, what came behind it does, and soon.
func TestWhatWaitsHidesNothing(t *testing.T) {
	t.Run("groups", func(t *testing.T) {
		d := newDesk(t)
		d.once(t)
		d.receipts.err = errors.New("connection refused")
		var stuck [][]byte
		for i := range 450 {
			stuck = append(stuck, ledgertest.Record(movement.Receipt, 1, sku("B"), func(m *movement.Movement) {
				m.Group = movement.Group{ID: fmt.Sprintf("order %d", i), Size: 1}
				m.Document = movement.Document{Type: "order", Ref: fmt.Sprintf("P%05d", i)}
			}))
		}
		d.send(t, stuck...)
		d.send(t, ledgertest.Record(movement.Receipt, 1, sku("B"), func(m *movement.Movement) { m.Group = movement.Group{ID: "free", Size: 1} }))
		if d.once(t); d.open(t) != 1 {
			t.Errorf("%d postings behind deliveries that wait for Odoo", d.open(t))
		}
		// Once Odoo is back, all of them have their turn.
		d.receipts.err = nil
		for range 10 {
			d.at = d.at.Add(10 * time.Second)
			d.once(t)
		}
		if got := d.reasons(t); got["order_not_open"] != 450 {
			t.Errorf("exceptions: %v", got)
		}
	})
	t.Run("single movements", func(t *testing.T) {
		d := newDesk(t)
		d.runner.LookAt(1000)
		d.once(t)
		d.master.away = true
		d.at = d.at.Add(time.Hour)
		const stuck = 2005
		var records [][]byte
		for i := range stuck {
			records = append(records, ledgertest.Record(movement.Dispense, 1, sku("NONE"), func(m *movement.Movement) { m.NaturalKey = fmt.Sprintf("rx %d", i) }))
		}
		d.send(t, records...)
		d.send(t, ledgertest.Record(movement.Dispense, 1, sku("B")))
		if d.once(t); d.open(t) != 1 {
			t.Errorf("%d postings behind movements that wait for the catalogue", d.open(t))
		}
		// More of them than one visit looks at: the next visits go on behind.
		d.master.away = false
		for range 3 {
			d.at = d.at.Add(time.Minute)
			d.once(t)
		}
		if got := d.reasons(t); got["unknown_product"] != stuck {
			t.Errorf("exceptions: %v", got)
		}
	})
}

// A lot that is in none of the parts of what waits that a look takes may be on
// its way all the same.
func TestALotBehindMuchElseThatWaitsIsOnItsWay(t *testing.T) {
	lot := func(m *movement.Movement) { m.Lot, m.Expiry = "NEW", movement.Date{Year: 2029, Month: 1, Day: 1} }
	group := func(i int) func(*movement.Movement) {
		return func(m *movement.Movement) { m.Group = movement.Group{ID: fmt.Sprint("g", i), Size: 1} }
	}
	order := func(m *movement.Movement) { m.Document = movement.Document{Type: "order", Ref: "P1"} }
	late := func(m *movement.Movement) { m.Group.Size = 2 }
	for name, c := range map[string]struct {
		n      int
		change func(i int) []func(*movement.Movement)
	}{
		"deliveries for an order, while Odoo is away": {201, func(i int) []func(*movement.Movement) { return []func(*movement.Movement){group(i), order} }},
		"incomplete deliveries":                       {201, func(i int) []func(*movement.Movement) { return []func(*movement.Movement){group(i), late} }},
		"single lines for an order":                   {501, func(int) []func(*movement.Movement) { return []func(*movement.Movement){order} }},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.runner.LookAt(500)
			d.receipts.err = errors.New("connection refused")
			d.at = d.at.Add(10 * time.Minute)
			var records [][]byte
			for i := range c.n {
				product := sku("B")
				if i == c.n-1 {
					product = sku("A")
				}
				records = append(records, ledgertest.Record(movement.Receipt, 1, append(c.change(i), product, func(m *movement.Movement) {
					if i == c.n-1 {
						lot(m)
					}
				})...))
			}
			d.send(t, records...)
			for range 3 {
				d.send(t, ledgertest.Record(movement.Dispense, 1, sku("A"), lot))
				d.at = d.at.Add(time.Second)
				d.once(t)
			}
			if got := d.reasons(t); len(got) != 0 {
				t.Errorf("exceptions: %v", got)
			}
		})
	}
}

// What waits for a lot on its way does not keep a lot that nobody brings from
// being told.
func TestALotThatNobodyBringsIsToldBehindMuchThatWaits(t *testing.T) {
	lot := func(name string) func(*movement.Movement) {
		return func(m *movement.Movement) { m.Lot, m.Expiry = name, movement.Date{Year: 2029, Month: 1, Day: 1} }
	}
	d := newDesk(t)
	d.at = d.at.Add(10 * time.Minute)
	d.send(t, ledgertest.Record(movement.Receipt, 1, sku("A"), lot("NEW"), func(m *movement.Movement) { m.Group = movement.Group{ID: "g", Size: 2} }))
	d.runner.LookAt(500)
	var records [][]byte
	for range 500 {
		records = append(records, ledgertest.Record(movement.Dispense, 1, sku("A"), lot("NEW")))
	}
	d.send(t, records...)
	d.send(t, ledgertest.Record(movement.Dispense, 1, sku("A"), lot("NONE")))
	for range 3 {
		d.at = d.at.Add(time.Minute)
		d.once(t)
	}
	if got := d.reasons(t); len(got) != 1 || got["unknown_lot"] != 1 {
		t.Errorf("exceptions: %v", got)
	}
}

// BenchmarkPlanned is the planner with its ledger: reading what waits, planning,
// and writing postings, for dispensings of 170 products.
func BenchmarkPlanned(b *testing.B) {
	const n = 20_000
	for b.Loop() {
		b.StopTimer()
		d := newDesk(b)
		for from := 0; from < n; from += 2000 {
			var records [][]byte
			for i := range 2000 {
				code := []string{"B", "K"}[i%2]
				records = append(records, ledgertest.Record(movement.Dispense, 1, sku(code), func(m *movement.Movement) {
					m.NaturalKey = fmt.Sprintf("rx %d", from+i)
				}))
			}
			d.send(b, records...)
		}
		b.StartTimer()
		d.once(b)
		b.StopTimer()
		if got := d.open(b); got != n/400 {
			b.Fatalf("%d postings", got)
		}
		b.StartTimer()
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "movements/s")
}
