package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/hub/ledger"
	"branchline/hub/plan"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// now is noon in Berlin.
var (
	berlin = mustZone("Europe/Berlin")
	now    = time.Date(2026, 3, 2, 12, 0, 0, 0, berlin)
)

func mustZone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// master is a small catalogue.
//
//	SKU A: tracked by lot, with expiry; lots KNOWN (2027-01-31) and OLD (2026-02-01)
//	SKU B: not tracked; a pack of 10 has its own barcode
//	SKU S: tracked by serial; K: weighed in kg; X: archived; N: no stock
//	GTIN ...11: two products
type master struct {
	held movement.Product
}

func (c *master) Held(code movement.Product) bool { return c.held == code && code.Code != "" }

const (
	prodA = 1 + iota
	prodB
	prodS
	prodK
	prodX
	prodN
)

var units = []odoo.UoM{{ID: 1, Name: "Units", Ratio: 1, Rounding: 0.01, Family: 1, Active: true}, {ID: 2, Name: "Dozens", Ratio: 12, Rounding: 0.01, Family: 1, Active: true},
	{ID: 3, Name: "kg", Ratio: 1, Rounding: 0.001, Family: 2, Active: true}, {ID: 4, Name: "g", Ratio: 0.001, Rounding: 0.01, Family: 2, Active: true},
	{ID: 5, Name: "Sevenths", Ratio: 1.0 / 7, Rounding: 0.01, Family: 1, Active: true}}

func product(id int64, name string, tracking odoo.Tracking) odoo.Product {
	p := odoo.Product{ID: id, Name: name, Code: name, Tracking: tracking, Expires: tracking != odoo.ByQuantity, UoM: odoo.Ref{ID: 1, Name: "Units"}, Active: true, Storable: true}
	switch id {
	case prodK:
		p.UoM = odoo.Ref{ID: 3, Name: "kg"}
	case prodX:
		p.Active = false
	case prodN:
		p.Storable = false
	}
	return p
}

var products = []odoo.Product{product(prodA, "A", odoo.ByLot), product(prodB, "B", odoo.ByQuantity), product(prodS, "S", odoo.BySerial),
	product(prodK, "K", odoo.ByQuantity), product(prodX, "X", odoo.ByQuantity), product(prodN, "N", odoo.ByQuantity)}

func (c *master) Find(code movement.Product) ([]odoo.Product, []movement.Quantity) {
	one := []movement.Quantity{movement.QuantityScale}
	switch code.Code {
	case "00000000000010":
		return products[prodB-1 : prodB], []movement.Quantity{movement.Units(10)}
	case "00000000000011":
		return products[:2], append(one, one...)
	}
	for i, p := range products {
		if p.Code == code.Code {
			return products[i : i+1], one
		}
	}
	return nil, nil
}

func (c *master) Unit(id int64) (odoo.UoM, bool) {
	for _, u := range units {
		if u.ID == id {
			return u, true
		}
	}
	return odoo.UoM{}, false
}

func (c *master) Units(name string) (all []odoo.UoM) {
	for _, u := range units {
		if u.Name == name {
			all = append(all, u)
		}
	}
	return all
}

func (c *master) Lot(product, company int64, name string) (odoo.Lot, bool) {
	at := map[string]movement.Date{"KNOWN": {Year: 2027, Month: 1, Day: 31}, "OLD": {Year: 2026, Month: 2, Day: 1}}
	d, ok := at[name]
	if !ok || product != prodA || company != 1 {
		return odoo.Lot{}, false
	}
	return odoo.Lot{ID: 100 + int64(len(name)), Name: name, ProductID: product, CompanyID: 1, Expires: odoo.Expiry(d, berlin)}, true
}

type change = func(*ledger.Movement)

func moved(kind movement.Kind, code string, n int64, changes ...change) ledger.Movement {
	m := ledger.Movement{Kind: kind, State: ledger.Pending, Product: movement.Product{Scheme: movement.SKU, Code: code}, Quantity: movement.Units(n),
		OccurredAt: now.Add(-time.Hour), RecordedAt: now.Add(-time.Hour)}
	for _, f := range changes {
		f(&m)
	}
	return m
}

