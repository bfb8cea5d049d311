package room

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"branchline/hub/ledger"
	"branchline/internal/feed"
	"branchline/internal/movement"
	"branchline/internal/odoo"
	"branchline/internal/ui"
)

// Refill is where the stock of branches and their reordering rules are known.
type Refill struct {
	// Rules gives the reordering rules of a branch and the location of its stock; why
	// says why they are not known, or not as they are now.
	Rules func(branch string) (rules []odoo.OrderPoint, stock int64, why string)
	// OnHand is what Odoo had at that location at asOf; ok is false while that is not
	// known.
	OnHand func(branch string) (all []feed.Stock, asOf time.Time, ok bool, err error)
	// Meant tells what movements are by product and lot of Odoo; false while that
	// cannot be told.
	Meant func(ctx context.Context, all []ledger.Movement) ([]ledger.PostingLine, bool, error)
	// Order has Odoo replenish by a rule; nil where this hub may not.
	Order func(ctx context.Context, ruleID int64) (odoo.Replenished, error)
	// Days is how many days ahead an expiry is soon.
	Days int
}

// Signals are what a branch runs low of, and what of its stock expires soon.
type Signals struct {
	Code, Name string
	Zone       *time.Location
	// At is when it was worked out, OdooAt when Odoo's part was read; zero for not yet.
	At, OdooAt time.Time
	// Why says why nothing can be told; empty where it can.
	Why string
	// Unsettled says why a movement may be missing or be there twice for now.
	Unsettled string
	// Rules counts those that were looked at. Low is in the order of what is missing
	// most, Expiring of the day.
	Rules    int
	Low      []LowStock
	Expiring []ExpiringStock
	// Left are rules and movements of which nothing can be told, with why.
	Left []string
}

// OnShelf is what a branch has of something: Odoo's figure, and what movements that
// are not in Odoo add to it or take from it.
type OnShelf struct {
	ProductID                int64
	Name, Reference, Unit    string
	Odoo, Unposted, Together movement.Quantity
	// Doubts say what makes the figure uncertain.
	Doubts []string
}

// LowStock is a product of which there is less than its rule says.
type LowStock struct {
	OnShelf
	// RuleID and Rule are the reordering rule in Odoo.
	RuleID   int64
	Rule     string
	Min, Max movement.Quantity
	// Auto tells that Odoo replenishes by itself.
	Auto bool
}

// ExpiringStock is a lot with an expiry that is soon, or over.
type ExpiringStock struct {
	OnShelf
	Lot    string
	Expiry movement.Date
	Over   bool
}

// maxSignals bounds what is kept of a branch, by list.
const maxSignals = 2000

type spot struct {
	product int64
	lot     string
}

// signals works out one branch.
func (m *Room) signals(ctx context.Context, b *Branch, now time.Time) (s Signals, err error) {
	s = Signals{Code: b.Code, Name: b.Name, Zone: b.Zone, At: now}
	onHand, asOf, ok, err := m.Refill.OnHand(b.Code)
	if err != nil {
		return s, err
	}
	if !ok {
		s.Why = "the hub has not read the branch's stock from Odoo yet"
		return s, nil
	}
	s.OdooAt = asOf
	begun, err := m.Ledger.Postings(ctx, ledger.PostingFilter{Branch: b.Code, State: ledger.PostingBegun, Limit: 1})
	if err != nil {
		return s, err
	}
	unposted, doubts, err := m.unposted(ctx, b.Code, &s)
	if err != nil {
		return s, err
	}
	sign, err := m.Ledger.PostedSign(ctx, b.Code)
	if err != nil {
		return s, err
	}
	switch {
	case len(begun) > 0:
		s.Unsettled = "a document of the branch is on its way to Odoo: its movements may be counted twice for now"
	case time.UnixMilli(sign[1]).After(asOf):
		s.Unsettled = "a document was posted after Odoo's stock was read: its movements are missing until it is read again"
	}
	inOdoo := map[spot]movement.Quantity{}
	today := movement.DateOf(now.In(b.Zone))
	limit := movement.DateOf(now.In(b.Zone).AddDate(0, 0, m.Refill.Days))
	for _, p := range onHand {
		id, err := strconv.ParseInt(p.Product, 10, 64)
		if err != nil {
			return s, fmt.Errorf("stock of %s: %w", b.Code, err)
		}
		for _, l := range p.Lots {
			inOdoo[spot{id, ""}] += l.Quantity
			e := ExpiringStock{OnShelf: m.onShelf(id, l.Quantity, unposted[spot{id, l.Lot}], doubts), Lot: l.Lot, Expiry: l.Expiry, Over: l.Expiry.Before(today)}
			if l.Lot != "" && !l.Expiry.IsZero() && !limit.Before(l.Expiry) && e.Together > 0 {
				s.Expiring = append(s.Expiring, e)
			}
		}
	}
	all := map[int64]movement.Quantity{}
	for k, q := range unposted {
		all[k.product] += q
	}
	rules, stock, why := m.Refill.Rules(b.Code)
	if why != "" {
		s.Left = append(s.Left, "The reordering rules are not known as they are now: "+why)
	}
	for i := range rules {
		r := &rules[i]
		low, err1 := movement.QuantityFromFloat(r.Min)
		high, err2 := movement.QuantityFromFloat(r.Max)
		if r.LocationID != stock || err1 != nil || err2 != nil {
			s.Left = append(s.Left, fmt.Sprintf("Rule %s for %s is about another place than the branch's stock, or cannot be read", r.Name, m.goodsNamed(r.ProductID)))
			continue
		}
		s.Rules++
		on := m.onShelf(r.ProductID, inOdoo[spot{r.ProductID, ""}], all[r.ProductID], doubts)
		if on.Together < low {
			s.Low = append(s.Low, LowStock{on, r.ID, r.Name, low, high, r.Auto})
		}
	}
	slices.SortStableFunc(s.Low, func(x, y LowStock) int {
		return cmp.Or(cmp.Compare(y.Min-y.Together, x.Min-x.Together), cmp.Compare(x.Name, y.Name))
	})
	slices.SortStableFunc(s.Expiring, func(x, y ExpiringStock) int {
		return cmp.Or(cmp.Compare(x.Expiry.String(), y.Expiry.String()), cmp.Compare(x.Name, y.Name))
	})
	s.Low, s.Expiring, s.Left = atMost(s.Low), atMost(s.Expiring), atMost(s.Left)
	return s, nil
}

