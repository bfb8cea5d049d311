package plan_test

import (
	"slices"
	"strings"
	"testing"

	"branchline/hub/ledger"
	"branchline/hub/plan"
	"branchline/internal/movement"
	"branchline/internal/odoo"
)

// lots is a catalogue in which A has more lots.
type lots struct{ *master }

func (c lots) Lot(product, company int64, name string) (odoo.Lot, bool) {
	for i, l := range []struct{ name, expiry string }{{"LATE", "2028-01-31"}, {"SOON", "2026-05-31"}, {"GONE", "2026-03-01"}, {"ENDLESS", ""}, {"ALSO", "2026-05-31"}} {
		if l.name != name || product != prodA {
			continue
		}
		found := odoo.Lot{ID: int64(200 + i), Name: name, ProductID: product}
		if d, err := movement.ParseDate(l.expiry); err == nil {
			found.Expires = odoo.Expiry(d, berlin)
		}
		return found, true
	}
	return odoo.Lot{}, false
}

func shelf(product int64, all ...any) (list []odoo.OnHand) {
	list = []odoo.OnHand{}
	for i := 0; i < len(all); i += 2 {
		name := all[i].(string)
		l, ok := lots{}.Lot(product, 1, name)
		if !ok {
			l.ID = 999
		}
		list = append(list, odoo.OnHand{ProductID: product, LotID: l.ID, LotName: name, Quantity: float64(all[i+1].(int))})
	}
	return list
}