func lot(name string) change { return func(m *ledger.Movement) { m.Lot = name } }
func serial(name string) change {
	return func(m *ledger.Movement) { m.Serial = name }
}
func unit(name string) change { return func(m *ledger.Movement) { m.Unit = name } }
func gtin(code string) change {
	return func(m *ledger.Movement) { m.Product = movement.Product{Scheme: movement.GTIN, Code: code} }
}
func amount(q string) change {
	return func(m *ledger.Movement) { m.Quantity, _ = movement.ParseQuantity(q) }
}
func expires(s string) change {
	return func(m *ledger.Movement) { m.Expiry, _ = movement.ParseDate(s) }
}
func order(ref string) change {
	return func(m *ledger.Movement) { m.Document = movement.Document{Type: "order", Ref: ref} }
}
func grouped(id int64) change { return func(m *ledger.Movement) { m.GroupID = id } }
func ago(d time.Duration) change {
	return func(m *ledger.Movement) { m.OccurredAt, m.RecordedAt = now.Add(-d), now.Add(-d) }
}

// receipt is an open receipt of an order.
func receipt(id int64, origin string, moves ...odoo.ReceiptMove) odoo.Receipt {
	return odoo.Receipt{ID: id, Name: fmt.Sprintf("IN/%d", id), Origin: origin, Moves: moves}
}

func expects(product int64, q float64, uom int64) odoo.ReceiptMove {
	return odoo.ReceiptMove{ID: product * 10, ProductID: product, Ordered: q, UoM: odoo.Ref{ID: uom}}
}

func input(pending ...ledger.Movement) plan.Input {
	for i := range pending {
		pending[i].ID = ledger.MakeID(1, uint64(i+1))
		pending[i].Identity = movement.ID{Branch: "BR01", Epoch: "abcdefghijkl", Lane: movement.Live, Seq: uint64(i + 1)}
	}
	return plan.Input{Now: now, Settings: plan.DefaultSettings(), Catalogue: &master{}, MissingIsFinal: true, Pending: pending, ReceiptsKnown: true,
		Branch: plan.Branch{Code: "BR01", Zone: berlin, Warehouse: odoo.Warehouse{ID: 9, Code: "BR01", CompanyID: 1, StockID: 20, InTypeID: 1, OutTypeID: 2, IntTypeID: 3},
			Places: odoo.Places{Customers: 31, Suppliers: 32, Inventory: 33, Scrap: 34, Transit: 35}}}
}

// outcome says in words what became of each movement, and then of the postings.
func outcome(in plan.Input, out plan.Output) []string {
	became := map[ledger.MovementID]string{}
	for i, p := range out.Postings {
		for _, id := range p.IDs {
			became[id] = fmt.Sprintf("posting %d", i+1)
		}
	}
	for _, r := range out.Refused {
		became[r.Movement] = r.Reason
	}
	var all []string
	for _, m := range in.Pending {
		s := became[m.ID]
		if s == "" {
			s = "waits"
		}
		all = append(all, s)
	}
	for _, p := range out.Postings {
		all = append(all, describe(p))
	}
	for _, what := range slices.Sorted(maps.Keys(out.Waiting)) {
		all = append(all, fmt.Sprintf("waiting for %s: %d", what, out.Waiting[what]))
	}
	return append(all, out.Alarms...)
}

func describe(p plan.Posting) string {
	b := p.Body
	s := fmt.Sprintf("%s %s %d: %d>%d", p.Kind, b.Day, b.TypeID, b.FromID, b.ToID)
	if b.ReceiptID != 0 {
		s += fmt.Sprintf(" into %d", b.ReceiptID)
	}
	for _, l := range b.Lines {
		s += fmt.Sprintf(" | %d", l.ProductID)
		if l.Lot != "" {
			s += " " + l.Lot
		}
		if l.LotID == 0 && l.Lot != "" {
			s += " new"
		}
		if !l.Expiry.IsZero() {
			s += " " + l.Expiry.String()
		}
		if l.Over {
			s += " over"
		}
		s += " x" + l.Quantity().String()
	}
	return s
}