func atMost[T any](all []T) []T { return all[:min(len(all), maxSignals)] }

// unposted adds up what is not in Odoo, and what is not certain, by what codes mean.
func (m *Room) unposted(ctx context.Context, branch string, s *Signals) (map[spot]movement.Quantity, map[int64][]string, error) {
	sums, doubts := map[spot]movement.Quantity{}, map[int64][]string{}
	waits, err := m.Ledger.Unposted(ctx, branch)
	if err != nil {
		return nil, nil, err
	}
	for _, w := range waits {
		net := w.CameIn - w.WentOut
		if net == 0 {
			continue
		}
		lines, ok, err := m.Refill.Meant(ctx, []ledger.Movement{{Product: w.Product, Lot: w.Lot, Unit: w.Unit, Quantity: max(net, -net), Kind: movement.Adjustment}})
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			s.Left = append(s.Left, fmt.Sprintf("%s of %s %s %s that Odoo does not have: no product of Odoo can be told for it, so no figure has it", signed(net), w.Product.Scheme, w.Product.Code, w.Unit))
		}
		for i := range lines {
			q := lines[i].Quantity()
			if net < 0 {
				q = -q
			}
			sums[spot{lines[i].ProductID, lines[i].Lot}] += q
		}
	}
	unclear, err := m.Ledger.Unclear(ctx, branch)
	for _, u := range unclear {
		var said []string
		if u.Exceptions > 0 {
			said = append(said, waitsFor(u.Exceptions))
		}
		if u.Counts > 0 {
			said = append(said, ui.Many(u.Counts, "stock count is", "stock counts are")+" not in Odoo yet")
		}
		found, _ := m.Catalogue.Find(u.Product)
		if u.Product.Code == "" || len(found) == 0 {
			s.Left = append(s.Left, fmt.Sprintf("%s %s: %s", u.Product.Scheme, cmp.Or(u.Product.Code, "no product that can be told"), said[0]))
		}
		for _, p := range found {
			doubts[p.ID] = append(doubts[p.ID], said...)
		}
	}
	return sums, doubts, err
}

func waitsFor(n int64) string {
	return ui.Many(n, "movement waits", "movements wait") + " for a person"
}

func signed(q movement.Quantity) string {
	if q > 0 {
		return "+" + q.String()
	}
	return q.String()
}

func (m *Room) onShelf(id int64, inOdoo, unposted movement.Quantity, doubts map[int64][]string) OnShelf {
	o := OnShelf{ProductID: id, Name: m.goodsNamed(id), Odoo: inOdoo, Unposted: unposted, Together: inOdoo + unposted, Doubts: doubts[id]}
	if p, ok := m.Product(id); ok {
		o.Reference, o.Unit = p.Code, p.UoM.Name
	}
	return o
}

func (m *Room) goodsNamed(id int64) string {
	if m.Product != nil {
		if p, ok := m.Product(id); ok {
			return p.Name
		}
	}
	return fmt.Sprintf("product %d of Odoo", id)
}