// A dispensing without a lot goes to a person, or is of the lot that expires
// first of those that are enough, not expired and not taken by others.
func TestALotIsChosen(t *testing.T) {
	under := func(kind movement.Kind, incoming bool, lotName string, n int64) ledger.Posting {
		body := ledger.PostingBody{Incoming: incoming, Lines: []ledger.PostingLine{{ProductID: prodA, Lot: lotName,
			Parts: []ledger.PostingPart{{Movement: 77, Quantity: movement.Units(n)}}}}}
		data, err := body.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return ledger.Posting{Kind: kind, Body: data}
	}
	none := moved("dispense", "A", 2)
	const to = "dispense 2026-03-02 2: 20>31 | 1 "
	cases := map[string]struct {
		pending []ledger.Movement
		stock   []odoo.OnHand
		with    func(in *plan.Input)
		want    []string
	}{
		"the one that expires first":              {pending: []ledger.Movement{none}, stock: shelf(prodA, "LATE", 5, "SOON", 5, "ENDLESS", 5), want: []string{"posting 1", to + "SOON x2"}},
		"of two alike the older in Odoo":          {pending: []ledger.Movement{none}, stock: shelf(prodA, "ALSO", 5, "SOON", 5), want: []string{"posting 1", to + "SOON x2"}},
		"one of which there is enough":            {pending: []ledger.Movement{none}, stock: shelf(prodA, "SOON", 1, "LATE", 5), want: []string{"posting 1", to + "LATE x2"}},
		"not an expired one":                      {pending: []ledger.Movement{none}, stock: shelf(prodA, "GONE", 5, "LATE", 5), want: []string{"posting 1", to + "LATE x2"}},
		"one without an expiry is the last":       {pending: []ledger.Movement{none}, stock: shelf(prodA, "ENDLESS", 5), want: []string{"posting 1", to + "ENDLESS x2"}},
		"one after the other":                     {pending: []ledger.Movement{none, moved("dispense", "A", 2), moved("dispense", "A", 1)}, stock: shelf(prodA, "SOON", 3, "LATE", 9), want: []string{"posting 1", "posting 1", "posting 1", to + "SOON x3 | 1 LATE x2"}},
		"after those that name theirs":            {pending: []ledger.Movement{none, moved("dispense", "A", 4, lot("SOON"))}, stock: shelf(prodA, "SOON", 5, "LATE", 9), want: []string{"posting 1", "posting 1", to + "SOON x4 | 1 LATE x2"}},
		"less what is being posted":               {pending: []ledger.Movement{none}, stock: shelf(prodA, "SOON", 5, "LATE", 9), with: func(in *plan.Input) { in.Open = []ledger.Posting{under("dispense", false, "SOON", 4)} }, want: []string{"posting 1", to + "LATE x2"}},
		"none there":                              {pending: []ledger.Movement{none}, stock: shelf(prodA), want: []string{plan.LotMissing}},
		"too few of each":                         {pending: []ledger.Movement{none}, stock: shelf(prodA, "SOON", 1, "LATE", 1, "GONE", 9), want: []string{plan.LotMissing}},
		"less than nothing there":                 {pending: []ledger.Movement{none}, stock: shelf(prodA, "SOON", -3), want: []string{plan.LotMissing}},
		"one that the catalogue has not got":      {pending: []ledger.Movement{none}, stock: shelf(prodA, "STRANGE", 9), want: []string{plan.LotMissing}},
		"one that the catalogue may not have yet": {pending: []ledger.Movement{none}, stock: shelf(prodA, "STRANGE", 9, "LATE", 9), with: func(in *plan.Input) { in.MissingIsFinal = false }, want: []string{"waits", "waiting for catalogue: 1"}},
		"goods are coming":                        {pending: []ledger.Movement{none}, stock: shelf(prodA), with: func(in *plan.Input) { in.Open = []ledger.Posting{under("receipt", true, "SOON", 4)} }, want: []string{"waits", "waiting for lot: 1"}},
		"what is being posted may be posted":      {pending: []ledger.Movement{none}, stock: shelf(prodA, "SOON", 5), with: func(in *plan.Input) { in.Open = []ledger.Posting{under("dispense", false, "SOON", 4)} }, want: []string{"waits", "waiting for lot: 1"}},
		"a return brings some":                    {pending: []ledger.Movement{none, moved("return", "A", 1, lot("SOON"))}, stock: shelf(prodA), want: []string{"waits", "posting 1", "return 2026-03-02 1: 31>20 | 1 SOON x1", "waiting for lot: 1"}},
		"Odoo was not asked yet":                  {pending: []ledger.Movement{none, moved("dispense", "B", 1)}, want: []string{"waits", "posting 1", "dispense 2026-03-02 2: 20>31 | 2 x1", "waiting for odoo: 1"}},
		"only dispensings":                        {pending: []ledger.Movement{moved("wastage", "A", 1), moved("return", "A", 1), moved("adjustment", "A", -1)}, stock: shelf(prodA, "SOON", 5), want: []string{plan.LotMissing, plan.LotMissing, plan.LotMissing}},
		"no serial":                               {pending: []ledger.Movement{moved("dispense", "S", 1)}, stock: shelf(prodS), want: []string{plan.SerialMissing}},
		"unless a person shall":                   {pending: []ledger.Movement{none}, stock: shelf(prodA, "SOON", 5), with: func(in *plan.Input) { in.Settings.WithoutLot = plan.LotByPerson }, want: []string{plan.LotMissing}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in := input(slices.Clone(c.pending)...)
			in.Catalogue, in.Stock, in.Settings.WithoutLot = lots{&master{}}, c.stock, plan.LotByEarliest
			if c.with != nil {
				c.with(&in)
			}
			out := plan.Plan(in)
			if got := outcome(in, out); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if asks := slices.Equal(out.StockOf, []int64{prodA}); asks != (c.stock == nil) {
				t.Errorf("asks for the stock of %v", out.StockOf)
			}
			for _, p := range out.Postings {
				for _, l := range p.Body.Lines {
					for _, part := range l.Parts {
						if named := in.Pending[part.Movement.Seq()-1].Lot != ""; l.Lot != "" && part.Chosen == named {
							t.Errorf("movement %d: chosen %v", part.Movement.Seq(), part.Chosen)
						}
					}
				}
			}
		})
	}
}