func TestPlan(t *testing.T) {
	const day = 24 * time.Hour
	cases := map[string]struct {
		pending []ledger.Movement
		with    func(in *plan.Input)
		want    []string
	}{
		"equal product and lot are summed": {
			pending: []ledger.Movement{moved("dispense", "A", 2, lot("KNOWN")), moved("dispense", "B", 1), moved("dispense", "A", 3, lot("KNOWN"))},
			want:    []string{"posting 1", "posting 1", "posting 1", "dispense 2026-03-02 2: 20>31 | 1 KNOWN x5 | 2 x1"}},
		"a young dispensing waits to be summed": {
			pending: []ledger.Movement{moved("dispense", "B", 1, ago(time.Minute))},
			want:    []string{"waits", "waiting for window: 1"}},
		"one that the hub has seen for long leaves, whatever the agent's clock says": {
			pending: []ledger.Movement{moved("dispense", "B", 1, func(m *ledger.Movement) { m.RecordedAt = now.Add(time.Hour) })},
			with: func(in *plan.Input) {
				in.Since = map[movement.Kind]time.Time{movement.Dispense: now.Add(-6 * time.Minute)}
			},
			want: []string{"posting 1", "dispense 2026-03-02 2: 20>31 | 2 x1"}},
		"a full basket leaves at once": {
			pending: []ledger.Movement{moved("dispense", "B", 1, ago(0)), moved("dispense", "B", 1, ago(0)), moved("dispense", "B", 1, ago(0))},
			with:    func(in *plan.Input) { in.Settings.Movements = 2 },
			want:    []string{"posting 1", "posting 1", "waits", "dispense 2026-03-02 2: 20>31 | 2 x2", "waiting for window: 1"}},
		"a day that was offline keeps its own date": {
			pending: []ledger.Movement{moved("dispense", "B", 1, ago(day)), moved("dispense", "B", 1), moved("dispense", "B", 1, ago(day))},
			want:    []string{"posting 1", "posting 2", "posting 1", "dispense 2026-03-01 2: 20>31 | 2 x2", "dispense 2026-03-02 2: 20>31 | 2 x1"}},
		"the day is the branch's, not the hub's": {
			pending: []ledger.Movement{moved("dispense", "B", 1, func(m *ledger.Movement) {
				m.OccurredAt = time.Date(2026, 3, 1, 23, 30, 0, 0, time.FixedZone("", -5*3600))
			})},
			want: []string{"posting 1", "dispense 2026-03-01 2: 20>31 | 2 x1"}},
		"each kind has its way": {
			pending: []ledger.Movement{moved("return", "B", 1), moved("wastage", "B", 1), moved("transfer_out", "B", 1), moved("transfer_in", "B", 1),
				moved("adjustment", "B", 1), moved("adjustment", "B", -2)},
			want: []string{"posting 1", "posting 2", "posting 3", "posting 4", "posting 5", "posting 6",
				"return 2026-03-02 1: 31>20 | 2 x1", "wastage 2026-03-02 3: 20>34 | 2 x1", "transfer_out 2026-03-02 3: 20>35 | 2 x1",
				"transfer_in 2026-03-02 3: 35>20 | 2 x1", "adjustment 2026-03-02 3: 33>20 | 2 x1", "adjustment 2026-03-02 3: 20>33 | 2 x2"}},
		"what a held alias says waits with an alarm": {
			pending: []ledger.Movement{moved("dispense", "B", 1), moved("dispense", "A", 1, lot("KNOWN"))},
			with:    func(in *plan.Input) { in.Catalogue = &master{held: movement.Product{Scheme: movement.SKU, Code: "B"}} },
			want: []string{"waits", "posting 1", "dispense 2026-03-02 2: 20>31 | 1 KNOWN x1", "waiting for setup: 1",
				"BR01: goods wait whose code has an alias from before the ledger was put back: look at branchline-hub alias list, remove what is wrong, then branchline-hub alias confirm"}},
		"a branch without a transit location waits with an alarm": {
			pending: []ledger.Movement{moved("transfer_out", "B", 1), moved("dispense", "B", 1)},
			with:    func(in *plan.Input) { in.Branch.Places.Transit = 0 },
			want: []string{"waits", "posting 1", "dispense 2026-03-02 2: 20>31 | 2 x1", "waiting for setup: 1",
				"BR01: Odoo has no transit location between branches; movements of kind transfer_out wait"}},
		"what does not resolve stays behind and the rest goes": {
			pending: []ledger.Movement{moved("dispense", "NONE", 1), moved("dispense", "B", 1), moved("dispense", "X", 1), moved("dispense", "N", 1),
				moved("dispense", "", 1, gtin("00000000000011"))},
			want: []string{"unknown_product", "posting 1", "archived_product", "product_not_stocked", "ambiguous_product", "dispense 2026-03-02 2: 20>31 | 2 x1"}},
		"nothing is unknown to a catalogue that may be old": {
			pending: []ledger.Movement{moved("dispense", "NONE", 1), moved("dispense", "A", 1, lot("NEW")), moved("dispense", "B", 1, unit("Miles"))},
			with:    func(in *plan.Input) { in.MissingIsFinal = false },
			want:    []string{"waits", "waits", "waits", "waiting for catalogue: 3"}},
		"a pack's own code counts packs": {
			pending: []ledger.Movement{moved("dispense", "", 3, gtin("00000000000010")), moved("dispense", "B", 3)},
			want:    []string{"posting 1", "posting 1", "dispense 2026-03-02 2: 20>31 | 2 x33"}},
		"with a unit it is the unit that is counted": {
			pending: []ledger.Movement{moved("dispense", "", 3, gtin("00000000000010"), unit("Units")), moved("dispense", "B", 2, unit("Dozens")),
				moved("dispense", "K", 1500, unit("g"))},
			want: []string{"posting 1", "posting 1", "posting 1", "dispense 2026-03-02 2: 20>31 | 2 x27 | 4 x1.5"}},
		"no unit is converted by guess": {
			pending: []ledger.Movement{moved("dispense", "B", 1, unit("Miles")), moved("dispense", "B", 1, unit("kg")), moved("dispense", "B", 1, unit("Sevenths")),
				moved("dispense", "B", 7, unit("Sevenths")), moved("dispense", "B", 0, amount("0.333333")), moved("dispense", "K", 0, unit("g"), amount("0.5"))},
			want: []string{"unknown_unit", "unit_mismatch", "unit_inexact", "posting 1", "unit_inexact", "unit_inexact", "dispense 2026-03-02 2: 20>31 | 2 x1"}},
		"lots and serial numbers as the product wants them": {
			pending: []ledger.Movement{moved("dispense", "A", 1), moved("dispense", "B", 1, lot("Z")), moved("dispense", "S", 1, lot("Z")),
				moved("dispense", "S", 2, serial("1")), moved("receipt", "S", 1, serial("1"), expires("2028-01-01"))},
			want: []string{"lot_missing", "posting 1", "serial_missing", "serial_quantity", "posting 2",
				"dispense 2026-03-02 2: 20>31 | 2 x1", "receipt 2026-03-02 1: 32>20 | 3 1 new 2028-01-01 x1"}},
		"a serial number goes one way once": {
			pending: []ledger.Movement{moved("receipt", "S", 1, serial("1"), expires("2028-01-01")), moved("receipt", "S", 1, serial("1"), expires("2028-01-01"))},
			want:    []string{"posting 1", "serial_repeated", "receipt 2026-03-02 1: 32>20 | 3 1 new 2028-01-01 x1"}},
		"a lot on its way is waited for, an unknown one is not": {
			pending: []ledger.Movement{moved("receipt", "A", 5, lot("NEW"), expires("2028-01-01")), moved("dispense", "A", 1, lot("NEW")), moved("dispense", "A", 1, lot("NONE"))},
			want:    []string{"posting 1", "waits", "unknown_lot", "receipt 2026-03-02 1: 32>20 | 1 NEW new 2028-01-01 x5", "waiting for lot: 1"}},
		"a lot under way in an earlier posting is waited for": {
			pending: []ledger.Movement{moved("dispense", "A", 1, lot("NEW"))},
			with:    func(in *plan.Input) { in.Open = []ledger.Posting{underWay("", "NEW")} },
			want:    []string{"waits", "waiting for lot: 1"}},
		"configuration may let dispensings make lots": {
			pending: []ledger.Movement{moved("dispense", "A", 1, lot("NEW"))},
			with:    func(in *plan.Input) { in.Settings.NewLotsOn = append(in.Settings.NewLotsOn, movement.Dispense) },
			want:    []string{"posting 1", "dispense 2026-03-02 2: 20>31 | 1 NEW new x1"}},
		"one lot has one expiry": {
			pending: []ledger.Movement{moved("receipt", "A", 1, lot("KNOWN"), expires("2027-01-31")), moved("receipt", "A", 1, lot("KNOWN")),
				moved("receipt", "A", 1, lot("KNOWN"), expires("2027-02-28")), moved("receipt", "A", 1, lot("N"), expires("2028-01-01")),
				moved("receipt", "A", 1, lot("N"), expires("2028-02-01")), moved("dispense", "A", 1, lot("KNOWN"), expires("2029-01-01")), moved("receipt", "A", 1, lot("M"))},
			want: []string{"posting 1", "posting 1", "lot_expiry_conflict", "lot_expiry_conflict", "lot_expiry_conflict", "lot_expiry_conflict", "expiry_missing",
				"receipt 2026-03-02 1: 32>20 | 1 KNOWN x2"}},
		"a lot under way with another expiry": {
			pending: []ledger.Movement{moved("receipt", "A", 1, lot("NEW"), expires("2028-06-01"))},
			with:    func(in *plan.Input) { in.Open = []ledger.Posting{underWay("", "NEW")} },
			want:    []string{"lot_expiry_conflict"}},
		"expired lots need a person, unless they are wasted": {
			pending: []ledger.Movement{moved("dispense", "A", 1, lot("OLD")), moved("wastage", "A", 1, lot("OLD")), moved("receipt", "A", 1, lot("N"), expires("2026-03-01")),
				moved("receipt", "A", 1, lot("T"), expires("2026-03-02")), moved("dispense", "A", 1, lot("OLD"), ago(60*day))},
			want: []string{"expired_lot", "posting 1", "expired_lot", "posting 2", "posting 3", "wastage 2026-03-02 3: 20>34 | 1 OLD x1",
				"receipt 2026-03-02 1: 32>20 | 1 T new 2026-03-02 x1", "dispense 2026-01-01 2: 20>31 | 1 OLD x1"}},
		"an order takes what it still expects": {
			pending: []ledger.Movement{moved("receipt", "B", 6, order("P1")), moved("receipt", "B", 5, order("P1")), moved("receipt", "B", 4, order("P1")), moved("receipt", "K", 1, order("P1"))},
			with:    func(in *plan.Input) { in.Receipts = []odoo.Receipt{receipt(7, "P1", expects(prodB, 10, 1))} },
			want:    []string{"posting 1", "over_receipt", "posting 1", "not_on_order", "receipt 2026-03-02 1: 32>20 into 7 | 2 x10"}},
		"the order may count in another unit": {
			pending: []ledger.Movement{moved("receipt", "B", 24, order("P1")), moved("receipt", "B", 1, order("P1"))},
			with:    func(in *plan.Input) { in.Receipts = []odoo.Receipt{receipt(7, "P1", expects(prodB, 2, 2))} },
			want:    []string{"posting 1", "over_receipt", "receipt 2026-03-02 1: 32>20 into 7 | 2 x24"}},
		"released goods are received all the same": {
			pending: []ledger.Movement{moved("receipt", "B", 12, order("P1")), moved("receipt", "K", 1, order("P1")), moved("receipt", "B", 1, order("P9"))},
			with: func(in *plan.Input) {
				in.Receipts = []odoo.Receipt{receipt(7, "P1", expects(prodB, 10, 1))}
				in.Released = map[ledger.MovementID][]string{ledger.MakeID(1, 1): {"over_receipt"}, ledger.MakeID(1, 2): {"not_on_order"}, ledger.MakeID(1, 3): {"order_not_open"}}
			},
			want: []string{"posting 1", "posting 2", "posting 3", "receipt 2026-03-02 1: 32>20 into 7 | 2 over x12", "receipt 2026-03-02 1: 32>20 | 4 x1", "receipt 2026-03-02 1: 32>20 | 2 x1"}},
		"more than was ordered stays that when others have filled the order": {
			pending: []ledger.Movement{moved("receipt", "B", 2, order("P1")), moved("receipt", "B", 3, order("P9")), moved("receipt", "B", 1, order("P9"))},
			with: func(in *plan.Input) {
				in.Receipts = []odoo.Receipt{receipt(7, "P1", expects(prodK, 10, 3))}
				in.Released = map[ledger.MovementID][]string{ledger.MakeID(1, 1): {"over_receipt"}, ledger.MakeID(1, 2): {"over_receipt"}}
			},
			want: []string{"posting 1", "posting 2", "order_not_open", "receipt 2026-03-02 1: 32>20 | 2 x2", "receipt 2026-03-02 1: 32>20 | 2 x3"}},
		"an order with two receipts fills the older first": {
			pending: []ledger.Movement{moved("receipt", "B", 3, order("P1")), moved("receipt", "B", 4, order("P1"))},
			with: func(in *plan.Input) {
				in.Receipts = []odoo.Receipt{receipt(7, "P1", expects(prodB, 3, 1)), receipt(8, "P0, P1", expects(prodB, 5, 1))}
			},
			want: []string{"posting 1", "posting 2", "receipt 2026-03-02 1: 32>20 into 7 | 2 x3", "receipt 2026-03-02 1: 32>20 into 8 | 2 x4"}},
		"two groups for one order go one after the other": {
			pending: []ledger.Movement{moved("receipt", "B", 3, order("P1"), grouped(1)), moved("receipt", "B", 3, order("P1"), grouped(2)), moved("receipt", "B", 3, order("P1"), grouped(1))},
			with:    func(in *plan.Input) { in.Receipts = []odoo.Receipt{receipt(7, "P1", expects(prodB, 10, 1))} },
			want:    []string{"posting 1", "waits", "posting 1", "receipt 2026-03-02 1: 32>20 into 7 | 2 x6", "waiting for order: 1"}},
		"an order with a posting under way is waited for": {
			pending: []ledger.Movement{moved("receipt", "B", 3, order("P1")), moved("receipt", "B", 3, order("P2"))},
			with: func(in *plan.Input) {
				in.Open = []ledger.Posting{underWay("P1", "")}
				in.Receipts = []odoo.Receipt{receipt(7, "P1", expects(prodB, 10, 1)), receipt(8, "P2", expects(prodB, 10, 1))}
			},
			want: []string{"waits", "posting 1", "receipt 2026-03-02 1: 32>20 into 8 | 2 x3", "waiting for order: 1"}},
		"receipts wait while Odoo is away, and nothing else": {
			pending: []ledger.Movement{moved("receipt", "B", 3, order("P1")), moved("receipt", "B", 3), moved("dispense", "B", 1)},
			with:    func(in *plan.Input) { in.ReceiptsKnown = false },
			want:    []string{"waits", "posting 1", "posting 2", "receipt 2026-03-02 1: 32>20 | 2 x3", "dispense 2026-03-02 2: 20>31 | 2 x1", "waiting for odoo: 1"}},
		"an order that is not open": {
			pending: []ledger.Movement{moved("receipt", "B", 3, order("P1"))},
			with:    func(in *plan.Input) { in.Receipts = []odoo.Receipt{receipt(7, "P10", expects(prodB, 10, 1))} },
			want:    []string{"order_not_open"}},
		"a count is for a person": {
			pending: []ledger.Movement{moved("count", "B", 3)},
			want:    []string{"count_needs_decision"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in := input(c.pending...)
			if c.with != nil {
				c.with(&in)
			}
			if got := outcome(in, plan.Plan(in)); !slices.Equal(got, c.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

// underWay is a receipt that is not yet in Odoo.
func underWay(ref, lot string) ledger.Posting {
	b := ledger.PostingBody{Lines: []ledger.PostingLine{{ProductID: prodA, Lot: lot, Expiry: movement.Date{Year: 2028, Month: 1, Day: 1}}}}
	data, err := b.Encode()
	if err != nil {
		panic(err)
	}
	p := ledger.Posting{Kind: movement.Receipt, Body: data}
	if ref != "" {
		p.Document = movement.Document{Type: "order", Ref: ref}
	}
	return p
}

func TestReasonsNameTheAmounts(t *testing.T) {
	for want, came := range map[string][]ledger.Movement{
		"order P1 still expects 10 Units of B, and with this line of 5 it would be 11": {moved("receipt", "B", 6, order("P1")), moved("receipt", "B", 5, order("P1"))},
		"order P1 still expects 10 Units of B, and this line has 40":                   {moved("receipt", "B", 40, order("P1"))},
	} {
		in := input(came...)
		in.Receipts = []odoo.Receipt{receipt(7, "P1", expects(prodB, 10, 1))}
		out := plan.Plan(in)
		if len(out.Refused) != 1 || out.Refused[0].Text != want {
			t.Errorf("%+v\nwant %s", out.Refused, want)
		}
	}
}

func TestEveryMovementIsInOnePlaceOnly(t *testing.T) {
	var all []ledger.Movement
	kinds := []movement.Kind{"receipt", "dispense", "return", "wastage", "transfer_out", "adjustment", "count"}
	for i := range 3000 {
		all = append(all, moved(kinds[i%len(kinds)], []string{"A", "B", "S", "K", "X", "NONE"}[i%6], int64(1+i%3), lot([]string{"KNOWN", "", "NEW"}[i%3]),
			ago(time.Duration(i%72)*time.Hour)))
	}
	in := input(all...)
	out := plan.Plan(in)
	seen := map[ledger.MovementID]int{}
	for _, p := range out.Postings {
		sum := map[ledger.MovementID]movement.Quantity{}
		for _, l := range p.Body.Lines {
			for _, part := range l.Parts {
				sum[part.Movement] += part.Quantity
			}
		}
		if len(sum) != len(p.IDs) || len(p.IDs) > in.Settings.Movements || len(p.Body.Lines) > in.Settings.Lines {
			t.Errorf("a posting of %d movements has %d in its lines", len(p.IDs), len(sum))
		}
		for _, id := range p.IDs {
			seen[id]++
			if want := all[id.Seq()-1].Quantity; sum[id] != want && sum[id] != -want {
				t.Errorf("movement %d has %s in its posting, want %s", id.Seq(), sum[id], want)
			}
		}
	}
	for _, r := range out.Refused {
		seen[r.Movement]++
	}
	waits := 0
	for _, n := range out.Waiting {
		waits += n
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("movement %d is in %d places", id.Seq(), n)
		}
	}
	if len(seen)+waits != len(all) {
		t.Errorf("%d planned or refused, %d wait, of %d", len(seen), waits, len(all))
	}
}

func BenchmarkPlan(b *testing.B) {
	var all []ledger.Movement
	for i := range 10_000 {
		all = append(all, moved("dispense", "B", 1, ago(time.Duration(i)*time.Second)))
	}
	in := input(all...)
	b.ReportAllocs()
	for b.Loop() {
		plan.Plan(in)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(all)), "ns/movement")
}
